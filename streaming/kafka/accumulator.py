"""Records on their way to Kafka, gathered into batches per partition, in order.

What is appended while a batch of its partition is on its way shares the next one. aiokafka's
``send`` does so too, at the price of two coroutines and a future a record; and its
``send_batch`` waits for a moment in which nothing else is sent to the partition, which under
load does not come. So this works on aiokafka's own queues, as its ``send`` does.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder, MessageBatch
from aiokafka.structs import RecordMetadata, TopicPartition

from streaming import internals
from streaming.kafka.producer import Producer

#: Keys whose hash is kept: some 25 MB, should there be so many. The hash takes 4 µs.
HASHES_KEPT = 131_072

#: Key, value, and time in ms.
Record = tuple[bytes, bytes, int]


class ProducerBatch:
    """Records of one partition that Kafka stores together, or not at all."""

    __slots__ = ("builder", "count", "error", "queued", "stored", "waiters")

    def __init__(self, builder: BatchBuilder, queued: MessageBatch) -> None:
        self.builder = builder
        self.queued = queued
        self.count = 0
        #: Where the first record stands, once Kafka has confirmed all.
        self.stored: RecordMetadata | None = None
        #: Why Kafka will not confirm it; it may be stored all the same.
        self.error: Exception | None = None
        self.waiters: list[asyncio.Future[None]] = []

    def waiter(self) -> "asyncio.Future[None]":
        """Return a future that is done with the batch, whatever becomes of that."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.stored or self.error:
            waiter.set_result(None)
        else:
            self.waiters.append(waiter)
        return waiter

    def settle(self, sent: "asyncio.Future[RecordMetadata]") -> None:
        """Keep what has become of it, and tell who waits."""
        try:
            self.stored = sent.result()
        except Exception as error:
            self.error = error
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.waiters.clear()


class Accumulator:
    """Sends records in batches; ``on_settled`` is told of each that Kafka confirmed, or not."""

    def __init__(
        self, producer: Callable[[], Producer], on_settled: Callable[[ProducerBatch], None]
    ) -> None:
        self._producer = producer
        self._on_settled = on_settled
        #: Of each partition the batch that was begun last.
        self._last: dict[TopicPartition, ProducerBatch] = {}

    def append(
        self, topic: str, partitions: int, records: Iterable[Record]
    ) -> list[tuple[ProducerBatch, int]]:
        """Send records, in order; return of each the batch it is in, and its place there.

        ``partitions`` is how many the topic has; records of a key go to the same one. Raises
        NotReady and KafkaError if the producer is closed: then none was sent.
        """
        kafka = self._producer().kafka
        failed = internals.send_error(kafka) is not None
        if failed:
            self._producer().send_failed(kafka)
        if failed or internals.is_closed(kafka):
            raise ProducerClosed
        queues = internals.send_queues(kafka)
        tps = _partitions_of(topic, partitions)
        places = []
        for key, value, timestamp_ms in records:
            tp = tps[_positive_hash(key) % partitions]
            queue = queues.get(tp)
            batch = self._last.get(tp)
            if (
                not queue
                or not batch
                or queue[-1] is not batch.queued
                or not batch.builder.append(timestamp=timestamp_ms, key=key, value=value)
            ):
                batch = self._begin(kafka, tp)
                batch.builder.append(timestamp=timestamp_ms, key=key, value=value)
            places.append((batch, batch.count))
            batch.count += 1
        return places

    def _begin(self, kafka: AIOKafkaProducer, tp: TopicPartition) -> ProducerBatch:
        builder = kafka.create_batch()
        queued = internals.append_batch(kafka, builder, tp)
        batch = self._last[tp] = ProducerBatch(builder, queued)
        queued.future.add_done_callback(partial(self._settle, batch, kafka))
        return batch

    def _settle(
        self, batch: ProducerBatch, kafka: AIOKafkaProducer, sent: "asyncio.Future[Any]"
    ) -> None:
        batch.settle(sent)
        if batch.error:
            self._producer().send_failed(kafka)
            internals.look_at_drain_error(batch.queued)
        self._on_settled(batch)

    def known_partitions(self, topic: str) -> int:
        """Return how many partitions a topic has, 0 if the producer has not asked yet.

        Raises NotReady.
        """
        return len(self._producer().kafka.client.cluster.partitions_for_topic(topic) or ())

    async def ask_partitions(self, topic: str) -> int:
        """Return how many partitions a topic has. Raises NotReady and KafkaError."""
        return len(await self._producer().kafka.partitions_for(topic))


@lru_cache
def _partitions_of(topic: str, partitions: int) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(partitions)]


@lru_cache(HASHES_KEPT)
def _positive_hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF
