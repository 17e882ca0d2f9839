"""The consumer group that stores the trades, and serves them: ``faust -A chart_app worker``."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return ``app``, which is made when it is asked for: PEP 562."""
    if name == "app":
        from chart_app import main  # noqa: PLC0415 - to import a module builds nothing

        return main.program().app
    raise AttributeError(name)
