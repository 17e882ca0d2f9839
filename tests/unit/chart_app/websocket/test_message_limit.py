from chart_app.websocket.message_limit import BURST, MESSAGES_PER_S, MessageLimit


def test_a_burst_is_admitted_and_then_so_many_a_second() -> None:
    limit = MessageLimit()
    assert all(limit.admit(100) for _ in range(BURST))
    assert not limit.admit(100)
    limit = MessageLimit()
    assert all(limit.admit(100) for _ in range(BURST))
    assert all(limit.admit(102) for _ in range(2 * MESSAGES_PER_S))
    assert not limit.admit(102)


def test_who_keeps_to_the_rate_is_always_admitted() -> None:
    limit = MessageLimit()
    assert all(limit.admit(number / MESSAGES_PER_S) for number in range(10 * BURST))
