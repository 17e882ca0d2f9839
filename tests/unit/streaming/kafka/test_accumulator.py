"""The accumulator on aiokafka's own queues, with a stand-in for the sender."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError, ProducerClosed
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import MessageAccumulator, MessageBatch
from hypothesis import given
from hypothesis import strategies as st

from streaming.kafka.accumulator import Accumulator, ProducerBatch, _positive_hash

PARTITIONS = 4


class FakeProducer:
    """What the accumulator needs of a producer: aiokafka's queues, and who takes from them."""

    def __init__(self, batch_size: int = 1_000) -> None:
        self.queues = MessageAccumulator(None, batch_size, 0, 30)
        self.kafka = SimpleNamespace(
            _message_accumulator=self.queues, create_batch=self.queues.create_builder
        )
        self.failed: list[Any] = []

    def send_failed(self, kafka: Any) -> None:
        """Note it."""
        self.failed.append(kafka)

    def take(self) -> Iterator[MessageBatch]:
        """Take the next batch of each partition, as the sender does."""
        for tp in list(self.queues._batches):
            yield self.queues._pop_batch(tp)


@pytest.fixture
async def producer() -> FakeProducer:
    """Return the stand-in, made while the loop runs."""
    return FakeProducer()


@pytest.fixture
def settled() -> list[ProducerBatch]:
    """Return the list that settled batches go to."""
    return []


@pytest.fixture
def accumulator(producer: FakeProducer, settled: list[ProducerBatch]) -> Accumulator:
    """Return the accumulator under test."""
    return Accumulator(lambda: producer, settled.append)  # type: ignore[arg-type, return-value]


def some(*keys: str) -> list[tuple[bytes, bytes, int]]:
    """Return records with these keys."""
    return [(key.encode(), b"value of " + key.encode(), 1) for key in keys]


async def test_records_that_come_together_share_a_batch(
    accumulator: Accumulator, producer: FakeProducer, settled: list[ProducerBatch]
) -> None:
    first, second, third = accumulator.append("t", 1, some("a", "b", "c"))
    assert first[0] is second[0] is third[0]
    assert [place for _, place in (first, second, third)] == [0, 1, 2]
    (taken,) = producer.take()
    (later,) = accumulator.append("t", 1, some("d"))
    assert later[0] is not first[0], "nothing joins a batch that is on its way"
    waiter = first[0].waiter()
    taken.done(100, -1)
    await waiter
    assert settled == [first[0]]
    assert (first[0].count, first[0].stored and first[0].stored.offset) == (3, 100)
    assert later[0].stored is None


async def test_a_full_batch_is_followed_by_another(
    accumulator: Accumulator, producer: FakeProducer
) -> None:
    places = accumulator.append("t", 1, some(*"abc") * 50)
    batches = list(dict.fromkeys(batch for batch, _ in places))
    assert len(batches) > 2
    assert sum(batch.count for batch in batches) == 150
    queue = producer.queues._batches[TopicPartition("t", 0)]
    assert [batch.queued for batch in batches] == list(queue)
    assert all(batch.builder.size() <= 1_000 for batch in batches)


async def test_what_fails_is_said_and_the_producer_replaced(
    accumulator: Accumulator, producer: FakeProducer, settled: list[ProducerBatch]
) -> None:
    ((batch, _),) = accumulator.append("t", 1, some("a"))
    (taken,) = producer.take()
    waiters = [batch.waiter(), batch.waiter()]
    waiters[0].cancel()
    taken.failure(KafkaTimeoutError())
    await waiters[1]
    assert isinstance(batch.error, KafkaTimeoutError)
    assert settled == [batch]
    assert producer.failed == [producer.kafka]
    assert batch.waiter().done()


async def test_a_producer_that_has_ended_takes_nothing(
    accumulator: Accumulator, producer: FakeProducer
) -> None:
    ((batch, _),) = accumulator.append("t", 1, some("a"))
    producer.queues.fail_all(ProducerClosed())
    await batch.waiter()
    producer.failed.clear()
    with pytest.raises(ProducerClosed):
        accumulator.append("t", 1, some("a"))
    assert producer.failed, "it must be replaced even if nothing was on its way"


@given(st.binary(max_size=80), st.integers(1, 100))
def test_a_key_goes_where_aiokafka_s_own_send_puts_it(key: bytes, partitions: int) -> None:
    numbers = list(range(partitions))
    assert _positive_hash(key) % partitions == DefaultPartitioner()(key, numbers, numbers)
