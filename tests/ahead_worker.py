"""chart_app's worker on a machine whose clock is two hours ahead.

``faust -A tests.ahead_worker worker``
"""

import time
from typing import Any

_AHEAD_S = 2 * 3600

_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + _AHEAD_S
time.time_ns = lambda: _time_ns() + _AHEAD_S * 1_000_000_000

from chart_app import main  # noqa: E402 - what it imports keeps the clock

app: Any = main.program().app
