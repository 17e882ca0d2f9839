"""Candles: folding trades, merging candles, merging them up the ladder, filling gaps.

Sums and products are exact. Within a bucket trades are ordered by (time, sequence, id), whatever
the order of their arrival: exchanges put several trades into one millisecond, and only their ids
keep the order.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, localcontext
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from chart_app.model.bounds import Count, Number, OpenTime
from chart_app.model.columns import Column
from chart_app.model.decimals import EXACT, ZERO, plain
from chart_app.model.intervals import MADE_OF, MINUTE_MS, Interval
from trade_rules import as_integer

_multiply = EXACT.multiply


class Tick(NamedTuple):
    """A trade of a coin as its candle sees it; ticks sort in the order of trading.

    time:      ms since the epoch.
    sequence:  see :func:`sequence`.
    id:        see :mod:`chart_app.model.trade_ids`; it grows with the offset.
    """

    time: int
    sequence: int
    id: int
    price: Decimal
    amount: Decimal


#: A tick, with the names or without: without, many are made in a third of the time.
PlainTick = tuple[int, int, int, Decimal, Decimal]


def sequence(trade_id: str | None, offset: int) -> int:
    """Return a trade's place in its millisecond: its id if a whole number, else its offset."""
    number = as_integer(trade_id)
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


#: What the store keeps of a candle. It, the rows, the live messages and ``rebuild`` follow.
COLUMNS = (
    Column("open", Decimal, "first.price"),
    Column("high", Decimal, "high"),
    Column("low", Decimal, "low"),
    Column("close", Decimal, "last.price"),
    Column("volume", Decimal, "volume"),
    Column("quote_volume", Decimal, "quote_volume"),
    Column("trades", int, "trades"),
    Column("first_time", int, "first.time"),
    Column("first_sequence", str, "first.sequence"),  # up to 64 digits
    Column("first_id", int, "first.id"),
    Column("last_time", int, "last.time"),
    Column("last_sequence", str, "last.sequence"),
    Column("last_id", int, "last.id"),
)
#: Returns the values of a candle in the order of :data:`COLUMNS`.
column_values = attrgetter(*(column.of for column in COLUMNS))


def from_columns(values: Iterable[Any]) -> Candle:
    """Return the candle of which :func:`column_values` are these, decimals also as text."""
    (
        open_,
        high,
        low,
        close,
        volume,
        quote_volume,
        trades,
        first_time,
        first_sequence,
        first_id,
        last_time,
        last_sequence,
        last_id,
    ) = values
    return Candle(
        Mark(first_time, int(first_sequence), first_id, Decimal(open_)),
        Mark(last_time, int(last_sequence), last_id, Decimal(close)),
        Decimal(high),
        Decimal(low),
        Decimal(volume),
        Decimal(quote_volume),
        trades,
    )


class CandleKey(NamedTuple):
    """Which candle: the coin, its interval, and when its bucket begins (ms)."""

    coin: str
    interval: Interval
    open_time: int


class PublicCandle(msgspec.Struct, array_like=True, gc=False):
    """A candle as it is broadcast and streamed. Times in ms; numbers as text, with their digits."""

    interval: Interval
    open_time: OpenTime
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number
    quote_volume: Number
    trades: Count
    first_id: Count
    last_id: Count

    @classmethod
    def of(cls, key: CandleKey, candle: Candle) -> "PublicCandle":
        """Return a candle as it is broadcast."""
        values: list[Any] = [
            plain(it) if isinstance(it, Decimal) else it for it in _public_values(candle)
        ]
        return cls(key.interval, key.open_time, *values)


_COLUMN = {column.name: column for column in COLUMNS}
_public_values = attrgetter(*(_COLUMN[name].of for name in PublicCandle.__struct_fields__[2:]))


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
            sum(amounts, ZERO),
            sum(map(_multiply, prices, amounts), ZERO),
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
    return Candle(nothing, nothing, close, close, ZERO, ZERO, 0)


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
