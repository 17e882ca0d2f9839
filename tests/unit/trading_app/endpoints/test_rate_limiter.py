import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.http.keys import Key, Scope
from trading_app.endpoints import rate_limiter
from trading_app.endpoints.rate_limiter import KeyBuckets, TokenBuckets


def test_a_full_bucket_lets_a_second_s_worth_through() -> None:
    limit = TokenBuckets(10)
    for _ in range(10):
        assert limit.wait_s("a", 100) == 0
        limit.spend("a", 1, 100)
    assert 0 < limit.wait_s("a", 100) <= 0.1
    assert limit.wait_s("a", 100.11) == 0


@pytest.mark.parametrize("per_s", [0.01, 0.5, 1, 1.5, 7, 1e6])
def test_a_client_that_waits_long_enough_may_send_one(per_s: float) -> None:
    limit = TokenBuckets(per_s)
    now = 1e6
    for _ in range(100):
        assert limit.wait_s("a", now) == 0
        limit.spend("a", 1, now)
        if per_s < 2:
            assert limit.wait_s("a", now) > 0
        now += 1 / per_s


def test_a_large_list_is_paid_for_afterwards() -> None:
    limit = TokenBuckets(10)
    limit.spend("a", 100, 0)
    assert limit.wait_s("a", 0) == 9.1
    assert limit.wait_s("a", 5) == 4.1
    assert limit.wait_s("a", 9.1) == 0


def test_clients_do_not_share() -> None:
    limit = TokenBuckets(1)
    limit.spend("a", 10, 0)
    assert limit.wait_s("b", 0) == 0


def test_who_was_silent_for_longest_is_forgotten_first() -> None:
    limit = TokenBuckets(1)
    for number in range(rate_limiter.CLIENTS_MAX):
        limit.spend(str(number), 10, 0)
    limit.spend("0", 1, 0)
    limit.spend("new", 10, 0)
    assert limit.wait_s("1", 0) == 0
    assert limit.wait_s("0", 0) > 0
    assert limit.wait_s("new", 0) > 0


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(1, 50)), max_size=50))
def test_over_any_time_no_more_than_the_rate_and_one_list_gets_through(
    arrivals: list[tuple[float, int]],
) -> None:
    limit = TokenBuckets(10)
    now = 0.0
    sent = 0
    for pause_s, trades in arrivals:
        now += pause_s
        if limit.wait_s("a", now) == 0:
            limit.spend("a", trades, now)
            sent += trades
    assert sent <= 10 * (now + 1) + 50


def key(key_id: str, trades_per_s: float) -> Key:
    return Key(key_id, "", frozenset({Scope.WRITE}), trades_per_s=trades_per_s)


def test_each_key_has_a_bucket_of_its_own_and_a_new_one_with_a_new_rate() -> None:
    buckets = KeyBuckets()
    one = buckets.of(key("a", 1))
    one.spend("a", 10, 0)
    assert buckets.of(key("a", 1)) is one
    assert buckets.of(key("b", 1)) is not one
    assert buckets.of(key("a", 2)).wait_s("a", 0) == 0


def test_buckets_of_keys_are_bounded() -> None:
    buckets = KeyBuckets()
    first = buckets.of(key("first", 1))
    for number in range(rate_limiter.CLIENTS_MAX):
        buckets.of(key(str(number), 1))
    assert buckets.of(key("first", 1)) is not first
