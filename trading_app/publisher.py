"""Sends trades to Kafka and waits for its confirmation.

Errors::

    PublishError
      + NotSent             too many trades await confirmation, or Kafka is not ready yet
      + NotConfirmed        the broker has not confirmed the trade: it may or may not be stored
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from aiokafka.errors import InvalidTimestampError, KafkaError
from faust.exceptions import NotReady
from prometheus_client import Counter, Gauge

from settings import Settings
from streaming.deadlines import Deadlines
from streaming.kafka.accumulator import Accumulator, Headers, ProducerBatch
from streaming.kafka.producer import Producer
from streaming.slices import chunks
from trading_app.parsing.submission import TradeRecord

CONFIRMED = Counter("trading_trades_confirmed", "Trades that Kafka confirmed.")
UNCONFIRMED = Gauge("trading_trades_unconfirmed", "Trades sent and not yet confirmed.")

#: Records sent in one turn of the event loop, which takes 2 ms.
SLICE = 1_000


#: All trades up to ``TRADE_MAX_FUTURE`` ahead of this clock are sent. So if Kafka refuses one, and
#: its batch with it, their clocks differ by more than :data:`topics.CLOCK_SKEW_MS`, or the topic
#: has another limit.
TOO_FAR_AHEAD = (
    "Kafka refused a time as too far in the future: compare the clock of this machine with that of "
    "the broker, and TRADE_MAX_FUTURE with the topic's message.timestamp.after.max.ms"
)


class PublishError(Exception):
    """Kafka has not confirmed the trade."""


class NotSent(PublishError):
    """Too many trades await confirmation, or Kafka is not ready yet."""


class Refused(PublishError):
    """Kafka has refused the trade, and has not stored it."""


class NotConfirmed(PublishError):
    """The trade was sent, but whether Kafka has stored it is unknown."""


class Stored(NamedTuple):
    """Where Kafka stored a trade; ``timestamp`` in ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int


class Publisher:
    """Sends trades with acks from all in-sync replicas; retries cause no duplicates."""

    def __init__(self, producer: Callable[[], Producer], settings: Settings) -> None:
        self._accumulator = Accumulator(producer, self._settle)
        self._deadlines = Deadlines(settings.kafka_delivery_timeout)
        self.max_unconfirmed = settings.max_unconfirmed
        self._unconfirmed = 0
        UNCONFIRMED.set_function(lambda: self._unconfirmed)

    @property
    def is_full(self) -> bool:
        """Return whether the maximum of unconfirmed trades is reached."""
        return self._unconfirmed >= self.max_unconfirmed

    async def publish(
        self, topic: str, record: TradeRecord, headers: Headers | None = None
    ) -> Stored:
        """Send a trade; return where Kafka stored it.

        Raises :exc:`PublishError`, at the latest after ``KAFKA_DELIVERY_TIMEOUT`` seconds.
        """
        ((batch, index),) = await self.send(topic, (record,), headers)
        waiter = batch.waiter()
        self._deadlines.add(waiter)
        await waiter
        stored = batch.stored
        if stored is None:
            is_refused = isinstance(batch.error, InvalidTimestampError)
            raise (Refused if is_refused else NotConfirmed)(self.reason(batch))
        # Type 1: the topic has replaced our timestamp by the time of the append.
        appended_ms = stored.timestamp if stored.timestamp_type else None
        timestamp = appended_ms or record.timestamp_ms
        return Stored(topic, stored.partition, stored.offset + index, timestamp)

    async def publish_all(
        self, topic: str, records: Sequence[TradeRecord], headers: Headers | None = None
    ) -> list[ProducerBatch]:
        """Send trades, in order, and wait; return the batch of each.

        If a batch is not ``stored``, the outcome of its trades is unknown. Trades at the end have
        no batch if the producer was closed meanwhile. Raises :exc:`NotSent` if not all may be sent.
        """
        batches = [batch for batch, _ in await self.send(topic, records, headers)]
        waiters = [batch.waiter() for batch in set(batches)]
        for waiter in waiters:
            self._deadlines.add(waiter)
        await asyncio.wait(waiters)
        return batches

    async def send(
        self, topic: str, records: Sequence[TradeRecord], headers: Headers | None = None
    ) -> list[tuple[ProducerBatch, int]]:
        """Do as :meth:`publish_all`, without waiting; return the index in the batch, too."""
        partitions = await self._reserve(topic, len(records))
        sent: list[tuple[ProducerBatch, int]] = []
        for chunk in chunks(records, SLICE):
            if sent:
                await asyncio.sleep(0)
            try:
                sent += self._accumulator.append(topic, partitions, chunk, headers)
            except (NotReady, KafkaError) as error:
                self._unconfirmed -= len(records) - len(sent)
                if not sent:
                    raise NotSent(f"the producer is closed: {error!r}") from None
                break
        return sent

    def reason(self, batch: ProducerBatch) -> str:
        """Return why a batch is not confirmed, for an error message."""
        if isinstance(batch.error, InvalidTimestampError):
            return TOO_FAR_AHEAD
        return str(batch.error or f"no confirmation within {self._deadlines.timeout_s:g} s")

    async def _reserve(self, topic: str, trades: int) -> int:
        """Count trades that are to be sent; return the topic's number of partitions."""
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
