"""Candles: folding trades, merging candles, merging them up the ladder, filling gaps. Pure.

Numbers are exact: sums and products are taken in a context with room for every digit that
traps Inexact, where Python's own rounds at 28 digits silently, so that a sum would depend on
its order. Within a bucket trades are ordered by (time, sequence, id), whatever the order of
their arrival: exchanges put several trades into one millisecond, and only their ids tell.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation, localcontext
from typing import NamedTuple

import records
from chart_app.model.intervals import MADE_OF, MINUTE_MS, Interval

#: The product of a price and an amount has up to 36 digits before the point and, where both are
#: near 10^-18 and have 38 digits, 110 behind it. A sum of 10^20 of the largest and smallest fits.
EXACT = Context(prec=200, traps=[Inexact, InvalidOperation])
_multiply = EXACT.multiply
_ZERO = Decimal(0)


class Tick(NamedTuple):
    """A trade of a coin as its candle sees it; ticks sort in the order of trading.

    time:      ms since the epoch.
    sequence:  see :func:`sequence`.
    id:        the store's number of the trade, which grows with the offset.
    """

    time: int
    sequence: int
    id: int
    price: Decimal
    amount: Decimal


#: A tick without the names, or with them: many are made in a third of the time without.
PlainTick = tuple[int, int, int, Decimal, Decimal]


def sequence(trade_id: str | None, offset: int) -> int:
    """Return a trade's place in its millisecond: its id if a whole number, else its offset."""
    number = records.as_integer(trade_id)
    return offset if number is None else number


class Mark(NamedTuple):
    """What a candle keeps of its first and of its last trade. Sorts as the tick does."""

    time: int
    sequence: int
    id: int
    price: Decimal


class Candle(NamedTuple):
    """The trades of one coin in one bucket of time.

    ``first`` and ``last`` are its first and last trades; their prices are open and close.
    """

    first: Mark
    last: Mark
    high: Decimal
    low: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int

    @property
    def open(self) -> Decimal:
        """Return the price of the first trade."""
        return self.first.price

    @property
    def close(self) -> Decimal:
        """Return the price of the last trade."""
        return self.last.price


class CandleKey(NamedTuple):
    """Which candle: the coin, its interval, and when its bucket begins (ms)."""

    coin: str
    interval: Interval
    open_time: int


def fold(ticks: Iterable[PlainTick]) -> Candle:
    """Return the candle of at least one trade."""
    ordered = sorted(ticks)
    _, _, _, prices, amounts = zip(*ordered, strict=True)
    with localcontext(EXACT):
        return Candle(
            Mark(*ordered[0][:4]),
            Mark(*ordered[-1][:4]),
            max(prices),
            min(prices),
            sum(amounts, _ZERO),
            sum(map(_multiply, prices, amounts), _ZERO),
            len(ordered),
        )


def merge(one: Candle, other: Candle) -> Candle:
    """Return the candle of the trades of both."""
    return Candle(
        min(one.first, other.first),
        max(one.last, other.last),
        max(one.high, other.high),
        min(one.low, other.low),
        EXACT.add(one.volume, other.volume),
        EXACT.add(one.quote_volume, other.quote_volume),
        one.trades + other.trades,
    )


def fold_coin(ticks: Iterable[PlainTick]) -> Iterator[tuple[Interval, int, Candle]]:
    """Yield (interval, open time, candle) for every candle the trades of a coin belong to.

    The trades are folded once, into minutes; those are merged up the ladder of intervals.
    """
    minutes: dict[int, list[PlainTick]] = defaultdict(list)
    for tick in ticks:
        minutes[tick[0] // MINUTE_MS].append(tick)
    rungs = {Interval.M1: {minute * MINUTE_MS: fold(group) for minute, group in minutes.items()}}
    for interval, source in MADE_OF.items():
        rungs[interval] = merge_up(rungs[source], interval)
    for interval, rung in rungs.items():
        for open_time, candle in rung.items():
            yield interval, open_time, candle


def merge_up(candles: Mapping[int, Candle], interval: Interval) -> dict[int, Candle]:
    """Return the candles of a longer interval, by open time."""
    merged: dict[int, Candle] = {}
    for time, candle in candles.items():
        open_time = interval.open_time(time)
        known = merged.get(open_time)
        merged[open_time] = candle if known is None else merge(known, candle)
    return merged


def flat(open_time: int, close: Decimal) -> Candle:
    """Return the candle of a bucket without trades: at the last close, of no volume."""
    nothing = Mark(open_time, 0, -1, close)
    return Candle(nothing, nothing, close, close, _ZERO, _ZERO, 0)


def fill(
    candles: Iterable[tuple[int, Candle]],
    interval: Interval,
    start: int,
    end: int,
    previous: Decimal | None,
) -> Iterator[tuple[int, Candle]]:
    """Yield a candle for every bucket from ``start`` to before ``end``.

    ``previous`` is the close before ``start``; until there is one, empty buckets stay empty.
    """
    known = dict(candles)
    for open_time in interval.open_times(start, end):
        candle = known.get(open_time)
        if candle is None and previous is not None:
            candle = flat(open_time, previous)
        if candle is not None:
            previous = candle.close
            yield open_time, candle
