from decimal import Decimal

import pytest

from chart_app.model.candles import CandleKey, merge
from chart_app.model.intervals import Interval
from chart_app.storage.write_batch import Change, together
from tests.unit.chart_app.live.changes import change

ONE = change("BTC").size
KEY = CandleKey("BTC", Interval.M1, 0)


@pytest.mark.parametrize(
    ("size", "sizes"),
    [(0, [1, 1, 2, 1]), (2 * ONE, [2, 2, 1]), (4 * ONE, [4, 1]), (100 * ONE, [5])],
)
def test_changes_are_joined_up_to_a_size(size: int, sizes: list[int]) -> None:
    changes = [change("BTC"), change("ETH"), change("BTC", "ETH"), change("BTC")]
    joined = list(together(changes, size))
    assert [len(it.trades) for it in joined] == sizes
    assert [coin for it in joined for coin in it.trades.coins] == ["BTC", "ETH"] * 2 + ["BTC"]


def test_of_each_candle_the_last_state_counts() -> None:
    first = change("BTC")
    candle = first.candles[KEY]
    second = Change(first.trades, {KEY: merge(candle, candle)})
    (joined,) = together([first, change("ETH"), second], 100 * ONE)
    assert joined.candles[KEY].volume == Decimal(2)
    assert joined.candles.keys() == {*first.candles, *change("ETH").candles}


def test_changes_of_another_revision_stay_apart() -> None:
    changes = [change("BTC", revision=it) for it in (0, 0, 1, 0)]
    assert [(it.revision, len(it.trades)) for it in together(changes, 100 * ONE)] == [
        (0, 2),
        (1, 1),
        (0, 1),
    ]


def test_of_no_changes_there_are_none() -> None:
    assert list(together([], 1)) == []
