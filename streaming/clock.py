"""The time of day."""

import time
from collections.abc import Callable

#: Returns the time in ms since the epoch.
NowMs = Callable[[], int]


def now_ms() -> int:
    """Return the time in ms since the epoch."""
    return time.time_ns() // 1_000_000
