"""Gathers records to send into batches per partition, in order.

Records appended while a batch of their partition is in flight share the next one. aiokafka's
``send`` does the same, at the cost of two coroutines and a future per record; its ``send_batch``
waits until nothing else is being sent to the partition, which under load never happens. So this
works on aiokafka's own queues, as its ``send`` does.
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

#: Keys whose hash is cached, which takes at most some 25 MB. Computing a hash takes 4 µs.
HASHES_KEPT = 131_072

#: (key, value, timestamp in ms).
OutgoingRecord = tuple[bytes, bytes, int]
#: Names and values of a record's headers.
Headers = list[tuple[str, bytes]]


class ProducerBatch:
    """Records of one partition that Kafka stores all together or not at all."""

    __slots__ = ("builder", "count", "error", "queued", "stored", "waiters")

    def __init__(self, builder: BatchBuilder, queued: MessageBatch) -> None:
        self.builder = builder
        self.queued = queued
        self.count = 0
        #: Partition and offset of the first record, once Kafka has confirmed all.
        self.stored: RecordMetadata | None = None
        #: Why the batch was not confirmed; it may be stored nevertheless.
        self.error: Exception | None = None
        self.waiters: list[asyncio.Future[None]] = []

    def waiter(self) -> "asyncio.Future[None]":
        """Return a future that is done once the batch is stored or has failed."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.stored or self.error:
            waiter.set_result(None)
        else:
            self.waiters.append(waiter)
        return waiter

    def settle(self, result: "asyncio.Future[RecordMetadata]") -> None:
        """Set :attr:`stored` or :attr:`error`, and wake the waiters."""
        try:
            self.stored = result.result()
        except Exception as error:
            self.error = error
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.waiters.clear()


class Accumulator:
    """Sends records in batches; ``on_settled`` is called once a batch is stored or has failed."""

    def __init__(
        self, producer: Callable[[], Producer], on_settled: Callable[[ProducerBatch], None]
    ) -> None:
        self._producer = producer
        self._on_settled = on_settled
        #: The newest batch of each partition.
        self._newest: dict[TopicPartition, ProducerBatch] = {}

    def append(
        self,
        topic: str,
        partitions: int,
        records: Iterable[OutgoingRecord],
        headers: Headers | None = None,
    ) -> list[tuple[ProducerBatch, int]]:
        """Send records, in order; return for each its batch and its index in the batch.

        ``partitions`` is the topic's number of them; records with the same key go to the same
        one. All get the same ``headers``. Raises NotReady and KafkaError if the producer is
        closed: then none was sent.
        """
        kafka = self._producer().kafka
        failed = internals.send_error(kafka) is not None
        if failed:
            self._producer().send_failed(kafka)
        if failed or internals.is_closed(kafka):
            raise ProducerClosed
        queues = internals.send_queues(kafka)
        tps = _partitions_of(topic, partitions)
        appended = []
        headers = headers or []
        for key, value, timestamp_ms in records:
            tp = tps[_positive_hash(key) % partitions]
            queue = queues.get(tp)
            batch = self._newest.get(tp)
            if (
                not queue
                or not batch
                or queue[-1] is not batch.queued
                or not batch.builder.append(
                    timestamp=timestamp_ms, key=key, value=value, headers=headers
                )
            ):
                batch = self._new_batch(kafka, tp)
                batch.builder.append(timestamp=timestamp_ms, key=key, value=value, headers=headers)
            appended.append((batch, batch.count))
            batch.count += 1
        return appended

    def _new_batch(self, kafka: AIOKafkaProducer, tp: TopicPartition) -> ProducerBatch:
        builder = kafka.create_batch()
        queued = internals.append_batch(kafka, builder, tp)
        batch = self._newest[tp] = ProducerBatch(builder, queued)
        queued.future.add_done_callback(partial(self._settle, batch, kafka))
        return batch

    def _settle(
        self, batch: ProducerBatch, kafka: AIOKafkaProducer, result: "asyncio.Future[Any]"
    ) -> None:
        batch.settle(result)
        if batch.error:
            self._producer().send_failed(kafka)
            internals.retrieve_drain_error(batch.queued)
        self._on_settled(batch)

    def known_partitions(self, topic: str) -> int:
        """Return a topic's number of partitions, 0 if its metadata is not loaded.

        Raises NotReady.
        """
        return len(self._producer().kafka.client.cluster.partitions_for_topic(topic) or ())

    async def ask_partitions(self, topic: str) -> int:
        """Ask Kafka for a topic's number of partitions. Raises NotReady and KafkaError."""
        return len(await self._producer().kafka.partitions_for(topic))


@lru_cache
def _partitions_of(topic: str, partitions: int) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(partitions)]


@lru_cache(HASHES_KEPT)
def _positive_hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF
