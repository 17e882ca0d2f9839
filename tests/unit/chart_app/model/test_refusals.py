from decimal import Decimal
from math import inf

from chart_app.model.refusals import Numbers, Reason, find_conflicts, refuse_coins
from chart_app.model.trades import StoredTrade, Trades


def reasons(
    *coins: str, known: dict[str, str] | None = None, count: int = 0, max_coins: float = inf
) -> dict[str, Reason]:
    """Return the reasons for which new coins are refused."""
    refused = refuse_coins(coins, known or {}, count, max_coins)
    assert all(it.detail.startswith("coinName: ") for it in refused.values())
    return {coin: it.reason for coin, it in refused.items()}


def test_new_coins_are_taken() -> None:
    assert reasons("BTC", "ETH") == {}


def test_a_coin_that_differs_only_in_case_from_a_known_or_an_earlier_one_is_refused() -> None:
    assert reasons("btc", "ETH", "eth", known={"btc": "BTC"}) == {
        "btc": Reason.CASE,
        "eth": Reason.CASE,
    }
    assert reasons("straße", "STRASSE", "ΣΊΣ", "σίς") == {
        "STRASSE": Reason.CASE,
        "σίς": Reason.CASE,
    }


def test_there_are_as_many_coins_as_there_may_be() -> None:
    assert reasons("a", "b", "c", count=1, max_coins=3) == {"c": Reason.MAX_COINS}
    assert reasons("a", count=5, max_coins=3) == {"a": Reason.MAX_COINS}


def test_a_refused_coin_takes_no_room() -> None:
    assert reasons("btc", "a", "b", known={"btc": "BTC"}, count=1, max_coins=2) == {
        "btc": Reason.CASE,
        "b": Reason.MAX_COINS,
    }


def trade(id_: int, sender_id: str | None, price: str, amount: str, coin: str = "BTC") -> Trades:
    numbers = (Decimal(price), Decimal(amount))
    return Trades.of([StoredTrade(coin, id_, id_, id_, *numbers, sender_id, id_, price, amount)])


def test_other_numbers_are_a_conflict_and_the_same_value_is_none() -> None:
    trades = Trades.joined(
        [
            trade(1, "a", "1.0", "2"),
            trade(2, "a", "1", "2.00"),
            trade(3, "a", "1.01", "2"),
            trade(4, "a", "1", "3"),
            trade(5, "a", "2", "1"),
            trade(6, "a", "9", "9", "ETH"),
            trade(7, "b", "9", "9"),
            trade(8, None, "9", "9"),
        ]
    )
    stored: Numbers = {
        ("BTC", "a"): (Decimal("1.00"), Decimal(2)),
        ("ETH", "a"): (Decimal(9), Decimal(9)),
    }
    found = find_conflicts(trades, stored)
    assert list(found) == [3, 4, 5]
    assert found[3] == (
        Reason.CONFLICT,
        "tradeId: is that of another trade of this coin, of price 1.00 and numOfCoin 2",
    )
