"""The short way to this worker's own subscribers: what it has stored need not go through Kafka."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from mode import Service

from chart_app.live import messages
from chart_app.live.gaps import Span
from chart_app.live.messages import Encoded
from chart_app.storage.write_batch import Change

logger = logging.getLogger(__name__)

#: Trades and candles that may wait. Changes beyond that are dropped: the workers read them from
#: the store.
MAX_WAITING = 100_000


class Sender(Protocol):
    """The sender of messages to the other workers."""

    def put(self, encoded: Sequence[Encoded], spans: Sequence[Span]) -> None:
        """Queue the messages of a transaction, and the offsets that they cover."""

    def drop(self) -> None:
        """Count a transaction that is not sent."""


class ShortWay(Service):
    """Encodes what was stored, in the order of the transactions; hands it on, then to the sender.

    ``on_message`` and ``cover`` get what :class:`chart_app.live.feed.LiveFeed` gives them of the
    messages of other workers. It skips this worker's.
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        on_message: Callable[[str, bytes], None],
        cover: Callable[[Sequence[Span]], None],
        sender: Sender,
    ) -> None:
        super().__init__()
        self._on_message = on_message
        self._cover = cover
        self._sender = sender
        self._waiting: deque[tuple[Change, Sequence[Span]]] = deque()
        self._size = 0
        self._has_waiting = asyncio.Event()

    def put(self, change: Change, spans: Sequence[Span]) -> None:
        """Queue what a transaction has changed, and the offsets that it covers."""
        if self._size > MAX_WAITING:
            self._sender.drop()
            return
        self._waiting.append((change, spans))
        self._size += _size(change)
        self._has_waiting.set()

    @Service.task
    async def _hand_on_all(self) -> None:
        while not self.should_stop:
            await self._has_waiting.wait()
            self._has_waiting.clear()
            while self._waiting:
                await self._hand_on_first()

    async def on_stop(self) -> None:
        """Hand on what is still waiting."""
        while self._waiting:
            await self._hand_on_first()

    async def _hand_on_first(self) -> None:
        change, spans = self._waiting.popleft()
        self._size -= _size(change)
        encoded = []
        for coin, value in messages.encode_change(change):
            self._on_message(coin, value)
            encoded.append((coin, value))
            if len(change.trades) > messages.MESSAGE_ITEMS:
                await asyncio.sleep(0)  # the subscribers of a large message get their turn
        self._cover(spans)
        self._sender.put(encoded, spans)


def _size(change: Change) -> int:
    return len(change.trades) + len(change.candles)
