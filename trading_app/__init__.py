"""Trades in over HTTP, out to Kafka: ``faust -A trading_app worker``."""

import sys
from pathlib import Path
from typing import Any

_ROOT = str(Path(__file__).parent.parent)


def __getattr__(name: str) -> Any:
    """Return ``app``, which is created on first access (PEP 562)."""
    if name == "app":
        # Faust has the working folder on the path only while it imports this package, so what is
        # needed before it is there cannot be shared with the other program.
        if _ROOT not in sys.path:
            sys.path.insert(0, _ROOT)
        from trading_app import main  # noqa: PLC0415 - importing a module builds nothing

        return main.program().app
    raise AttributeError(name)
