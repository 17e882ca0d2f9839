"""Reads from the store what the live topic has not carried, for those who read streams here.

Each worker does so for its own readers. So nobody has to remember a gap: it is what the store
has and the topic has not, whoever was to broadcast it, and whatever has become of that.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from aiokafka.errors import KafkaError
from mode import Service

from chart_app.live.broadcaster import LIMIT_S
from chart_app.live.gaps import LiveGaps, Span
from chart_app.live.traded_minutes import Minutes, TradedMinutes
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.reader import Consumed, StoreReader

logger = logging.getLogger(__name__)

#: How often it is looked how far the store is.
POLL_INTERVAL_S = 1.0
#: What has been stored for so long and was not broadcast is a gap: who stored it has dropped it
#: (:mod:`chart_app.live.broadcaster`) or is dead. To read what is only late is no harm, but work.
GRACE_S = LIMIT_S + 1.0
RETRY_INTERVAL_S = 1.0
#: Offsets of a gap that are read at once: a tenth of a second of the database.
GAP_PAGE = 50_000


class Subscribers(Protocol):
    """Those who read streams of this worker."""

    @property
    def has_subscribers(self) -> bool:
        """Return whether anybody reads a stream."""

    def reread(self, gap: Span, minutes: Minutes) -> None:
        """Have the store read for what was changed in a gap: in these minutes of each coin."""


class Resync(Service):
    """Watches for gaps, and has what was changed in them read for the subscribers."""

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
        #: How far the partitions are consumed, by their ids.
        self._consumed: dict[int, Consumed] = {}
        #: (when, offsets by partition): what was stored when it was looked.
        self._looks: deque[tuple[float, dict[int, int]]] = deque()
        self._has_gap = asyncio.Event()

    def carry(self, spans: Iterable[Span]) -> None:
        """Take what the live messages so far cover."""
        for span in spans:
            self._gaps.carry(span)
        self._wake_up()

    async def follow(self) -> None:
        """Take it that the live topic is read from now on."""
        while not self.should_stop:
            try:
                await self.look()
            except StoreUnavailable:
                await self.sleep(RETRY_INTERVAL_S)
            else:
                self._gaps.begin_again(self._looks[-1][1])
                self._wake_up()
                return

    def check(self) -> None:
        """Take it that nothing of the topic was missed since."""
        self._gaps.check()

    async def look(self) -> None:
        """See how far the store is. Raises StoreUnavailable."""
        self._consumed = {it.partition_id: it for it in await self._reader.consumed()}
        stored = {it.partition_id: it.next_offset for it in self._consumed.values()}
        self._gaps.begin(stored)
        now = self._clock()
        self._looks.append((now, stored))
        while self._looks and self._looks[0][0] <= now - GRACE_S:
            self._gaps.compare(self._looks.popleft()[1])
        self._wake_up()

    def _wake_up(self) -> None:
        if self._gaps.first():
            self._has_gap.set()

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            try:
                await self.look()
            except StoreUnavailable as error:
                logger.debug("Could not look how far the store is: %s", error)  # health tells
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
                    logger.warning("Could not read what was not broadcast: %r", error)
                    await self.sleep(RETRY_INTERVAL_S)

    async def _read_gap(self, gap: Span) -> None:
        """Read the first page of a gap, or pass over all of it where nobody reads streams."""
        if not self._subscribers.has_subscribers:
            self._gaps.close(gap.end)
            return
        gap = gap._replace(end=min(gap.end, gap.start + GAP_PAGE))
        if gap.partition_id not in self._consumed:
            await self.look()
        consumed = self._consumed.get(gap.partition_id)  # None: its topic was recreated
        if consumed:
            logger.info(
                "%s partition %d: offsets %d to %d were not broadcast; reading what they changed",
                *(consumed.topic, consumed.partition, gap.start, gap.end - 1),
            )
            self._subscribers.reread(gap, await self._minutes.of(gap, consumed))
        self._gaps.close(gap.end)
