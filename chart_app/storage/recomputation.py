"""Computes stored candles again, from the stored trades: for ``rebuild`` and ``void``."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from chart_app.model.candles import (
    Candle,
    CandleKey,
    Tick,
    fold_minutes,
    merge,
    merge_up,
    sequence,
)
from chart_app.model.intervals import MADE_OF, Interval
from chart_app.model.trade_ids import split
from chart_app.storage import schema
from chart_app.storage.errors import WrongStore
from chart_app.storage.rows.base import RowWriter
from chart_app.storage.rows.forms import read_candle
from streaming.slices import chunks

#: Trades in memory at a time.
CHUNK_TRADES = 20_000
#: Candles that are put in place of the stored ones at a time.
CHUNK_CANDLES = 1000
#: Candles that are more than this many intervals apart are read by separate queries.
NEARBY = 10
#: Below and above every open time.
START, END = -(2**63), 2**63 - 1


class Recomputed(NamedTuple):
    """How many candles were computed again, and how many of these have no trades left."""

    candles: int
    gone: int


def check_store(connection: Connection) -> None:
    """Raise :exc:`WrongStore` unless candles can be recomputed from the trades stored there."""
    schema.check_exists(connection)
    schema.check_version(connection)
    if not connection.scalar(select(schema.store.c.has_all_trades)):
        raise WrongStore(
            "The store does not have all trades, because a worker has run with "
            "STORE_TRADES=false: its candles count trades that it does not have"
        )


def recompute(
    connection: Connection, rows: RowWriter, coin: str, minutes: Collection[int]
) -> Recomputed:
    """Compute all candles of a coin again that minutes, by open time (ms), belong to.

    Minutes are folded from their trades, longer candles are merged from the stored shorter ones:
    so a month takes as long as its days do, however many trades it has.
    """
    candles = kept = 0
    for interval in Interval:  # the shortest first: what a candle is merged from is right by then
        open_times = sorted({interval.open_time(minute) for minute in minutes})
        candles += len(open_times)
        for part in chunks(open_times, CHUNK_CANDLES):
            computed = {
                CandleKey(coin, interval, open_time): candle
                for open_time, candle in _compute(connection, coin, interval, part).items()
            }
            kept += len(computed)
            keys = (CandleKey(coin, interval, it) for it in part)
            rows.put_candles(connection, computed)
            delete_candles(connection, [key for key in keys if key not in computed])
    return Recomputed(candles, candles - kept)


def _compute(
    connection: Connection, coin: str, interval: Interval, open_times: Sequence[int]
) -> dict[int, Candle]:
    """Return the candles with these open times, sorted, that have trades."""
    wanted = set(open_times)
    found: dict[int, Candle] = {}
    for first, last in _group_nearby(open_times, interval):
        for part in _parts(connection, coin, interval, first, interval.end_time(last)):
            for open_time in part.keys() & wanted:
                known = found.get(open_time)
                candle = part[open_time]
                found[open_time] = candle if known is None else merge(known, candle)
    return found


def _parts(
    connection: Connection, coin: str, interval: Interval, start: int, end: int
) -> Iterator[dict[int, Candle]]:
    """Yield candles by open time, whose trades are all those from ``start`` up to ``end``."""
    if interval is Interval.M1:
        yield from map(fold_minutes, read_ticks(connection, coin, start, end))
    else:
        stored = read_candles(connection, coin, MADE_OF[interval], start, end)
        yield merge_up({key.open_time: it for key, it in stored.items()}, interval)


def _group_nearby(open_times: Sequence[int], interval: Interval) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of sorted open times that are near each other."""
    first = last = open_times[0]
    for open_time in open_times:
        if interval.back(open_time, NEARBY) > last:
            yield first, last
            first = open_time
        last = open_time
    yield first, last


def read_ticks(
    connection: Connection, coin: str, start: int = START, end: int = END
) -> Iterator[list[Tick]]:
    """Yield the trades of a coin, from a time up to another, in the order of times, in chunks."""
    columns = schema.trades.c
    statement = (
        select(
            columns.time,
            columns.id,
            columns.trade_id,
            columns.price,
            columns.amount,
        )
        .join(schema.coins, schema.coins.c.id == columns.coin_id)
        .where(schema.coins.c.coin == coin, columns.time < end)
        .order_by(columns.time, columns.id)
        .limit(CHUNK_TRADES)
    )
    page = statement.where(columns.time >= start)
    while found := connection.execute(page).all():
        yield [
            Tick(time, sequence(trade_id, split(id_)[1]), id_, price, amount)
            for time, id_, trade_id, price, amount in found
        ]
        last = (found[-1].time, found[-1].id)
        page = statement.where(tuple_(columns.time, columns.id) > last)


def read_candles(
    connection: Connection, coin: str, interval: Interval, start: int, end: int
) -> dict[CandleKey, Candle]:
    """Return the stored candles that open from ``start`` up to, but not including, ``end``."""
    columns = schema.candles.c
    statement = select(schema.candles).where(
        columns.coin == coin,
        columns.interval == interval.value,
        columns.open_time >= start,
        columns.open_time < end,
    )
    return dict(map(read_candle, connection.execute(statement)))


def delete_candles(connection: Connection, keys: Iterable[CandleKey]) -> None:
    """Remove stored candles."""
    parameters = [_parameters(key) for key in keys]
    if parameters:
        connection.execute(_DELETE, parameters)


_DELETE = delete(schema.candles).where(
    schema.candles.c.coin == bindparam("of_coin"),
    schema.candles.c.interval == bindparam("of_interval"),
    schema.candles.c.open_time == bindparam("of_time"),
)


def _parameters(key: CandleKey) -> dict[str, Any]:
    return {"of_coin": key.coin, "of_interval": key.interval.value, "of_time": key.open_time}
