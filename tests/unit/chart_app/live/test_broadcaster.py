import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, cast

import pytest
from aiokafka.errors import KafkaTimeoutError

from chart_app.live import broadcaster, messages
from chart_app.live.broadcaster import Broadcaster
from chart_app.live.gaps import Span
from chart_app.storage.write_batch import Change
from streaming.kafka.producer import Producer
from tests.unit.chart_app.live.changes import change
from tests.waiting import PATIENCE_S, eventually

WORKER_ID = b"of this worker"


class Kafka:
    """Takes messages, or does not answer, or fails."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, bytes]] = []
        self.error: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        self.replaced = 0

    @property
    def kafka(self) -> "Kafka":
        """Play the producer, too."""
        return self

    def send_failed(self, _: Any) -> None:
        """Count."""
        self.replaced += 1

    async def within(self, limit_s: float, _: Any, work: Coroutine[Any, Any, None]) -> None:
        """Wait as the producer does."""
        await asyncio.wait_for(work, limit_s)

    async def send(
        self, _: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]
    ) -> "asyncio.Future[None]":
        """Take a message."""
        assert headers == [(messages.WORKER_HEADER, WORKER_ID)]
        await self.answers.wait()
        sent = asyncio.get_running_loop().create_future()
        if self.error:
            sent.set_exception(self.error)
        else:
            self.taken.append((key, value))
            sent.set_result(None)
        return sent


class Clock:
    """Tells the time that it is told."""

    now = 0.0

    def __call__(self) -> float:
        """Tell the time (s)."""
        return self.now


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def it(
    kafka: Kafka, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Broadcaster]:
    """Return a broadcaster that runs."""
    monkeypatch.setattr(broadcaster, "SEND_TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr(broadcaster, "STOP_TIMEOUT_S", 0.05)
    monkeypatch.setattr(broadcaster, "PROBE_INTERVAL_S", 0.05)
    it = Broadcaster("live", WORKER_ID, lambda: cast(Producer, kafka), clock)
    await it.start()
    yield it
    await it.stop()


async def taken(kafka: Kafka, count: int) -> list[bytes]:
    """Wait for so many messages; return their keys."""

    async def enough() -> bool:
        return len(kafka.taken) >= count

    await eventually(enough, f"{count} messages")
    return [key for key, _ in kafka.taken]


async def test_what_is_covered_is_said_after_the_messages(it: Broadcaster, kafka: Kafka) -> None:
    it.put(change("BTC", "ETH"), [Span(0, 0, 1), Span(1, 0, 1)])
    assert await taken(kafka, 3) == [b"BTC", b"ETH", messages.SPANS_KEY]
    assert messages.decode_spans(kafka.taken[-1][1]) == [Span(0, 0, 1), Span(1, 0, 1)]


async def test_offsets_without_a_trade_are_covered_too(it: Broadcaster, kafka: Kafka) -> None:
    it.put(Change(), [Span(0, 0, 1)])
    assert await taken(kafka, 1) == [messages.SPANS_KEY]


async def test_what_waits_is_sent_together(it: Broadcaster, kafka: Kafka) -> None:
    kafka.answers.clear()
    for number in range(3):
        it.put(change("BTC", *["ETH"][number:]), [Span(0, number, number + 1)])
    kafka.answers.set()
    assert await taken(kafka, 3) == [b"BTC", b"ETH", messages.SPANS_KEY]
    assert [len(messages.decode(value).trades) for _, value in kafka.taken[:2]] == [3, 1]
    assert messages.decode_spans(kafka.taken[2][1]) == [Span(0, it, it + 1) for it in range(3)]


async def test_what_kafka_does_not_take_is_not_said_to_be_covered(
    it: Broadcaster, kafka: Kafka
) -> None:
    kafka.error = KafkaTimeoutError()
    it.put(change("BTC"), [Span(0, 0, 1)])

    async def failed() -> bool:
        return kafka.replaced > 0

    await eventually(failed, "the producer is replaced")
    kafka.error = None
    it.put(change("BTC"), [Span(0, 1, 2)])
    await taken(kafka, 2)
    assert [
        messages.decode_spans(value) for key, value in kafka.taken if key == messages.SPANS_KEY
    ] == [[Span(0, 1, 2)]]


async def test_that_readers_wait_is_said_after_a_while(
    it: Broadcaster,
    kafka: Kafka,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broadcaster, "SEND_TIMEOUT_S", 0.05)
    caplog.set_level("INFO")
    kafka.answers.clear()
    assert it.warning() is None
    for seconds in range(3):
        clock.now = 10.0 * seconds
        it.put(change("BTC"), [Span(0, 0, 1)])
        await asyncio.sleep(0.2)
    assert "readers are served late" in (it.warning() or "")
    assert sum("readers are served late" in line for line in caplog.messages) == 1
    kafka.answers.set()

    async def fine() -> bool:
        return it.warning() is None

    await eventually(fine, "Kafka takes it again, without another trade")
    assert "Kafka accepts live messages again" in caplog.messages


async def test_storing_does_not_wait_and_what_waits_is_bounded(
    it: Broadcaster, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "MAX_WAITING", 100)
    kafka.answers.clear()
    for number in range(1000):
        it.put(change("BTC"), [Span(0, number, number + 1)])
    assert it._size <= 100 + change("BTC").size


async def test_what_waits_at_the_end_is_sent(kafka: Kafka, clock: Clock) -> None:
    it = Broadcaster("live", WORKER_ID, lambda: cast(Producer, kafka), clock)
    await it.start()
    it.put(change("BTC"), [Span(0, 0, 1)])
    await it.stop()
    assert [key for key, _ in kafka.taken] == [b"BTC", messages.SPANS_KEY]


async def test_the_end_does_not_wait_for_kafka(it: Broadcaster, kafka: Kafka) -> None:
    kafka.answers.clear()
    it.put(change("BTC"), [Span(0, 0, 1)])
    await asyncio.wait_for(it.stop(), 60)
