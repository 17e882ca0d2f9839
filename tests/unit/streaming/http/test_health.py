from streaming.http.health import ANSWER_MAX_AGE_S, Pulse


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
