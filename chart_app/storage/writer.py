"""The store: trades, candles, and how far the partitions are consumed, in one transaction.

Errors::

    StoreError
      + StoreUnavailable    the database does not answer, or is locked: try again later
      + Superseded          the partition stands at another offset: read that again
      + WrongStore          the database is not one this program can use
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any

from asyncpg.exceptions import InterfaceError, PostgresError
from faust.types import TP
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from chart_app.model.candles import Candle, CandleKey, Mark, merge
from chart_app.model.intervals import Interval
from chart_app.model.scale import Places
from chart_app.model.trades import Trades
from chart_app.storage import schema, statements
from chart_app.storage.database import Database, Result
from chart_app.storage.latest_candles import LatestCandles
from chart_app.storage.write_batch import Change, Portion, Progress, combine, fold_trades, spans

DATABASE_ERRORS = (
    SQLAlchemyError,
    PostgresError,
    InterfaceError,
    sqlite3.Error,
    OSError,
    TimeoutError,
)


class StoreError(Exception):
    """The store did not do what it was asked for."""


class StoreUnavailable(StoreError):
    """The database does not answer, or is locked: try again later."""


class Superseded(StoreError):
    """The partition stands at another offset: another worker has it, or had it last."""


class WrongStore(StoreError):
    """The database is not one this program can use."""


class Store:
    """The writing side: one transaction at a time."""

    def __init__(self, database: Database, *, store_trades: bool) -> None:
        self._database = database
        self._store_trades = store_trades
        dialect = database.dialect
        self._number = schema.exact_binder(dialect)
        self._insert_trades = statements.insert_new(schema.trades, dialect)
        self._upsert_candles = statements.upsert(schema.candles, dialect)
        self._select_candles = statements.select_by(list(schema.candles.primary_key), dialect)
        self._upsert_coins = statements.upsert(schema.coins, dialect)
        table = schema.consumed
        self._move_offset = (
            update(table)
            .where(
                table.c.topic == bindparam("of_topic"),
                table.c.partition == bindparam("of_partition"),
                table.c.log == bindparam("of_log"),
                table.c.next_offset == bindparam("from_offset"),
            )
            .values(next_offset=bindparam("next_offset"))
        )
        self._latest = LatestCandles()
        #: (price places, amount places) of coins, as far as we know them.
        self._places: dict[str, Places] = {}

    async def open(self) -> None:
        """Make the tables, if they are not there. Raises :exc:`StoreError`."""
        await self._write(self._open)

    def _open(self, connection: Connection) -> None:
        schema.metadata.create_all(connection)
        version = connection.scalar(select(schema.store.c.version))
        if version is None:
            connection.execute(
                insert(schema.store).values(
                    version=schema.VERSION, has_all_trades=self._store_trades
                )
            )
        elif version != schema.VERSION:
            raise WrongStore(
                f"The store has version {version} of the tables, this program "
                f"version {schema.VERSION}: use the program of that version, or another "
                "DATABASE_URL or DATA_DIR, into which Kafka's trades are read again"
            )
        elif not self._store_trades:
            connection.execute(update(schema.store).values(has_all_trades=False))

    async def progress(self, topic_ids: Mapping[TP, str]) -> dict[TP, Progress]:
        """Return how far partitions are consumed, given the ids of their topics.

        A partition not seen before, or of a topic that was made again, stands at 0.
        """
        return await self._write(lambda connection: self._progress(connection, topic_ids))

    def _progress(self, connection: Connection, topic_ids: Mapping[TP, str]) -> dict[TP, Progress]:
        table = schema.consumed
        known = {
            TP(row.topic, row.partition): Progress(row.next_offset, row.topic_id, row.log)
            for row in connection.execute(select(table))
        }
        next_log = max((it.log for it in known.values()), default=-1) + 1
        for tp, topic_id in topic_ids.items():
            if tp in known and known[tp].topic_id == topic_id:
                continue
            if next_log >= schema.MAX_LOGS:
                raise WrongStore(f"more than {schema.MAX_LOGS} partitions have been consumed")
            new = Progress(0, topic_id, next_log)
            where = (table.c.topic == tp.topic, table.c.partition == tp.partition)
            statement = update(table).where(*where) if tp in known else insert(table)
            connection.execute(
                statement.values(topic=tp.topic, partition=tp.partition, **new._asdict())
            )
            known[tp] = new
            next_log += 1
        return {tp: known[tp] for tp in topic_ids}

    async def apply(self, *portions: Portion) -> Change:
        """Store trades, candles and offsets in one transaction; return what has changed.

        Raises :exc:`Superseded`, or :exc:`StoreUnavailable`: then whether it was stored is
        unknown, and trying again is safe.
        """
        try:
            change, places = await self._write(lambda connection: self._apply(connection, portions))
        except BaseException:
            self._latest.forget()
            raise
        self._latest.keep(change.candles)
        self._places.update(places)
        return change

    def _apply(
        self, connection: Connection, portions: Sequence[Portion]
    ) -> tuple[Change, dict[str, Places]]:
        for tp, (progress, next_offset) in spans(portions).items():
            self._pass_fence(connection, tp, progress, next_offset)
        trades = Trades.joined(portion.trades for portion in portions)
        folded = combine(portion.folded for portion in portions)
        if trades and self._store_trades:
            new = self._store_new(connection, portions, trades)
            if len(new) < len(trades):
                trades, folded = new, fold_trades(new)
        candles = self._merge_candles(connection, folded.candles)
        places = self._store_places(connection, folded.places)
        return Change(trades, candles), places

    def _pass_fence(
        self, connection: Connection, tp: TP, progress: Progress, next_offset: int
    ) -> None:
        result = connection.execute(
            self._move_offset,
            {
                "of_topic": tp.topic,
                "of_partition": tp.partition,
                "of_log": progress.log,
                "from_offset": progress.next_offset,
                "next_offset": next_offset,
            },
        )
        if result.rowcount != 1:
            raise Superseded(f"{tp} is no longer at {progress.next_offset}")

    def _store_new(
        self,
        connection: Connection,
        portions: Iterable[Portion],
        trades: Trades,
    ) -> Trades:
        """Store the trades; return those that were not stored before under their trade id."""
        rows_ = [row for portion in portions for row in trade_rows(portion)]
        count = self._insert_trades.execute(connection, rows_)
        if count == len(trades):
            return trades
        ids = schema.trades.c.id
        stored: set[int] = set()
        for portion in portions:
            if portion.trades:
                first, last = portion.trades.ids[0], portion.trades.ids[-1]
                stored.update(connection.scalars(select(ids).where(ids.between(first, last))))
        return trades.only(stored)

    def _merge_candles(
        self, connection: Connection, candles: Mapping[CandleKey, Candle]
    ) -> dict[CandleKey, Candle]:
        """Merge candles into those that are stored; return these as they are now."""
        known = self._latest.known(connection)
        merged = {
            key: merge(known[key], candle) if key in known else candle
            for key, candle in candles.items()
        }
        unknown = [key for key in candles if key not in known]
        for row in self._select_candles.fetch(connection, unknown):
            key, candle = read_candle(row)
            merged[key] = merge(candle, merged[key])
        # Sorted: two transactions that take the same rows in the same order cannot deadlock.
        self._upsert_candles.execute(
            connection, [candle_row(key, merged[key], self._number) for key in sorted(merged)]
        )
        return merged

    def _store_places(
        self, connection: Connection, places: Mapping[str, Places]
    ) -> dict[str, Places]:
        """Store decimal places of coins that have more than before; return those."""
        grown = {
            coin: of_coin
            for coin, of_coin in places.items()
            if not of_coin.within(self._places.get(coin))
        }
        if grown:
            table = schema.coins
            for row in connection.execute(select(table).where(table.c.coin.in_(grown))):
                grown[row.coin] = grown[row.coin].union(Places(row.price_places, row.amount_places))
            self._upsert_coins.execute(
                connection, [(coin, coin.casefold(), *grown[coin]) for coin in sorted(grown)]
            )
        return grown

    async def _write(self, function: Callable[[Connection], Result]) -> Result:
        try:
            return await self._database.write(function)
        except DATABASE_ERRORS as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}".split("\n")[0]) from error


def trade_rows(portion: Portion) -> Iterable[tuple[Any, ...]]:
    """Return the rows of the table of trades."""
    trades = portion.trades
    topics, partitions = map(repeat, portion.tp)
    return zip(  # noqa: B905 - repeat() has no end
        trades.ids,
        trades.coins,
        trades.times,
        trades.price_texts,
        trades.amount_texts,
        topics,
        partitions,
        trades.offsets,
        trades.trade_ids,
    )


def candle_row(key: CandleKey, candle: Candle, number: Callable[[Decimal], Any]) -> tuple[Any, ...]:
    """Return a row of the table of candles."""
    first, last = candle.first, candle.last
    return (
        *(key.coin, key.interval.value, key.open_time),
        *(number(first.price), number(candle.high), number(candle.low), number(last.price)),
        *(number(candle.volume), number(candle.quote_volume), candle.trades),
        *(first.time, str(first.sequence), first.id),
        *(last.time, str(last.sequence), last.id),
    )


def read_candle(row: Iterable[Any]) -> tuple[CandleKey, Candle]:
    """Return what a row of the table of candles says."""
    (
        coin,
        interval,
        open_time,
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
    ) = row
    return CandleKey(coin, Interval(interval), open_time), Candle(
        Mark(first_time, int(first_sequence), first_id, Decimal(open_)),
        Mark(last_time, int(last_sequence), last_id, Decimal(close)),
        Decimal(high),
        Decimal(low),
        Decimal(volume),
        Decimal(quote_volume),
        trades,
    )
