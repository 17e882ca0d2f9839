"""aiokafka's connections, with a workaround for errors that they raise on uvloop.

A write to a connection that has just broken does nothing on asyncio's own loop; on uvloop it
raises RuntimeError, while aiokafka expects OSError. That silently ended the task that refreshes
the cluster's metadata, so the worker never found its group's coordinator again:
https://github.com/aio-libs/aiokafka/issues/1038
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError

_AIOKafkaConnection: Any = conn.AIOKafkaConnection


class Connection(_AIOKafkaConnection):
    """A connection whose failed writes raise KafkaConnectionError instead of RuntimeError."""

    def send(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request; return a future of its response."""
        with self._closing_on_error():
            return super().send(*args, **kwargs)

    def _send_sasl_token(self, *args: Any, **kwargs: Any) -> Any:
        with self._closing_on_error():
            return super()._send_sasl_token(*args, **kwargs)

    @contextmanager
    def _closing_on_error(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN, exc=error)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken") from error


def install() -> None:
    """Replace aiokafka's connection class: it has no option for it."""
    conn.AIOKafkaConnection = Connection  # type: ignore[misc]
