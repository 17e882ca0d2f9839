"""Trades in over HTTP, out to Kafka: ``faust -A trading_app worker``."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return ``app``, which is built on first access (PEP 562)."""
    if name == "app":
        from trading_app import main  # noqa: PLC0415 - importing a module must build nothing

        return main.program().app
    raise AttributeError(name)
