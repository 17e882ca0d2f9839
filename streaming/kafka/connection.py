"""Connections to Kafka: aiokafka's, which on uvloop may break in a way that it does not expect.

A write to a connection that broke this moment does nothing on asyncio's own loop; on uvloop it
raises RuntimeError, where aiokafka looks for OSError. That ended the task that keeps the cluster's
metadata, which nobody noticed, and then the worker never found its group's coordinator again:
https://github.com/aio-libs/aiokafka/issues/1038
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError

_ItsOwn: Any = conn.AIOKafkaConnection


class Connection(_ItsOwn):
    """A connection whose writes fail with KafkaConnectionError, and with nothing else."""

    def send(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request; return a future of its answer."""
        with self._closed_when_broken():
            return super().send(*args, **kwargs)

    def _send_sasl_token(self, *args: Any, **kwargs: Any) -> Any:
        with self._closed_when_broken():
            return super()._send_sasl_token(*args, **kwargs)

    @contextmanager
    def _closed_when_broken(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN, exc=error)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken") from error


def use() -> None:
    """Have aiokafka make its connections of this kind: it takes no class for them."""
    conn.AIOKafkaConnection = Connection  # type: ignore[misc]
