"""Finds the minutes, of each coin, in which the trades of a gap are."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from chart_app.live.gaps import Span
from chart_app.model.decoder import decode
from chart_app.model.intervals import MINUTE_MS
from chart_app.model.trade_ids import trade_id
from chart_app.storage.reader import Consumed, StoreReader

#: How long Kafka has to return the next records of a gap, and how many to read at once.
READ_TIMEOUT_S = 30.0
READ_PAGE = 1000

#: By coin, the open times (ms) of the minutes in which it was traded.
Minutes = Mapping[str, set[int]]


class TradedMinutes(Protocol):
    """Finds the minutes of a gap's trades."""

    async def find(self, gap: Span, consumed: Consumed) -> Minutes:
        """Return the minutes. Raises StoreUnavailable, KafkaError or TimeoutError."""


class StoredMinutes:
    """Reads the minutes from the store, which has all trades."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader

    async def find(self, gap: Span, _: Consumed) -> Minutes:
        """Return the minutes of a gap's trades."""
        first, end = trade_id(gap.partition_id, gap.start), trade_id(gap.partition_id, gap.end)
        found: dict[str, set[int]] = defaultdict(set)
        for coin, minute in await self._reader.traded_minutes(first, end - 1):
            found[coin].add(minute)
        return found


class TopicMinutes:
    """Reads the topic of the trades again: with ``STORE_TRADES=false`` the store has none."""

    def __init__(self, new_consumer: Callable[[], AIOKafkaConsumer]) -> None:
        self._new_consumer = new_consumer

    async def find(self, gap: Span, consumed: Consumed) -> Minutes:
        """Return the minutes of a gap's trades."""
        found: dict[str, set[int]] = defaultdict(set)
        consumer = self._new_consumer()
        try:
            async for records in _read(consumer, consumed, gap):
                trades = decode(gap.partition_id, records).trades
                for coin, time_ms in zip(trades.coins, trades.times, strict=True):
                    found[coin].add(time_ms - time_ms % MINUTE_MS)
        finally:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await consumer.stop()
        return found


async def _read(
    consumer: AIOKafkaConsumer, consumed: Consumed, gap: Span
) -> AsyncIterator[list[Any]]:
    tp = TopicPartition(consumed.topic, consumed.partition)
    async with asyncio.timeout(READ_TIMEOUT_S):
        await consumer.start()
    consumer.assign([tp])
    consumer.seek(tp, gap.start)
    position = gap.start
    while position < gap.end:
        async with asyncio.timeout(READ_TIMEOUT_S):
            fetched = await consumer.getmany(
                tp, timeout_ms=int(READ_TIMEOUT_S * 1000), max_records=READ_PAGE
            )
            position = await consumer.position(tp)
        records: list[Any] = fetched.get(tp, [])
        yield [it for it in records if it.offset < gap.end]
