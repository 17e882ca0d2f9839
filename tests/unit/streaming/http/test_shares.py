from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from streaming.http.shares import Shares


def test_one_client_has_a_quarter_and_another_a_quarter_of_the_rest() -> None:
    shares = Shares(160)
    assert shares.take("a", 40)
    assert not shares.take("a", 1)
    assert shares.take("b", 30)
    assert not shares.take("b", 1)
    shares.give_back("a", 20)
    assert not shares.take("a", 13)
    assert shares.take("a", 12)


def test_who_holds_more_than_its_share_now_is_takes_no_more() -> None:
    shares = Shares(100)
    assert shares.of("a").take(25)
    assert shares.of("b").take(10)
    assert not shares.of("a").take(1)
    shares.of("a").give_back(25)
    assert not shares.of("a").take(23)
    assert shares.of("a").take(22)


def test_who_gave_all_back_is_forgotten() -> None:
    shares = Shares(10)
    for number in range(100):
        assert shares.take(str(number), 2)
        shares.give_back(str(number), 2)
    assert shares._held == {}


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 300), st.booleans())))
def test_of_n_clients_each_leaves_three_quarters_of_the_rest(
    steps: list[tuple[str, int, bool]],
) -> None:
    limit = 1000
    shares = Shares(limit)
    held: Counter[str] = Counter()
    for client, amount, is_taking in steps:
        if is_taking:
            if shares.take(client, amount):
                held[client] += amount
        elif held[client] >= amount:
            shares.give_back(client, amount)
            held[client] -= amount
        clients = len(+held)
        assert (limit - held.total()) * 4**clients >= limit * 3**clients
    quarter = (limit - held.total()) // 4
    assert shares.take("newcomer", quarter)
