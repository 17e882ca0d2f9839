"""The short way to this worker's own subscribers: what it has stored need not go through Kafka."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

from mode import Service

from chart_app.live import messages
from chart_app.live.gaps import Span
from chart_app.live.messages import CoinChange
from chart_app.storage.write_batch import Change

logger = logging.getLogger(__name__)

#: Trades and candles that may wait. Changes beyond that are dropped: the workers read them from
#: the store.
MAX_WAITING = 100_000


class Sender(Protocol):
    """The sender of messages to the other workers."""

    def put(self, change: Change, spans: Sequence[Span]) -> None:
        """Queue what a transaction has changed, and the offsets that it covers."""

    def drop(self) -> None:
        """Count a transaction that is not sent."""


class ShortWay(Service):
    """Hands on what was stored, in the order of the transactions; then gives it to the sender.

    ``on_change`` and ``cover`` get what :class:`chart_app.live.feed.LiveFeed` gives them of the
    messages of other workers. It skips this worker's. ``on_traded`` is given coins, and returns
    those that have subscribers.
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        on_traded: Callable[[Collection[str]], Collection[str]],
        on_change: Callable[[str, CoinChange], None],
        cover: Callable[[Sequence[Span]], None],
        sender: Sender,
    ) -> None:
        super().__init__()
        self._on_traded = on_traded
        self._on_change = on_change
        self._cover = cover
        self._sender = sender
        self._waiting: deque[tuple[Change, Sequence[Span]]] = deque()
        self._size = 0
        self._has_waiting = asyncio.Event()
        self._handing_on = asyncio.Lock()

    def put(self, change: Change, spans: Sequence[Span]) -> None:
        """Hand on what a transaction has changed: at once, if it is small and nothing waits."""
        if not self._waiting and len(change.trades) <= messages.MESSAGE_ITEMS:
            for coin, part in self._parts(change):
                self._on_change(coin, part)
            self._end(change, spans)
        elif self._size > MAX_WAITING:
            self._sender.drop()
        else:
            self._waiting.append((change, spans))
            self._size += change.size
            self._has_waiting.set()

    @Service.task
    async def _hand_on_all(self) -> None:
        while not self.should_stop:
            await self._has_waiting.wait()
            self._has_waiting.clear()
            await self._hand_on_waiting()

    async def on_stop(self) -> None:
        """Hand on what is still waiting."""
        await self._hand_on_waiting()

    async def _hand_on_waiting(self) -> None:
        async with self._handing_on:
            while self._waiting:
                change, spans = self._waiting[0]
                for coin, part in self._parts(change):
                    self._on_change(coin, part)
                    await asyncio.sleep(0)  # the subscribers of a large change get their turn
                self._waiting.popleft()
                self._size -= change.size
                self._end(change, spans)

    def _parts(self, change: Change) -> Iterator[tuple[str, CoinChange]]:
        return messages.by_coin(change, self._on_traded(change.coins))

    def _end(self, change: Change, spans: Sequence[Span]) -> None:
        self._cover(spans)
        self._sender.put(change, spans)
