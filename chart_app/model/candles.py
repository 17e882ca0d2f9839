"""Candles: folding trades, merging candles, also into longer intervals, filling gaps.

Sums and products are exact. Within a bucket trades are ordered by (time, sequence, id), not
by their arrival: exchanges put several trades into one millisecond, and only their ids
keep the order.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from chart_app.model.bounds import Count, Number, OpenTime
from chart_app.model.columns import Column, Measure
from chart_app.model.decimals import EXACT, ZERO, plain
from chart_app.model.intervals import MADE_OF, MINUTE_MS, Interval
from trade_rules import as_integer

_multiply = EXACT.multiply


class Tick(NamedTuple):
    """What a candle needs of a trade of its coin. Ticks sort in the order of trading.

    time:      ms since the epoch.
    sequence:  see :func:`sequence`.
    id:        see :mod:`chart_app.model.trade_ids`; it grows with the offset.
    """

    time: int
    sequence: int
    id: int
    price: Decimal
    amount: Decimal


#: A :class:`Tick`, or the same values in a plain tuple, which takes a third of the time to make.
PlainTick = tuple[int, int, int, Decimal, Decimal]


def sequence(trade_id: str | None, offset: int) -> int:
    """Return a trade's order in its millisecond: its id if a whole number, else its offset."""
    number = as_integer(trade_id)
    return offset if number is None else number


class Mark(NamedTuple):
    """What a candle keeps of its first and of its last trade. Sorts as :class:`Tick` does."""

    time: int
    sequence: int
    id: int
    price: Decimal


class Candle(NamedTuple):
    """The candle of one coin in one bucket of time.

    ``first`` and ``last`` are its first and last trades, whose prices are open and close.
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


#: The stored columns of a candle. Table, rows, live messages and ``rebuild`` derive from these.
COLUMNS = (
    Column("open", Decimal, "first.price", Measure.PRICE),
    Column("high", Decimal, "high", Measure.PRICE),
    Column("low", Decimal, "low", Measure.PRICE),
    Column("close", Decimal, "last.price", Measure.PRICE),
    Column("volume", Decimal, "volume", Measure.AMOUNT),
    Column("quote_volume", Decimal, "quote_volume", Measure.TURNOVER),
    Column("trades", int, "trades"),
    Column("first_time", int, "first.time"),
    Column("first_sequence", str, "first.sequence"),  # up to 64 digits
    Column("first_id", int, "first.id"),
    Column("last_time", int, "last.time"),
    Column("last_sequence", str, "last.sequence"),
    Column("last_id", int, "last.id"),
)
#: Returns the values of a candle in the order of :data:`COLUMNS`.
column_values = attrgetter(*(column.attribute for column in COLUMNS))


def from_columns(values: Iterable[Any]) -> Candle:
    """Return the candle whose :func:`column_values` these are; decimals may be text."""
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
    """Identifies a candle: by its coin, its interval and its open time (ms)."""

    coin: str
    interval: Interval
    open_time: int


class PublicCandle(msgspec.Struct, array_like=True, gc=False):
    """A candle as broadcast and streamed. Times in ms; decimals as text, with all digits."""

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
        """Return a candle as it is broadcast and streamed."""
        values: list[Any] = [
            plain(value) if isinstance(value, Decimal) else value
            for value in _public_values(candle)
        ]
        return cls(key.interval, key.open_time, *values)


_COLUMN = {column.name: column for column in COLUMNS}
_public_values = attrgetter(
    *(_COLUMN[name].attribute for name in PublicCandle.__struct_fields__[2:])
)


def fold(ticks: Iterable[PlainTick]) -> Candle:
    """Return the candle of one or more trades."""
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
    """Return the candle of the trades of both candles."""
    return Candle(
        min(one.first, other.first),
        max(one.last, other.last),
        max(one.high, other.high),
        min(one.low, other.low),
        EXACT.add(one.volume, other.volume),
        EXACT.add(one.quote_volume, other.quote_volume),
        one.trades + other.trades,
    )


def fold_minutes(ticks: Iterable[PlainTick]) -> dict[int, Candle]:
    """Return the candles of the minutes with trades, by open time."""
    minutes: dict[int, list[PlainTick]] = defaultdict(list)
    for tick in ticks:
        minutes[tick[0] // MINUTE_MS].append(tick)
    return {minute * MINUTE_MS: fold(group) for minute, group in minutes.items()}


def fold_coin(ticks: Iterable[PlainTick]) -> Iterator[tuple[Interval, int, Candle]]:
    """Yield (interval, open time, candle) for every candle the trades of a coin belong to.

    The trades are folded once, into minutes; longer intervals are merged from shorter ones.
    """
    candles = {Interval.M1: fold_minutes(ticks)}
    for interval, source in MADE_OF.items():
        candles[interval] = merge_up(candles[source], interval)
    for interval, by_open_time in candles.items():
        for open_time, candle in by_open_time.items():
            yield interval, open_time, candle


def merge_up(candles: Mapping[int, Candle], interval: Interval) -> dict[int, Candle]:
    """Return candles merged into those of a longer interval, both by open time."""
    merged: dict[int, Candle] = {}
    for time, candle in candles.items():
        open_time = interval.open_time(time)
        known = merged.get(open_time)
        merged[open_time] = candle if known is None else merge(known, candle)
    return merged


def flat(open_time: int, close: Decimal) -> Candle:
    """Return the flat candle of a bucket without trades: at the last close, with no volume."""
    mark = Mark(open_time, 0, -1, close)
    return Candle(mark, mark, close, close, ZERO, ZERO, 0)


def flat_between(
    open_times: Iterable[int], candles: Sequence[tuple[int, Candle]], before: Decimal | None
) -> Iterator[tuple[int, Candle]]:
    """Yield flat candles for buckets that have no trades left.

    They are at the close of the candle before, of those around, which are sorted; ``before`` is the
    last close before all of them. Where there is none, they are at the open of the first one, or 0.
    """
    if before is None:
        before = candles[0][1].open if candles else ZERO
    closes = [before, *(candle.close for _, candle in candles)]
    known = [open_time for open_time, _ in candles]
    for open_time in open_times:
        yield open_time, flat(open_time, closes[bisect(known, open_time)])


def fill(
    candles: Iterable[tuple[int, Candle]], open_times: Iterable[int], previous: Decimal | None
) -> Iterator[tuple[int, Candle]]:
    """Yield a candle for every bucket, given their open times.

    ``previous`` is the close before the first. Until a close is known, empty buckets are skipped.
    """
    known = dict(candles)
    for open_time in open_times:
        candle = known.get(open_time)
        if candle is None and previous is not None:
            candle = flat(open_time, previous)
        if candle is not None:
            previous = candle.close
            yield open_time, candle
