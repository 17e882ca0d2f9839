"""Faust's thread for the consumer is none: all of it runs on the app's event loop."""

import asyncio
import threading
from unittest.mock import AsyncMock

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streaming import internals
from streaming.kafka.consumer import Consumer


@pytest.fixture
def kafka() -> AsyncMock:
    """Return what stands for aiokafka's consumer."""
    return AsyncMock()


@pytest.fixture
async def thread(
    our_consumer: Consumer, kafka: AsyncMock, monkeypatch: pytest.MonkeyPatch
) -> AIOKafkaConsumerThread:
    thread = internals.consumer_thread(our_consumer)
    monkeypatch.setattr(thread, "_create_consumer", lambda loop: kafka)  # noqa: ARG005
    return thread


async def current() -> tuple[object, threading.Thread]:
    return asyncio.get_running_loop(), threading.current_thread()


async def test_it_runs_on_the_event_loop_and_starts_no_thread(
    thread: AIOKafkaConsumerThread, kafka: AsyncMock
) -> None:
    other = asyncio.create_task(asyncio.sleep(60))
    threads = threading.active_count()
    await thread.start()
    kafka.start.assert_awaited_once()
    assert threading.active_count() == threads
    assert await thread.call_thread(current) == await current()
    kafka.stop.assert_not_awaited()
    await thread.stop()
    kafka.stop.assert_awaited_once()
    await asyncio.sleep(0)
    assert not other.done()
    other.cancel()


async def test_what_keeps_it_from_starting_is_raised(
    thread: AIOKafkaConsumerThread, kafka: AsyncMock, capfd: pytest.CaptureFixture[str]
) -> None:
    kafka.start.side_effect = ConnectionError("no broker")
    with pytest.raises(ConnectionError, match="no broker"):
        await thread.start()
    assert "no broker" in capfd.readouterr().err
    await thread.stop()
