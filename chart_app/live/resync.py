"""Finds what was stored but not broadcast, and has it read from the store for the subscribers.

Each worker does so for its own subscribers. So no gap needs to be remembered: it is what the store
has and the topic has not, whichever worker should have broadcast it, and for whatever reason.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from aiokafka.errors import KafkaError
from mode import Service

from chart_app.live.broadcaster import SEND_TIMEOUT_S
from chart_app.live.gaps import LiveGaps, Span
from chart_app.live.traded_minutes import Minutes, TradedMinutes
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.reader import Consumed, StoreReader

logger = logging.getLogger(__name__)

#: How often the stored offsets are read.
POLL_INTERVAL_S = 1.0
#: What has been stored for this long but not broadcast is a gap: its worker has dropped it
#: (:mod:`chart_app.live.broadcaster`) or is dead. Reading what is only late costs work, no more.
GRACE_S = SEND_TIMEOUT_S + 1.0
RETRY_INTERVAL_S = 1.0
#: Offsets of a gap that are read at once, which takes the database a tenth of a second.
GAP_PAGE = 50_000


class Subscribers(Protocol):
    """The subscribers of this worker's streams."""

    @property
    def has_subscribers(self) -> bool:
        """Return whether any stream has a subscriber."""

    def reread(self, gap: Span, minutes: Minutes) -> None:
        """Mark what was changed in a gap, in these minutes of each coin, to be read again."""


class Resync(Service):
    """Watches for gaps, and has their changes read from the store for the subscribers."""

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        gaps: LiveGaps,
        reader: StoreReader,
        subscribers: Subscribers,
        minutes: TradedMinutes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._gaps = gaps
        self._reader = reader
        self._subscribers = subscribers
        self._minutes = minutes
        self._clock = clock
        #: The next offsets of partitions, by partition id.
        self._consumed: dict[int, Consumed] = {}
        #: (clock in s, stored offsets by partition id) of the latest polls.
        self._polls: deque[tuple[float, dict[int, int]]] = deque()
        self._has_gap = asyncio.Event()

    def cover(self, spans: Iterable[Span]) -> None:
        """Record what the previous live messages cover."""
        for span in spans:
            self._gaps.cover(span)
        self._wake_up()

    async def begin_reading(self) -> None:
        """Record that the live topic is read from now on; wait for the store if necessary."""
        while not self.should_stop:
            try:
                await self.poll()
            except StoreUnavailable:
                await self.sleep(RETRY_INTERVAL_S)
            else:
                self._gaps.restart(self._polls[-1][1])
                self._wake_up()
                return

    def confirm(self) -> None:
        """Record that no message has been missed since the last call."""
        self._gaps.confirm()

    async def poll(self) -> None:
        """Read the stored offsets and look for gaps. Raises StoreUnavailable."""
        self._consumed = {it.partition_id: it for it in await self._reader.consumed()}
        stored = {it.partition_id: it.next_offset for it in self._consumed.values()}
        self._gaps.start(stored)
        now = self._clock()
        self._polls.append((now, stored))
        while self._polls and self._polls[0][0] <= now - GRACE_S:
            self._gaps.expect(self._polls.popleft()[1])
        self._wake_up()

    def _wake_up(self) -> None:
        if self._gaps.first():
            self._has_gap.set()

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            try:
                await self.poll()
            except StoreUnavailable as error:
                # The health check reports it.
                logger.debug("Could not read the stored offsets: %s", error)
            await self.sleep(POLL_INTERVAL_S)

    @Service.task
    async def _read_gaps(self) -> None:
        while not self.should_stop:
            await self.wait(self._has_gap.wait())
            self._has_gap.clear()
            while not self.should_stop and (gap := self._gaps.first()):
                try:
                    await self._read_gap(gap)
                except (StoreUnavailable, KafkaError, TimeoutError) as error:
                    logger.warning("Could not read offsets that were not broadcast: %r", error)
                    await self.sleep(RETRY_INTERVAL_S)

    async def _read_gap(self, gap: Span) -> None:
        """Read the first page of a gap, or skip the gap if there are no subscribers."""
        if not self._subscribers.has_subscribers:
            self._gaps.close(gap.end)
            return
        gap = gap._replace(end=min(gap.end, gap.start + GAP_PAGE))
        if gap.partition_id not in self._consumed:
            await self.poll()
        consumed = self._consumed.get(gap.partition_id)  # None: its topic was recreated
        if consumed:
            logger.info(
                "%s partition %d: offsets %d to %d were not broadcast; reading their changes",
                *(consumed.topic, consumed.partition, gap.start, gap.end - 1),
            )
            self._subscribers.reread(gap, await self._minutes.find(gap, consumed))
        self._gaps.close(gap.end)
