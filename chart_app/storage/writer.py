"""The writing side of the store: trades, candles and checkpoints in one transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from operator import attrgetter
from typing import Any

from faust.types import TP
from sqlalchemy import Connection, bindparam, insert, select, update

from chart_app.model import candles as candle_model
from chart_app.model.candles import Candle, CandleKey, merge
from chart_app.model.folding import combine, fold_trades
from chart_app.model.intervals import Interval
from chart_app.model.scale import Scale
from chart_app.model.trade_ids import MAX_PARTITIONS
from chart_app.model.trades import COLUMNS as TRADE_COLUMNS
from chart_app.model.trades import Trades
from chart_app.storage import schema, statements
from chart_app.storage.database import Database, Result
from chart_app.storage.errors import Superseded, WrongStore, translate_errors
from chart_app.storage.latest_candles import LatestCandles
from chart_app.storage.write_batch import Change, Checkpoint, WriteBatch, covered_offsets


class StoreWriter:
    """Writes to the store, one transaction at a time."""

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
                table.c.partition_id == bindparam("of_partition_id"),
                table.c.next_offset == bindparam("from_offset"),
            )
            .values(next_offset=bindparam("next_offset"))
        )
        self._latest = LatestCandles()
        #: A cache of the scales of coins.
        self._scales: dict[str, Scale] = {}

    async def open(self) -> None:
        """Create the tables if they do not exist. Raises :exc:`StoreError`."""
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
            return
        schema.check_version(version)
        if not self._store_trades:
            connection.execute(update(schema.store).values(has_all_trades=False))

    async def checkpoints(self, topic_ids: Mapping[TP, str]) -> dict[TP, Checkpoint]:
        """Return the checkpoints of partitions, given the ids of their topics.

        A partition that is new, or whose topic was recreated, begins at offset 0.
        """
        return await self._write(lambda connection: self._checkpoints(connection, topic_ids))

    def _checkpoints(
        self, connection: Connection, topic_ids: Mapping[TP, str]
    ) -> dict[TP, Checkpoint]:
        table = schema.consumed
        known = {
            TP(row.topic, row.partition): Checkpoint(
                row.next_offset, row.topic_id, row.partition_id
            )
            for row in connection.execute(select(table))
        }
        next_id = max((it.partition_id for it in known.values()), default=-1) + 1
        for tp, topic_id in topic_ids.items():
            if tp in known and known[tp].topic_id == topic_id:
                continue
            if next_id >= MAX_PARTITIONS:
                raise WrongStore(f"more than {MAX_PARTITIONS} partitions have been consumed")
            new = Checkpoint(0, topic_id, next_id)
            where = (table.c.topic == tp.topic, table.c.partition == tp.partition)
            statement = update(table).where(*where) if tp in known else insert(table)
            connection.execute(
                statement.values(topic=tp.topic, partition=tp.partition, **new._asdict())
            )
            known[tp] = new
            next_id += 1
        return {tp: known[tp] for tp in topic_ids}

    async def apply(self, *batches: WriteBatch) -> Change:
        """Store trades, candles and offsets in one transaction; return what has changed.

        Raises :exc:`Superseded`, or :exc:`StoreUnavailable`: then it is unknown whether they were
        stored, and trying again is safe.
        """
        try:
            change, scales = await self._write(lambda connection: self._apply(connection, batches))
        except BaseException:
            self._latest.forget()
            raise
        self._latest.keep(change.candles)
        self._scales.update(scales)
        return change

    def _apply(
        self, connection: Connection, batches: Sequence[WriteBatch]
    ) -> tuple[Change, dict[str, Scale]]:
        for tp, (checkpoint, next_offset) in covered_offsets(batches).items():
            self._pass_fence(connection, tp, checkpoint, next_offset)
        trades = Trades.joined(batch.trades for batch in batches)
        folded = combine(batch.folded for batch in batches)
        if trades and self._store_trades:
            new = self._store_new(connection, batches, trades)
            if len(new) < len(trades):
                trades, folded = new, fold_trades(new)
        candles = self._merge_candles(connection, folded.candles)
        scales = self._store_scales(connection, folded.scales)
        return Change(trades, candles), scales

    def _pass_fence(
        self, connection: Connection, tp: TP, checkpoint: Checkpoint, next_offset: int
    ) -> None:
        result = connection.execute(
            self._move_offset,
            {
                "of_topic": tp.topic,
                "of_partition": tp.partition,
                "of_partition_id": checkpoint.partition_id,
                "from_offset": checkpoint.next_offset,
                "next_offset": next_offset,
            },
        )
        if result.rowcount != 1:
            raise Superseded(f"{tp} is no longer at {checkpoint.next_offset}")

    def _store_new(
        self,
        connection: Connection,
        batches: Iterable[WriteBatch],
        trades: Trades,
    ) -> Trades:
        """Store the trades; return those whose trade id was not stored before."""
        rows = [row for batch in batches for row in trade_rows(batch)]
        inserted = self._insert_trades.execute(connection, rows)
        if inserted == len(trades):
            return trades
        ids = schema.trades.c.id
        stored: set[int] = set()
        for batch in batches:
            if batch.trades:
                first, last = batch.trades.ids[0], batch.trades.ids[-1]
                stored.update(connection.scalars(select(ids).where(ids.between(first, last))))
        return trades.only(stored)

    def _merge_candles(
        self, connection: Connection, candles: Mapping[CandleKey, Candle]
    ) -> dict[CandleKey, Candle]:
        """Merge candles into the stored ones, and return the results."""
        cached = self._latest.known(connection)
        merged = {
            key: merge(cached[key], candle) if key in cached else candle
            for key, candle in candles.items()
        }
        uncached = [key for key in candles if key not in cached]
        for row in self._select_candles.fetch(connection, uncached):
            key, candle = read_candle(row)
            merged[key] = merge(candle, merged[key])
        # Sorted: two transactions that lock the same rows in the same order cannot deadlock.
        self._upsert_candles.execute(
            connection, [candle_row(key, merged[key], self._number) for key in sorted(merged)]
        )
        return merged

    def _store_scales(
        self, connection: Connection, scales: Mapping[str, Scale]
    ) -> dict[str, Scale]:
        """Store the scales that have grown, and return them by coin."""
        grown = {
            coin: scale
            for coin, scale in scales.items()
            if not scale.within(self._scales.get(coin))
        }
        if grown:
            table = schema.coins
            for row in connection.execute(select(table).where(table.c.coin.in_(grown))):
                grown[row.coin] = grown[row.coin].union(Scale(row.price_scale, row.amount_scale))
            self._upsert_coins.execute(
                connection, [(coin, coin.casefold(), *grown[coin]) for coin in sorted(grown)]
            )
        return grown

    async def _write(self, function: Callable[[Connection], Result]) -> Result:
        with translate_errors():
            return await self._database.write(function)


_trade_columns = attrgetter(*(column.attribute for column in TRADE_COLUMNS))


def trade_rows(batch: WriteBatch) -> Iterator[tuple[Any, ...]]:
    """Return a batch's rows of the table of trades."""
    topics, partitions = map(repeat, batch.tp)
    # repeat() has no end
    return zip(*_trade_columns(batch.trades), topics, partitions)  # noqa: B905


def candle_row(key: CandleKey, candle: Candle, number: Callable[[Decimal], Any]) -> list[Any]:
    """Return a row of the table of candles. ``number`` converts a decimal to what is stored."""
    row = [key.coin, key.interval.value, key.open_time, *candle_model.column_values(candle)]
    for index in _DECIMALS:
        row[index] = number(row[index])
    for index in _TEXTS:
        row[index] = str(row[index])
    return row


def _indexes(type_: type) -> list[int]:
    """Return the indexes in a row of the candle's columns of a type."""
    key_columns = len(schema.candles.primary_key)
    columns = enumerate(candle_model.COLUMNS, key_columns)
    return [index for index, column in columns if column.type is type_]


_DECIMALS = _indexes(Decimal)
_TEXTS = _indexes(str)


def read_candle(row: Sequence[Any]) -> tuple[CandleKey, Candle]:
    """Return the key and the candle of a row of the table of candles."""
    coin, interval, open_time, *values = row
    return CandleKey(coin, Interval(interval), open_time), candle_model.from_columns(values)
