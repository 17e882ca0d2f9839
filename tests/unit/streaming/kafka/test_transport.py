import asyncio
from typing import cast
from unittest.mock import AsyncMock, MagicMock

import pytest
from aiokafka.errors import ProducerClosed
from aiokafka.record.default_records import DefaultRecord
from faust.tables.manager import TableManager
from faust.types import TP

from streaming.app import App
from streaming.kafka.batch import Batch, Batches, Fetched
from streaming.kafka.consumer import Consumer
from streaming.kafka.producer import Producer

FIRST, SECOND = TP("tradeData", 0), TP("tradeData", 1)


@pytest.fixture
async def consumer(our_consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> Consumer:
    """Return the consumer of two partitions, each with a record to fetch."""
    partitions = {FIRST, SECOND}
    fetched = {tp: Fetched([DefaultRecord(7, 0, 0, None, b"", [])], 7) for tp in partitions}
    monkeypatch.setattr(our_consumer, "_wait_next_records", AsyncMock(return_value=(fetched, None)))
    monkeypatch.setattr(our_consumer, "highwater", lambda _: 8)
    return our_consumer


async def fetch(consumer: Consumer) -> Batches:
    """Fetch once; return the batches of the event."""
    events = [cast(Batches, message.value) async for _, message in consumer.getmany(0)]
    assert len(events) <= 1
    return events[0] if events else []


async def test_a_full_buffer_stops_the_fetching_of_all_partitions_until_it_has_room(
    consumer: Consumer,
) -> None:
    consumer.on_buffer_full(FIRST)
    consumer.on_buffer_full(SECOND)
    fetching = asyncio.create_task(fetch(consumer))
    for partition in (FIRST, SECOND):
        await asyncio.sleep(0.05)
        assert not fetching.done()
        consumer.on_buffer_drop(partition)
    assert {TP(it.topic, it.partition) for it in await asyncio.wait_for(fetching, 5)} == {
        FIRST,
        SECOND,
    }


async def test_a_consumer_that_ends_does_not_wait_for_room(consumer: Consumer) -> None:
    consumer.on_buffer_full(FIRST)
    fetching = asyncio.create_task(fetch(consumer))
    await asyncio.sleep(0.05)
    consumer.set_shutdown()
    consumer._stopped.set()
    await asyncio.wait_for(fetching, 5)


async def test_no_fetch_begins_during_a_seek(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it could return records from after the seek that count as fetched before it."""
    in_progress, end = asyncio.Event(), asyncio.Event()

    async def seek() -> dict[TP, int]:
        in_progress.set()
        await end.wait()
        return {}

    monkeypatch.setattr(consumer, "_seek_to_start", seek)
    seeking = asyncio.create_task(consumer.seek_back())
    await in_progress.wait()
    fetching = asyncio.create_task(fetch(consumer))
    await asyncio.sleep(0.05)
    assert not fetching.done()
    end.set()
    await seeking
    batches = await asyncio.wait_for(fetching, 5)
    assert [consumer.is_stale(batch) for batch in batches] == [False, False]


async def test_a_seek_during_a_fetch_is_followed_by_another(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = await consumer._wait_next_records(0)
    seeks = AsyncMock(return_value={})

    async def wait_next_records(_: float) -> object:
        await consumer.seek_back()
        return fetched

    monkeypatch.setattr(consumer, "_seek_to_start", seeks)
    monkeypatch.setattr(consumer, "_wait_next_records", wait_next_records)
    assert await fetch(consumer) == []
    assert seeks.await_count == 2


async def test_what_is_fetched_after_a_rebalance_is_not_cleared_from_the_buffer(
    app: App, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rebalances overlap: Faust resumes the flow for the first, and seeks for the second."""
    buffer = app.FlowControlQueue(maxsize=16, clear_on_resume=True)
    app.flow_control.resume()
    consumer.resume_flow()

    waiting = [*await fetch(consumer)]

    async def fill_buffer() -> None:
        if consumer.flow_active:
            while waiting:
                buffer.put_nowait(waiting.pop())

    monkeypatch.setattr(type(app), "consumer", consumer)
    monkeypatch.setattr(app, "_fetcher", AsyncMock())
    monkeypatch.setattr(consumer, "assignment", lambda: {FIRST, SECOND})
    monkeypatch.setattr(consumer, "perform_seek", fill_buffer)
    await cast(TableManager, app.tables).recovery._resume_streams(app.consumer_generation_id)
    await fill_buffer()
    assert buffer.qsize() == 2


def test_a_batch_is_cut_by_the_bytes_of_its_values_too() -> None:
    values = [b"x" * 60, None, b"x" * 60, b"x"]
    batch = Batch("t", 0, [DefaultRecord(n, 0, 0, None, it, []) for n, it in enumerate(values)])
    parts = [[record.offset for record in part] for part in batch.slices(3, 100)]
    assert parts == [[0], [1, 2], [3]]


@pytest.fixture
async def producer(app: App, monkeypatch: pytest.MonkeyPatch) -> Producer:
    """Return a producer whose one of aiokafka is played."""
    producer = app.transport.create_producer()
    assert isinstance(producer, Producer)
    monkeypatch.setattr(producer, "_producer", MagicMock())
    return producer


async def test_a_wait_returns_what_it_waits_for(producer: Producer) -> None:
    async def answer() -> int:
        return 7

    assert await producer.within(60, producer.kafka, answer()) == 7


async def test_a_wait_on_kafka_ends(producer: Producer) -> None:
    forever = asyncio.Event()
    with pytest.raises(TimeoutError):
        await producer.within(0.01, producer.kafka, forever.wait())


async def test_a_wait_does_not_survive_the_producer_it_waits_on(producer: Producer) -> None:
    kafka = producer.kafka
    kafka.stop = AsyncMock()  # type: ignore[method-assign]
    forever = asyncio.Event()
    waiting = asyncio.create_task(producer.within(60, kafka, forever.wait()))
    await asyncio.sleep(0)
    await producer._stop_producer(kafka)
    with pytest.raises(ProducerClosed):
        await waiting
    assert producer._closings == {}


async def test_nobody_waits_on_a_producer_that_was_replaced(producer: Producer) -> None:
    replaced, producer._producer = producer.kafka, MagicMock()
    with pytest.raises(ProducerClosed):
        await producer.within(60, replaced, asyncio.Event().wait())


async def test_a_rebalance_does_not_wait_for_a_topic_that_takes_nothing(
    producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.kafka.producer.FLUSH_TIMEOUT_S", 0.01)
    producer.kafka.flush = asyncio.Event().wait  # type: ignore[method-assign]
    await asyncio.wait_for(producer.flush(), 60)
