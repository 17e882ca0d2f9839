from types import SimpleNamespace
from typing import cast

import pytest

from streaming.deadlines import HELD_UP_S
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


class Kafka:
    """A Kafka that answers each request but the second, which is ended after some time (s)."""

    def __init__(self, second_took_s: float) -> None:
        self.asked = 0
        self._second_took_s = second_took_s
        self.now = 100.0

    def pulse(self) -> Pulse:
        """Return what asks it, by a clock that stands still but for that time."""
        client = SimpleNamespace(send=self._send, get_random_node=lambda: 1)
        producer = cast(Producer, SimpleNamespace(kafka=SimpleNamespace(client=client)))
        return Pulse(lambda: producer, lambda: self.now)

    async def _send(self, *_: object) -> None:
        self.asked += 1
        if self.asked == 2:
            self.now += self._second_took_s
            raise TimeoutError


@pytest.mark.parametrize(("late_s", "is_logged"), [(0.1, True), (HELD_UP_S + 0.1, False)])
async def test_what_holds_this_program_up_is_not_put_down_to_kafka(
    late_s: float,
    is_logged: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(health, "PULSE_INTERVAL_S", 0.01)
    kafka = Kafka(ANSWER_MAX_AGE_S + late_s)

    async def is_asked_again() -> bool:
        return kafka.asked > 3

    async with kafka.pulse():
        await eventually(is_asked_again, "it is asked again")
    assert ("Kafka does not answer" in caplog.messages) is is_logged


async def test_a_program_is_ready_that_was_held_up_and_has_not_asked_again_yet() -> None:
    kafka = Kafka(0)
    pulse = kafka.pulse()

    async def has_answered() -> bool:
        return pulse.check() is None

    async with pulse:
        await eventually(has_answered, "Kafka has answered")
        kafka.now += 100
        assert pulse.check() is None
