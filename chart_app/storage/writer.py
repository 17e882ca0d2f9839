"""The writing side of the store: trades, candles and checkpoints in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from math import inf

from faust.types import TP
from sqlalchemy import Connection, func, insert, inspect, select, update

from chart_app.model.folding import Folded, fold_trades
from chart_app.model.refusals import Refusal, find_conflicts
from chart_app.model.scale import Scale
from chart_app.model.trade_ids import MAX_PARTITIONS
from chart_app.model.trades import Trades
from chart_app.storage import migrations, schema
from chart_app.storage.database import Database, Result
from chart_app.storage.errors import Refused, Superseded, WrongStore, translate_errors
from chart_app.storage.rows import row_writer
from chart_app.storage.rows.base import Move
from chart_app.storage.write_batch import (
    Change,
    Checkpoint,
    WriteBatch,
    covered_offsets,
    fold_together,
)

#: Trades and candles of a short transaction: it takes at most 5 to 10 ms.
SHORT_ROWS = 500


class StoreWriter:
    """Writes to the store, one transaction at a time."""

    def __init__(self, database: Database, *, store_trades: bool, max_coins: float = inf) -> None:
        self._database = database
        self._store_trades = store_trades
        self._max_coins = max_coins
        self._rows = row_writer(database.dialect)
        #: A cache of the scales of coins. Larger ones may be stored.
        self._scales: dict[str, Scale] = {}

    async def open(self) -> None:
        """Create the tables, or migrate those of an earlier version. Raises :exc:`StoreError`."""
        with translate_errors():
            if not await self._database.write(self._open):
                await migrations.migrate(self._database)
                await self._database.write(self._open)

    def _open(self, connection: Connection) -> bool:
        """Return whether the store has this version; create it if there is none."""
        self._rows.lock_additions(connection)
        if not inspect(connection).has_table(schema.store.name):
            schema.metadata.create_all(connection)
            connection.execute(
                insert(schema.store).values(
                    version=schema.VERSION,
                    program=schema.PROGRAM,
                    has_all_trades=self._store_trades,
                )
            )
            return True
        if schema.read_version(connection) < schema.VERSION:
            return False
        schema.check_version(connection)
        if not self._store_trades:
            connection.execute(update(schema.store).values(has_all_trades=False))
        return True

    async def checkpoints(self, topic_ids: Mapping[TP, str]) -> dict[TP, Checkpoint]:
        """Return the checkpoints of partitions, given the ids of their topics.

        A partition that is new, or whose topic was recreated, begins at offset 0.
        """
        return await self._write(lambda connection: self._checkpoints(connection, topic_ids))

    def _checkpoints(
        self, connection: Connection, topic_ids: Mapping[TP, str]
    ) -> dict[TP, Checkpoint]:
        schema.check_version(connection)
        self._rows.lock_partitions(connection)
        table = schema.partitions
        current = {
            TP(row.topic, row.partition): Checkpoint(
                row.next_offset, row.topic_id, row.partition_id
            )
            for row in connection.execute(select(table).where(table.c.is_current))
        }
        last_id = connection.scalar(select(func.max(table.c.partition_id)))
        next_id = 0 if last_id is None else last_id + 1
        for tp, topic_id in topic_ids.items():
            if tp in current and current[tp].topic_id == topic_id:
                continue
            if next_id >= MAX_PARTITIONS:
                raise WrongStore(f"more than {MAX_PARTITIONS} partitions have been consumed")
            if tp in current:
                is_old = table.c.partition_id == current[tp].partition_id
                connection.execute(update(table).where(is_old).values(is_current=False))
            current[tp] = Checkpoint(0, topic_id, next_id)
            connection.execute(
                insert(table).values(
                    topic=tp.topic, partition=tp.partition, is_current=True, **current[tp]._asdict()
                )
            )
            next_id += 1
        return {tp: current[tp] for tp in topic_ids}

    async def apply(self, *batches: WriteBatch) -> Change:
        """Store trades, candles and offsets in one transaction; return what has changed.

        Raises :exc:`Superseded`, :exc:`Refused`, or :exc:`StoreUnavailable`: then it is unknown
        whether they were stored, and trying again is safe.
        """
        try:
            with translate_errors():
                change, scales = await self._store(batches)
        except Refused:
            raise  # nothing was stored
        except BaseException:
            self._rows.failed()
            raise
        self._rows.committed(change.candles)
        self._scales.update(scales)
        return change

    async def _store(self, batches: Sequence[WriteBatch]) -> tuple[Change, dict[str, Scale]]:
        """Return what has changed, and the scales that have grown."""
        moves = [
            Move(*tp, checkpoint.partition_id, checkpoint.next_offset, next_offset)
            for tp, (checkpoint, next_offset) in covered_offsets(batches).items()
        ]
        trades = Trades.joined(batch.trades for batch in batches)
        folded = fold_together(batches)
        if not self._grown(folded.scales):
            to_insert = trades if self._store_trades else Trades()
            statement = self._rows.in_one_statement(moves, to_insert, folded.candles)
            if statement:
                rows = await self._database.write_at_once(statement.sql, statement.arguments)
                if rows is not None:
                    merged = statement.read(rows)
                    return Change(trades, merged.candles, merged.revision), {}
        return await self._database.write(
            lambda connection: self._apply(connection, moves, trades, folded),
            is_short=len(trades) + len(folded.candles) <= SHORT_ROWS,
        )

    def _apply(
        self, connection: Connection, moves: Sequence[Move], trades: Trades, folded: Folded
    ) -> tuple[Change, dict[str, Scale]]:
        revision = self._pass_fence(connection, moves)
        refusals = self._add_coins(connection, trades, folded)
        trades = trades.without(refusals) if refusals else trades
        if trades and self._store_trades:
            stored = self._rows.insert_trades(connection, trades)
            if stored is not None:
                known = trades.without(stored)
                refusals |= find_conflicts(known, self._rows.other_numbers(connection, known))
                trades = trades.only(stored)
                folded = folded if refusals else fold_trades(trades)
        if refusals:
            raise Refused(refusals)
        candles = self._rows.merge_candles(connection, folded.candles)
        grown = self._grown(folded.scales)
        if grown:
            self._rows.put_scales(connection, grown)
        return Change(trades, candles, revision), grown

    def _add_coins(
        self, connection: Connection, trades: Trades, folded: Folded
    ) -> dict[int, Refusal]:
        """Store the coins that are new; return the trades of those that are refused, by id."""
        new = self._rows.unknown(folded.scales)
        in_order = [coin for coin in dict.fromkeys(trades.coins) if coin in new] if new else []
        refused = self._rows.add_coins(connection, in_order, self._max_coins)
        if not refused:
            return {}
        pairs = zip(trades.ids, trades.coins, strict=True)
        return {id_: refused[coin] for id_, coin in pairs if coin in refused}

    def _grown(self, scales: Mapping[str, Scale]) -> dict[str, Scale]:
        """Return the scales that are larger than what is known to be stored."""
        return {
            coin: scale.union(self._scales.get(coin, scale))
            for coin, scale in scales.items()
            if not scale.within(self._scales.get(coin))
        }

    def _pass_fence(self, connection: Connection, moves: Sequence[Move]) -> int:
        """Move the offsets on, and return the store's revision. Raises :exc:`Superseded`."""
        moved = self._rows.move_offsets(connection, moves)
        for move in moves:
            if move.partition_id not in moved.partition_ids:
                schema.check_version(connection)
                tp = TP(move.topic, move.partition)
                raise Superseded(f"{tp} is no longer at {move.start}")
        return moved.revision

    async def _write(self, function: Callable[[Connection], Result]) -> Result:
        with translate_errors():
            return await self._database.write(function)
