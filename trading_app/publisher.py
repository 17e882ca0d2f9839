"""Sending trades to Kafka, and knowing that Kafka holds them.

Errors::

    PublishError
      + NotSent             too many wait for confirmation, or Kafka is not there yet
      + NotConfirmed        the broker has not confirmed it: it may or may not be stored
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from aiokafka.errors import KafkaError
from faust.exceptions import NotReady
from prometheus_client import Counter, Gauge

from settings import Settings
from streaming.deadlines import Deadlines
from streaming.kafka.accumulator import Accumulator, ProducerBatch
from streaming.kafka.producer import Producer
from trading_app.parsing.submission import TradeRecord

CONFIRMED = Counter("trading_trades_confirmed", "Trades that Kafka confirmed.")
UNCONFIRMED = Gauge("trading_trades_unconfirmed", "Trades sent and not yet confirmed.")

#: Records that are sent in one go: 2 ms, then others have their turn.
SLICE = 1_000


class PublishError(Exception):
    """Kafka has not confirmed the trade."""


class NotSent(PublishError):
    """Too many trades wait for confirmation, or Kafka is not there yet."""


class NotConfirmed(PublishError):
    """The trade was sent, and whether Kafka stores it is unknown."""


class Stored(NamedTuple):
    """Where Kafka stored a trade."""

    topic: str
    partition: int
    offset: int
    timestamp: int


class Publisher:
    """Sends trades, acknowledged by all in-sync replicas and without duplicates by retry."""

    def __init__(self, producer: Callable[[], Producer], settings: Settings) -> None:
        self._accumulator = Accumulator(producer, self._settle)
        self._deadlines = Deadlines(settings.kafka_delivery_timeout)
        self.max_unconfirmed = settings.max_unconfirmed
        self._unconfirmed = 0
        UNCONFIRMED.set_function(lambda: self._unconfirmed)

    @property
    def is_full(self) -> bool:
        """Return whether not even one more trade may be sent now."""
        return self._unconfirmed >= self.max_unconfirmed

    async def publish(self, topic: str, record: TradeRecord) -> Stored:
        """Send a trade; return where Kafka stored it.

        Raises :exc:`PublishError`, after ``KAFKA_DELIVERY_TIMEOUT`` seconds at the latest.
        """
        ((batch, index),) = await self.send(topic, (record,))
        waiter = batch.waiter()
        self._deadlines.add(waiter)
        await waiter
        stored = batch.stored
        if stored is None:
            raise NotConfirmed(self.reason(batch))
        # Without a time: the topic keeps the one that we sent.
        appended_ms = stored.timestamp if stored.timestamp_type else None
        timestamp = appended_ms or record.timestamp_ms
        return Stored(topic, stored.partition, stored.offset + index, timestamp)

    async def publish_all(self, topic: str, records: Sequence[TradeRecord]) -> list[ProducerBatch]:
        """Send trades, in their order; return for each the batch that it is part of.

        That is ``stored``, or the outcome is unknown, as it is of trades that have none because
        the producer was closed meanwhile. Raises :exc:`NotSent` if there is not room for all.
        """
        batches = [batch for batch, _ in await self.send(topic, records)]
        waiters = [batch.waiter() for batch in set(batches)]
        await asyncio.wait(waiters, timeout=self._deadlines.timeout_s)
        return batches

    async def send(
        self, topic: str, records: Sequence[TradeRecord]
    ) -> list[tuple[ProducerBatch, int]]:
        """Do as :meth:`publish_all`, without waiting; return the index in the batch, too."""
        partitions = await self._reserve(topic, len(records))
        sent: list[tuple[ProducerBatch, int]] = []
        for start in range(0, len(records), SLICE):
            if start:
                await asyncio.sleep(0)
            try:
                part = records[start : start + SLICE]
                sent += self._accumulator.append(topic, partitions, part)
            except (NotReady, KafkaError) as error:
                self._unconfirmed -= len(records) - start
                if not sent:
                    raise NotSent(f"the producer is closed: {error!r}") from None
                break
        return sent

    def reason(self, batch: ProducerBatch) -> str:
        """Return why a batch is not confirmed."""
        return str(batch.error or f"no confirmation within {self._deadlines.timeout_s:g} s")

    async def _reserve(self, topic: str, trades: int) -> int:
        """Make room for trades that are then sent; return how many partitions the topic has."""
        if self._unconfirmed + trades > self.max_unconfirmed:
            raise NotSent(f"{self._unconfirmed} trades wait for confirmation")
        self._unconfirmed += trades
        try:
            return self._accumulator.known_partitions(topic) or await self._ask_partitions(topic)
        except BaseException as error:
            self._unconfirmed -= trades
            if isinstance(error, NotReady | KafkaError | TimeoutError):
                raise NotSent(f"Kafka has not answered yet: {error!r}") from None
            raise

    async def _ask_partitions(self, topic: str) -> int:
        async with asyncio.timeout(self._deadlines.timeout_s):
            return await self._accumulator.ask_partitions(topic)

    def _settle(self, batch: ProducerBatch) -> None:
        self._unconfirmed -= batch.count
        if batch.stored:
            CONFIRMED.inc(batch.count)
