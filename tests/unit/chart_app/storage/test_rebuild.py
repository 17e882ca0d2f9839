import random
from decimal import Decimal

import pytest

from chart_app.model.candles import Candle, CandleKey, Tick, fold, fold_coin
from chart_app.model.intervals import DAY_MS, MINUTE_MS, Interval
from chart_app.storage.rebuild import Difference, Recomputation, compare
from chart_app.storage.recomputation import END

#: 2023-04-30, a Sunday.
START = 1_682_812_800_000
KEY = CandleKey("BTC", Interval.M1, START)


def tick(time: int, price: str = "1", amount: str = "1") -> Tick:
    """Return a trade so many ms after the start."""
    return Tick(START + time, time, time, Decimal(price), Decimal(amount))


def candle(*prices: str) -> Candle:
    """Return the candle of trades at these prices."""
    return fold(tick(number, price) for number, price in enumerate(prices))


def test_candles_that_are_the_same_do_not_differ() -> None:
    stored = {KEY: candle("1.0", "2")}
    computed = {KEY: candle("1", "2.00")}
    assert list(compare(stored, computed)) == []


def test_each_kind_of_difference_is_found() -> None:
    missing, superfluous, wrong, right = (KEY._replace(open_time=time) for time in range(4))
    stored = {superfluous: candle("1"), wrong: candle("2"), right: candle("3")}
    computed = {missing: candle("1"), wrong: candle("2", "4"), right: candle("3")}
    assert list(compare(stored, computed)) == [
        Difference(missing, None, candle("1")),
        Difference(superfluous, candle("1"), None),
        Difference(wrong, candle("2"), candle("2", "4")),
    ]


def test_a_wrong_candle_is_reported_by_its_fields() -> None:
    stored = candle("2.0", "1.5")
    difference = Difference(KEY, stored, stored._replace(volume=Decimal("7E-7"), trades=3))
    assert str(difference) == (
        "BTC 1m 2023-04-30T00:00:00.000Z wrong: volume 2 → 0.0000007, trades 2 → 3"
    )


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_candle_without_a_counterpart_is_reported_whole(is_stored: bool) -> None:
    it = candle("2", "3")
    difference = Difference(KEY, it, None) if is_stored else Difference(KEY, None, it)
    kind = "superfluous" if is_stored else "missing"
    assert str(difference) == (
        f"BTC 1m 2023-04-30T00:00:00.000Z {kind}: open 2, high 3, low 2, close 3, volume 2, "
        "quote_volume 5, trades 2, "
        f"first_time {START}, first_sequence 0, first_id 0, "
        f"last_time {START + 1}, last_sequence 1, last_id 1"
    )


def test_a_coin_with_a_blank_in_its_name_is_quoted() -> None:
    difference = Difference(KEY._replace(coin="two words"), None, candle("1"))
    assert str(difference).startswith('"two words" 1m ')


def test_candles_are_the_same_however_the_trades_come_in_chunks() -> None:
    chance = random.Random(1)
    times = sorted(chance.randrange(40 * DAY_MS) for _ in range(2000))
    ticks = [tick(time, str(chance.randrange(1, 100))) for time in times]
    taken: dict[CandleKey, Candle] = {}
    recomputation = Recomputation("BTC")
    for start in range(0, len(ticks), 77):
        chunk = ticks[start : start + 77]
        recomputation.add(chunk)
        for interval in Interval:
            complete = recomputation.pop(interval, interval.open_time(chunk[-1].time))
            assert not complete.keys() & taken.keys()
            taken |= complete
    for interval in Interval:
        taken |= recomputation.pop(interval, END)
    assert taken == {
        CandleKey("BTC", interval, open_time): it for interval, open_time, it in fold_coin(ticks)
    }


def test_a_candle_that_may_still_grow_is_not_taken() -> None:
    recomputation = Recomputation("BTC")
    recomputation.add([tick(0), tick(MINUTE_MS)])
    assert list(recomputation.pop(Interval.M1, START + MINUTE_MS)) == [KEY]
    assert recomputation.pop(Interval.M1, START + MINUTE_MS) == {}
    assert recomputation.pop(Interval.M3, START) == {}
