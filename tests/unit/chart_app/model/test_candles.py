import csv
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import reduce
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chart_app.model.binance.klines import Kline, kline_row
from chart_app.model.candles import (
    Candle,
    CandleKey,
    Mark,
    PublicCandle,
    Tick,
    fill,
    flat,
    flat_between,
    fold,
    fold_coin,
    merge,
    merge_up,
)
from chart_app.model.decimals import EXACT
from chart_app.model.intervals import DAY_MS, MADE_OF, MINUTE_MS, Interval
from chart_app.model.scale import Scale

DATA = Path(__file__).parents[3] / "data"
FULL_MINUTES = 438

Candles = dict[tuple[Interval, int], Candle]


def number(places: int) -> st.SearchStrategy[Decimal]:
    """Return numbers of up to 38 digits with so many places."""
    smallest = max(1, 10 ** (places - 18))
    return st.integers(smallest, 10**38 - 1).map(
        lambda digits: Decimal(digits).scaleb(-places, EXACT)
    )


#: From 10^-18 to 10^18, of up to 38 digits.
numbers = st.integers(20, 55).flatmap(number)
#: Close together, so that trades share times, minutes and sequences.
ticks = st.builds(
    Tick,
    time=st.integers(0, 3 * DAY_MS) | st.integers(0, 3 * MINUTE_MS) | st.integers(0, 3),
    sequence=st.integers(0, 5),
    id=st.integers(0, 2**53),
    price=numbers,
    amount=numbers,
)
tick_lists = st.lists(ticks, min_size=1, max_size=30, unique_by=lambda tick: tick.id)


def tick(time: int, price: str, amount: str = "1", sequence: int = 0, id_: int = 0) -> Tick:
    """Return a trade."""
    return Tick(time, sequence, id_, Decimal(price), Decimal(amount))


def all_candles(trades: Iterable[Tick]) -> Candles:
    """Return every candle of trades by interval and open time."""
    return {(interval, open_time): candle for interval, open_time, candle in fold_coin(trades)}


def union(one: Candles, other: Candles) -> Candles:
    """Return what a store holds after two batches."""
    merged = dict(one)
    for key, candle in other.items():
        merged[key] = merge(merged[key], candle) if key in merged else candle
    return merged


def test_a_candle_of_one_trade() -> None:
    candle = fold([tick(1, "2.50", "3")])
    assert candle.open == candle.high == candle.low == candle.close == Decimal("2.50")
    assert candle.volume == 3
    assert candle.quote_volume == Decimal("7.50")
    assert candle.trades == 1


def test_open_and_close_go_by_time_then_sequence_then_id() -> None:
    trades = [
        tick(2, "20", sequence=1, id_=9),
        tick(1, "12", sequence=3, id_=1),
        tick(2, "22", sequence=1, id_=10),
        tick(1, "11", sequence=2, id_=5),
    ]
    for order in itertools.permutations(trades):
        candle = fold(order)
        assert candle.open == 11
        assert candle.close == 22


@given(tick_lists, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(trades: list[Tick], random: Random) -> None:
    shuffled = list(trades)
    random.shuffle(shuffled)
    assert all_candles(shuffled) == all_candles(trades)


@given(tick_lists, st.data())
def test_the_batches_of_arrival_do_not_matter(trades: list[Tick], data: st.DataObject) -> None:
    where = data.draw(st.lists(st.integers(0, len(trades)), max_size=5).map(sorted))
    cuts = [0, *where, len(trades)]
    batches = [trades[start:end] for start, end in itertools.pairwise(cuts) if start < end]
    assert reduce(union, map(all_candles, batches), Candles()) == all_candles(trades)


@given(tick_lists)
def test_merging_up_the_ladder_is_folding_directly(trades: list[Tick]) -> None:
    groups: dict[tuple[Interval, int], list[Tick]] = defaultdict(list)
    for interval in Interval:
        for it in trades:
            groups[interval, interval.open_time(it.time)].append(it)
    assert all_candles(trades) == {key: fold(group) for key, group in groups.items()}


@given(tick_lists)
def test_every_trade_is_in_one_candle_of_every_interval(trades: list[Tick]) -> None:
    counts: dict[Interval, int] = defaultdict(int)
    for (interval, _), candle in all_candles(trades).items():
        counts[interval] += candle.trades
    assert counts == dict.fromkeys(Interval, len(trades))


@given(tick_lists)
def test_open_and_close_lie_between_low_and_high(trades: list[Tick]) -> None:
    for candle in all_candles(trades).values():
        assert candle.low <= candle.open <= candle.high
        assert candle.low <= candle.close <= candle.high


@given(tick_lists)
def test_sums_are_exact(trades: list[Tick]) -> None:
    candle = fold(trades)
    places = 55
    amounts = [int(it.amount.scaleb(places, EXACT)) for it in trades]
    prices = [int(it.price.scaleb(places, EXACT)) for it in trades]
    assert int(candle.volume.scaleb(places, EXACT)) == sum(amounts)
    products = sum(price * amount for price, amount in zip(prices, amounts, strict=True))
    assert int(candle.quote_volume.scaleb(2 * places, EXACT)) == products


def test_the_largest_and_the_smallest_numbers_lose_no_digit() -> None:
    largest = Decimal("999999999999999999.99999999999999999999")
    smallest = Decimal("0.0000000000000000010000000000000000000000000000000000001")
    candle = fold(
        [tick(1, f"{largest}", f"{largest}"), tick(2, f"{smallest}", f"{smallest}", id_=1)]
    )
    assert EXACT.subtract(candle.volume, largest) == smallest
    rest = EXACT.subtract(candle.quote_volume, EXACT.multiply(largest, largest))
    assert rest == EXACT.multiply(smallest, smallest)


def test_a_longer_candle_is_merged_of_shorter_ones() -> None:
    minutes = {
        0: fold([tick(0, "1")]),
        60_000: fold([tick(60_000, "5")]),
        180_000: fold([tick(180_000, "2")]),
    }
    merged = merge_up(minutes, Interval.M3)
    assert list(merged) == [0, 180_000]
    assert merged[0].open == 1
    assert merged[0].high == merged[0].close == 5
    assert merged[180_000] == minutes[180_000]
    assert MADE_OF[Interval.M3] is Interval.M1


def filled(
    minutes: Mapping[int, str], start: int, end: int, previous: str | None = None
) -> list[tuple[int, str, int]]:
    """Return (minute, close, trades) of one-minute candles after filling."""
    candles = [(minute * MINUTE_MS, fold([tick(0, price)])) for minute, price in minutes.items()]
    close = None if previous is None else Decimal(previous)
    return [
        (open_time // MINUTE_MS, str(candle.close), candle.trades)
        for open_time, candle in fill(
            candles, range(start * MINUTE_MS, end * MINUTE_MS, MINUTE_MS), close
        )
    ]


def test_empty_buckets_are_flat_at_the_last_close() -> None:
    assert filled({1: "5", 4: "7"}, 1, 6) == [
        *((1, "5", 1), (2, "5", 0), (3, "5", 0)),
        *((4, "7", 1), (5, "7", 0)),
    ]


def test_there_is_nothing_before_the_first_trade() -> None:
    assert filled({2: "5"}, 0, 4) == [(2, "5", 1), (3, "5", 0)]
    assert filled({}, 0, 4) == []


def test_the_close_before_the_start_fills_what_is_empty_at_first() -> None:
    assert filled({1: "5"}, 0, 2, previous="3") == [(0, "3", 0), (1, "5", 1)]


def test_a_flat_candle_has_one_price_and_no_volume() -> None:
    candle = flat(60_000, Decimal("1.5"))
    assert candle.open == candle.high == candle.low == candle.close == Decimal("1.5")
    assert candle.volume == candle.quote_volume == candle.trades == 0
    assert candle.first == candle.last == (60_000, 0, -1, Decimal("1.5")), "no trade has such an id"
    shown = PublicCandle.of(CandleKey("BTC", Interval.M1, 60_000), candle)
    row = kline_row(Kline(shown, 120_000, Scale(1, 0)))
    assert row == [60_000, *["1.5"] * 4, "0", 119_999, "0.0", 0, "0", "0.0", "0"]


def test_a_row_of_klines_has_its_fields_in_binances_order() -> None:
    first, last = Mark(0, 1, 1, Decimal(2)), Mark(9, 2, 2, Decimal(3))
    amounts = (Decimal(5), Decimal("13.5"))
    candle = Candle(first, last, Decimal(4), Decimal(1), *amounts, trades=2)
    shown = PublicCandle.of(CandleKey("BTC", Interval.M1, 0), candle)
    row = kline_row(Kline(shown, 60_000, Scale(2, 1)))
    prices = ["2.00", "4.00", "1.00", "3.00"]
    assert row == [0, *prices, "5.0", 59_999, "13.500", 2, "0.0", "0.000", "0"]


@given(st.dictionaries(st.integers(0, 20), numbers.map(str), max_size=10))
def test_filling_leaves_no_hole_and_changes_no_candle(minutes: dict[int, str]) -> None:
    found = filled(minutes, 0, 21)
    assert [minute for minute, _, _ in found] == list(range(min(minutes, default=21), 21))
    traded = {minute: close for minute, close, trades in found if trades}
    assert traded == minutes


def test_buckets_without_trades_left_are_at_the_close_before() -> None:
    candle = fold([Tick(0, 0, 0, Decimal(2), Decimal(1)), Tick(1, 1, 1, Decimal(3), Decimal(1))])

    def closes(known: list[tuple[int, Candle]], before: Decimal | None) -> list[Decimal]:
        return [it.close for _, it in flat_between([10, 30], known, before)]

    assert closes([(20, candle)], Decimal(1)) == [1, 3]
    assert closes([(20, candle)], None) == [2, 3]
    assert closes([(20, candle), (40, candle)], None) == [2, 3]
    assert closes([], Decimal(7)) == [7, 7]
    assert closes([], None) == [0, 0]


def ms(text: str) -> int:
    """Return a time of ISO 8601 in ms."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def hitbtc(name: str) -> list[dict[str, str]]:
    """Return the rows of a file of HitBTC's."""
    with (DATA / f"hitbtc_{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_hitbtc_trades_give_the_candles_that_hitbtc_published() -> None:
    trades: dict[str, list[Tick]] = defaultdict(list)
    for row in hitbtc("trades"):
        id_ = int(row["id"])
        trades[row["symbol"]].append(
            Tick(ms(row["timestamp"]), id_, id_, Decimal(row["price"]), Decimal(row["quantity"]))
        )
    published = {
        (row["symbol"], ms(row["timestamp"])): tuple(
            Decimal(row[name])
            for name in ("open", "high", "low", "close", "volume", "volume_quote")
        )
        for row in hitbtc("candles_1m")
    }
    compared = 0
    for symbol, ticks_of_symbol in trades.items():
        minutes = [it for it in fold_coin(ticks_of_symbol) if it[0] is Interval.M1]
        # The capture began in the middle of each symbol's first minute.
        for _, open_time, it in sorted(minutes, key=lambda minute: minute[1])[1:]:
            ours = (it.open, it.high, it.low, it.close, it.volume, it.quote_volume)
            assert ours == published[symbol, open_time]
            compared += 1
    assert compared == FULL_MINUTES


def test_a_fold_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        fold([])
