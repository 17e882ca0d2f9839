import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import cast

import pytest

from streaming.http import health
from streaming.http.health import ANSWER_MAX_AGE_S, Pulse
from streaming.kafka.producer import Producer
from tests.waiting import eventually


def test_kafka_is_there_as_long_as_it_answered_lately() -> None:
    now = 100.0
    pulse = Pulse(lambda: None, lambda: now)  # type: ignore[arg-type, return-value]
    assert pulse.check() == "Kafka has not answered yet"
    pulse.answered()
    assert pulse.check() is None
    now += ANSWER_MAX_AGE_S
    assert pulse.check() is None
    now += 0.5
    assert pulse.check() == "Kafka has not answered for 3.5 s"


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PULSE_INTERVAL_S", 0.05)
    monkeypatch.setattr(health, "ANSWER_MAX_AGE_S", 0.1)
    monkeypatch.setattr(health, "HELD_UP_S", 0.5)


class Kafka:
    """A Kafka that answers once, and then as the test says."""

    def __init__(self, then: Callable[[], Awaitable[object]]) -> None:
        self.asked = 0
        self._then = then

    def pulse(self) -> Pulse:
        """Return what asks it."""
        client = SimpleNamespace(send=self._send, get_random_node=lambda: 1)
        return Pulse(lambda: cast(Producer, SimpleNamespace(kafka=SimpleNamespace(client=client))))

    async def _send(self, *_: object) -> None:
        self.asked += 1
        if self.asked > 1:
            await self._then()


@pytest.mark.usefixtures("hurry")
async def test_a_kafka_that_does_not_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def is_logged() -> bool:
        return "Kafka does not answer" in caplog.messages

    async with Kafka(asyncio.Event().wait).pulse():
        await eventually(is_logged, "it is logged")


@pytest.mark.usefixtures("hurry")
async def test_what_holds_this_program_up_is_not_put_down_to_kafka(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def hold_up() -> None:
        if kafka.asked == 2:
            time.sleep(1)  # noqa: ASYNC251 - the event loop, too
            await asyncio.sleep(0.01)

    async def is_asked_again() -> bool:
        return kafka.asked > 3

    kafka = Kafka(hold_up)
    async with kafka.pulse():
        await eventually(is_asked_again, "it is asked again")
    assert "Kafka does not answer" not in caplog.messages
