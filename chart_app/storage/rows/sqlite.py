"""Rows of SQLite."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from itertools import starmap

from sqlalchemy import Connection, Dialect

from chart_app.model.candles import Candle, CandleKey, merge
from chart_app.model.refusals import Numbers
from chart_app.model.scale import Scale
from chart_app.model.trades import Trades
from chart_app.storage import schema
from chart_app.storage.driver import driver
from chart_app.storage.rows import values
from chart_app.storage.rows.base import Move, Moved, RowWriter
from chart_app.storage.rows.forms import candle_row, coin_rows, read_candle, trade_columns
from chart_app.storage.rows.latest_candles import LatestCandles

#: Its parameters: the end of a :class:`Move`, all of it but that, and the version of the store,
#: which a newer program may have migrated meanwhile.
_MOVE_OFFSET = """
    UPDATE partitions SET next_offset = ?
    WHERE topic = ? AND partition = ? AND id = ? AND next_offset = ? AND is_current
        AND (SELECT version FROM store) = ?"""
_REVISION = "SELECT revision FROM store"


class SQLiteRows(RowWriter):
    """Merges candles itself: SQLite has no exact decimals. So it keeps those it wrote last."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__()
        trade_key = list(schema.trades.primary_key)
        candle_key = list(schema.candles.primary_key)
        coin_key = [schema.coins.c.coin]
        self._insert_trades = values.insert_new(schema.trades, dialect)
        self._select_trades = values.select_by(trade_key, dialect)
        columns = schema.trades.c
        self._select_others = values.select_by(
            [columns.coin_id, columns.trade_id], dialect, [columns.price, columns.amount]
        )
        self._select_candles = values.select_by(candle_key, dialect)
        self._put_candles = values.upsert(schema.candles, candle_key, dialect)
        self._insert_new_coins = values.insert_new(schema.coins, dialect)
        self._select_coins = values.select_by(coin_key, dialect)
        self._select_folded = values.select_by([schema.coins.c.folded], dialect)
        self._put_scales = values.upsert(schema.coins, coin_key, dialect, largest=True)
        self._latest = LatestCandles()

    def move_offsets(self, connection: Connection, moves: Sequence[Move]) -> Moved:
        """Move the next offsets of partitions; return the ids of those that were moved."""
        run = driver(connection).execute
        moved = {
            move.partition_id
            for move in moves
            if run(_MOVE_OFFSET, (move.end, *move[:-1], schema.VERSION)).rowcount
        }
        if not moved:  # of another version the column may be unknown
            return Moved(moved, 0)
        return Moved(moved, *run(_REVISION).fetchone())

    def insert_trades(self, connection: Connection, trades: Trades) -> Collection[int] | None:
        """Insert the trades that are new; return the ids of the stored, or None for all."""
        coin_ids = self._ids()
        rows = list(zip(*trade_columns(trades, coin_ids), strict=True))
        if self._insert_trades.execute(connection, rows) == len(trades):
            return None
        keys = [(coin_ids[coin], id_) for coin, id_ in zip(trades.coins, trades.ids, strict=True)]
        index = list(schema.trades.columns).index(schema.trades.c.id)
        return {row[index] for row in self._select_trades.fetch(connection, keys)}

    def other_numbers(self, connection: Connection, trades: Trades) -> Numbers:
        """Return the numbers of the stored trades with the senders' ids of these, but others."""
        coin_ids = self._ids()
        names = {coin_ids[coin]: coin for coin in set(trades.coins)}
        ids = [coin_ids[coin] for coin in trades.coins]
        rows = zip(ids, trades.sender_ids, trades.price_texts, trades.amount_texts, strict=True)
        found = {}
        for row in self._select_others.fetch(connection, list(rows)):
            it = dict(zip(schema.trades.columns.keys(), row, strict=True))
            key = (names[it["coin_id"]], it["trade_id"])
            found[key] = (Decimal(it["price"]), Decimal(it["amount"]))
        return found

    def merge_candles(
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
        self.put_candles(connection, merged)
        return merged

    def put_candles(self, connection: Connection, candles: Mapping[CandleKey, Candle]) -> None:
        """Store candles in place of those that are stored."""
        self._put_candles.execute(connection, list(starmap(candle_row, candles.items())))

    def put_scales(self, connection: Connection, scales: Mapping[str, Scale]) -> None:
        """Store the scales of coins where they are larger than what is stored."""
        self._put_scales.execute(connection, coin_rows(scales))

    def _insert_coins(self, connection: Connection, scales: Mapping[str, Scale]) -> None:
        self._insert_new_coins.execute(connection, coin_rows(scales))

    def _select_coin_ids(self, connection: Connection, coins: Collection[str]) -> dict[str, int]:
        rows = self._select_coins.fetch(connection, [(coin,) for coin in coins])
        return {coin: id_ for id_, coin, *_ in rows}

    def lock_additions(self, connection: Connection) -> None:
        """Do nothing: the transaction has locked the file."""

    def lock_partitions(self, connection: Connection) -> None:
        """Do nothing, for the same reason."""

    def _select_alike(self, connection: Connection, folded: Sequence[str]) -> dict[str, str]:
        rows = self._select_folded.fetch(connection, [(name,) for name in folded])
        return {name: coin for _, coin, name, *_ in rows}

    def committed(self, candles: Mapping[CandleKey, Candle]) -> None:
        """Keep the candles, for the next transaction."""
        super().committed(candles)
        self._latest.keep(candles)

    def failed(self) -> None:
        """Forget the candles."""
        super().failed()
        self._latest.forget()
