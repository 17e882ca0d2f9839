"""Reads from the store what the live topic has not carried, for those who read streams here.

Each worker does so for its own readers. So nobody has to remember a gap: it is what the store
has and the topic has not, whoever was to broadcast it, and whatever has become of that.
"""

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from mode import Service

from chart_app.live.broadcaster import LIMIT_S
from chart_app.live.gaps import LiveGaps, Span
from chart_app.model.decoder import take_in
from chart_app.model.intervals import MINUTE_MS
from chart_app.storage.reader import Consumed, History
from chart_app.storage.schema import trade_id
from chart_app.storage.writer import StoreUnavailable
from chart_app.websocket.hub import Hub
from streaming.kafka.transport import Record

logger = logging.getLogger(__name__)

#: How often it is looked how far the store is.
POLL_INTERVAL_S = 1.0
#: What has been stored for so long and was not broadcast is a gap: who stored it has dropped it
#: (:mod:`chart_app.live.broadcaster`) or is dead. To read what is only late is no harm, but work.
GRACE_S = LIMIT_S + 1.0
RETRY_INTERVAL_S = 1.0
#: Offsets of a gap that are read at once: a tenth of a second of the database.
GAP_PAGE = 50_000
#: For Kafka to hand out the next records of a gap, and how many at once.
READ_LIMIT_S = 30.0
READ_PAGE = 1000

#: Of each coin the minutes (open times, ms) in which it was traded.
Minutes = Mapping[str, set[int]]


class TradedMinutes(Protocol):
    """Finds out what was traded in a gap."""

    async def of(self, gap: Span, place: Consumed) -> Minutes:
        """Return it. Raises StoreUnavailable, KafkaError or TimeoutError."""


class StoredMinutes:
    """Asks the store, which has all trades."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def of(self, gap: Span, _: Consumed) -> Minutes:
        """Return what was traded in a gap."""
        first, end = trade_id(gap.log, gap.start), trade_id(gap.log, gap.end)
        found: dict[str, set[int]] = defaultdict(set)
        for coin, minute in await self._history.traded_minutes(first, end - 1):
            found[coin].add(minute)
        return found


class TopicMinutes:
    """Reads the topic of the trades again: with ``STORE_TRADES=false`` the store has none."""

    def __init__(self, new_consumer: Callable[[], AIOKafkaConsumer]) -> None:
        self._new_consumer = new_consumer

    async def of(self, gap: Span, place: Consumed) -> Minutes:
        """Return what was traded in a gap."""
        found: dict[str, set[int]] = defaultdict(set)
        consumer = self._new_consumer()
        try:
            async for records in _read(consumer, place, gap):
                trades = take_in(gap.log, records).trades
                for coin, time_ms in zip(trades.coins, trades.times, strict=True):
                    found[coin].add(time_ms - time_ms % MINUTE_MS)
        finally:
            async with asyncio.timeout(READ_LIMIT_S):
                await consumer.stop()
        return found


async def _read(
    consumer: AIOKafkaConsumer, place: Consumed, gap: Span
) -> AsyncIterator[list[Record]]:
    tp = TopicPartition(place.topic, place.partition)
    async with asyncio.timeout(READ_LIMIT_S):
        await consumer.start()
    consumer.assign([tp])
    consumer.seek(tp, gap.start)
    position = gap.start
    while position < gap.end:
        async with asyncio.timeout(READ_LIMIT_S):
            fetched = await consumer.getmany(
                tp, timeout_ms=int(READ_LIMIT_S * 1000), max_records=READ_PAGE
            )
            position = await consumer.position(tp)
        records: list[Any] = fetched.get(tp, [])
        yield [it for it in records if it.offset < gap.end]


class Resync(Service):
    """Watches for gaps, and has the hub read again what was changed in them."""

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        gaps: LiveGaps,
        history: History,
        hub: Hub,
        minutes: TradedMinutes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._gaps = gaps
        self._history = history
        self._hub = hub
        self._minutes = minutes
        self._clock = clock
        #: Where the partitions stand, by their numbers.
        self._places: dict[int, Consumed] = {}
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
        self._places = {it.log: it for it in await self._history.consumed()}
        stored = {it.log: it.next_offset for it in self._places.values()}
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
        if not self._hub.has_readers:
            self._gaps.close(gap.end)
            return
        gap = gap._replace(end=min(gap.end, gap.start + GAP_PAGE))
        if gap.log not in self._places:
            await self.look()
        place = self._places.get(gap.log)  # None: its topic was deleted and made again
        if place:
            logger.info(
                "%s partition %d: offsets %d to %d were not broadcast; reading what they changed",
                *(place.topic, place.partition, gap.start, gap.end - 1),
            )
            self._hub.reread(gap, await self._minutes.of(gap, place))
        self._gaps.close(gap.end)
