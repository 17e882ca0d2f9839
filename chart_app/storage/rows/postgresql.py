"""Rows of PostgreSQL.

A statement gets each column as one array, so its text is the same for any number of rows. The
arrays are texts, which the database reads: to encode them value by value would cost more than all
the rest. So would SQLAlchemy's way to the driver, which is called directly.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from asyncpg.exceptions import DeadlockDetectedError, UniqueViolationError
from sqlalchemy import Column, Connection, Table
from sqlalchemy.types import Integer
from sqlalchemy.util import await_only

from chart_app.model import candles as candle_model
from chart_app.model.candles import Candle, CandleKey
from chart_app.model.refusals import Numbers
from chart_app.model.scale import Scale
from chart_app.model.trades import COLUMNS as TRADE_COLUMNS
from chart_app.model.trades import Trades
from chart_app.storage import schema
from chart_app.storage.driver import driver
from chart_app.storage.rows.base import Merged, Move, Moved, OneStatement, RowWriter
from chart_app.storage.rows.forms import coin_rows, read_candle, sorted_rows, trade_columns
from chart_app.storage.schema import Exact
from streaming.slices import chunks

#: After a trade was not new, so many transactions expect more of that.
CAREFUL_TRANSACTIONS = 100
#: A statement with more rows could take longer than one may: some 15,000 candles take 0.8 s.
ROWS_MAX = 10_000
#: So many trades, or fewer, are stored by one statement for all; more are faster by COPY.
ONE_STATEMENT_TRADES = 500


_INSERT = (
    "INSERT INTO {table} AS stored ({names}) SELECT {names} "
    "FROM {arrays} AS incoming ({names}) {which} {then}"
)


def insert_arrays(table: Table, then: str, *, which: str = "", first: int = 1) -> str:
    """Return a statement that inserts rows, given an array of each column in their order.

    ``which`` are clauses about the rows that come in, ``then`` those about the rows of the table.
    ``first`` is the number of the first parameter.
    """
    columns = schema.given_columns(table)
    return _INSERT.format(
        table=table.name,
        names=_names(columns),
        arrays=_arrays(map(_array_type, columns), first),
        which=which,
        then=then,
    )


def _names(columns: Iterable[Column[Any]]) -> str:
    return ", ".join(column.name for column in columns)


def _array_type(column: Column[Any]) -> str:
    if isinstance(column.type, Exact):
        return "numeric"
    return "bigint" if isinstance(column.type, Integer) else "text"


def _arrays(types: Iterable[str], first: int = 1) -> str:
    """Return a table function of arrays of these types, given as texts."""
    parameters = (f"CAST(${n}::text AS {type_}[])" for n, type_ in enumerate(types, first))
    return f"unnest({', '.join(parameters)})"


def on_conflict_set(keys: Iterable[Column[Any]], changes: Mapping[str, str]) -> str:
    """Return the conflict clause that changes columns of the row with the same keys."""
    changed = ", ".join(f"{name} = {value}" for name, value in changes.items())
    return f"ON CONFLICT ({_names(keys)}) DO UPDATE SET {changed}"


#: The order of a candle's first and last trades, see :class:`chart_app.model.candles.Mark`.
_MARK = "({0}.{1}_time, CAST({0}.{1}_sequence AS numeric), {0}.{1}_id)"
_MERGED_MARK = "CASE WHEN {} {} {} THEN stored.{{0}} ELSE excluded.{{0}} END"
#: How the columns of two candles are merged, as :func:`chart_app.model.candles.merge` does it, by
#: the beginning of the attribute that they are read from.
_MERGE = {
    "first": _MERGED_MARK.format(
        _MARK.format("stored", "first"), "<=", _MARK.format("excluded", "first")
    ),
    "last": _MERGED_MARK.format(
        _MARK.format("stored", "last"), ">=", _MARK.format("excluded", "last")
    ),
    "high": "greatest(stored.{0}, excluded.{0})",
    "low": "least(stored.{0}, excluded.{0})",
    **dict.fromkeys(("volume", "quote_volume", "trades"), "stored.{0} + excluded.{0}"),
}


_CANDLE_TEXTS = ", ".join(
    f"stored.{it.name}" if isinstance(it.type, Integer) else f"CAST(stored.{it.name} AS text)"
    for it in schema.candles.columns
)
_MERGED = on_conflict_set(
    schema.candles.primary_key,
    {it.name: _MERGE[it.attribute.split(".")[0]].format(it.name) for it in candle_model.COLUMNS},
)
_MERGED += f" RETURNING {_CANDLE_TEXTS}"
MERGE_CANDLES = insert_arrays(schema.candles, _MERGED)
PUT_CANDLES = insert_arrays(
    schema.candles,
    on_conflict_set(
        schema.candles.primary_key,
        {it.name: f"excluded.{it.name}" for it in candle_model.COLUMNS},
    ),
)
PUT_SCALES = insert_arrays(
    schema.coins,
    on_conflict_set(
        [schema.coins.c.coin],
        {
            name: f"greatest(stored.{name}, excluded.{name})"
            for name in (schema.coins.c.price_scale.name, schema.coins.c.amount_scale.name)
        },
    ),
)
INSERT_NEW_COINS = insert_arrays(schema.coins, "ON CONFLICT DO NOTHING")
#: LIMIT has each looked up by its index: a join may read the whole table.
_SELECT_OTHERS = """
    SELECT given.coin_id, given.trade_id, stored.price, stored.amount
    FROM {given} AS given (coin_id, trade_id, price, amount) CROSS JOIN LATERAL (
        SELECT price, amount FROM trades
        WHERE trade_id = given.trade_id AND coin_id = given.coin_id LIMIT 1
    ) AS stored
    WHERE stored.price <> given.price OR stored.amount <> given.amount"""
SELECT_OTHERS = _SELECT_OTHERS.format(given=_arrays(("integer", "text", "numeric", "numeric")))
#: Joins: ``= ANY`` compares each coin with each name where PostgreSQL believes the table to be
#: small, as after its first rows, which takes 12 s for 5,000 of 10,000 coins.
_SELECT_COINS = """
    SELECT {columns}
    FROM coins JOIN unnest(CAST($1::text AS text[])) AS wanted (name) ON {key} = wanted.name"""
SELECT_ALIKE = _SELECT_COINS.format(columns="folded, coin", key="folded")
SELECT_COIN_IDS = _SELECT_COINS.format(columns="coin, id", key="coin")
#: The lock of who adds coins, or a store. A lock of a table would deadlock with who changes scales.
#: Nobody who waits for it has a lock but on its partitions, which it locked before.
LOCK_ADDITIONS = "SELECT pg_advisory_xact_lock(7310597138900)"  # any number that nobody else takes
#: The lock of who adds partitions. It is not the same one: who adds coins has locked partitions
#: before, and who adds partitions changes some afterwards.
LOCK_PARTITIONS = "SELECT pg_advisory_xact_lock(7310597138901)"
_MOVE_OFFSETS = """
    UPDATE partitions SET next_offset = move."end"
    FROM {moves} AS move (topic, partition, id, start, "end")
    WHERE partitions.id = move.id AND partitions.topic = move.topic
        AND partitions.partition = move.partition AND partitions.next_offset = move.start
        AND is_current AND (SELECT version FROM store) = {version}
    RETURNING partitions.id, (SELECT revision FROM store) AS revision"""
MOVE_OFFSETS = _MOVE_OFFSETS.format(
    moves=_arrays(("text", "integer", "integer", "bigint", "bigint")), version=schema.VERSION
)
_trades = schema.trades.c
INSERT_NEW_TRADES = insert_arrays(
    schema.trades,
    "ON CONFLICT DO NOTHING RETURNING id",
    # As for candles: two transactions that insert the same ids cannot deadlock. Of the trades with
    # one id the first counts.
    which=f"ORDER BY {_names((_trades.trade_id, _trades.coin_id, _trades.id))}",
)
#: Unless all offsets are moved, it divides by zero. A part that needs what another returns runs
#: after it: so rows are locked in the same order as by a statement for each part.
_ALL = """
    WITH moved AS ({move_offsets}),
    fence AS (
        SELECT 1 / CAST(count(*) = cardinality(CAST($1::text AS text[])) AS integer) AS passed,
            max(revision) AS revision
        FROM moved
    ),
    inserted AS ({insert_trades})
    {merge_candles}, (SELECT revision FROM fence)"""
_MOVE_PARAMETERS = len(Move._fields)
ALL = _ALL.format(
    move_offsets=MOVE_OFFSETS,
    insert_trades=insert_arrays(
        schema.trades,
        "RETURNING id",
        which="WHERE (SELECT passed FROM fence) = 1",
        first=_MOVE_PARAMETERS + 1,
    ),
    merge_candles=insert_arrays(
        schema.candles,
        _MERGED,
        which="WHERE (SELECT count(*) FROM inserted) >= 0",
        first=_MOVE_PARAMETERS + len(TRADE_COLUMNS) + 1,
    ),
)


class PostgreSQLRows(RowWriter):
    """Has the database merge candles, in one statement: no row need be read before.

    So transactions of several workers need no snapshot: each waits for the other's rows, and adds
    to them. Trades are copied; if one is not new, which PostgreSQL's COPY takes for an error, the
    transaction is tried again with a statement that is half as fast, and so are the next ones.
    Few trades go by one statement for all steps, which is a transaction of one round trip.
    """

    def __init__(self) -> None:
        super().__init__()
        self._careful_transactions = 0

    def move_offsets(self, connection: Connection, moves: Sequence[Move]) -> Moved:
        """Move the next offsets of partitions; return the ids of those that were moved."""
        rows = _run_rows(connection, MOVE_OFFSETS, moves)
        return Moved({row[0] for row in rows}, max((row[1] for row in rows), default=0))

    def insert_trades(self, connection: Connection, trades: Trades) -> Collection[int] | None:
        """Insert the trades that are new; return the ids of the stored, or None for all.

        Raises UniqueViolationError or DeadlockDetectedError: then try again.
        """
        columns = trade_columns(trades, self._ids())
        if self._careful_transactions:
            self._careful_transactions -= 1
            stored = {row[0] for row in _run(connection, INSERT_NEW_TRADES, columns)}
            return None if len(stored) == len(trades) else stored
        # asyncpg would read a file in a thread, and take bytes for a path.
        source = memoryview(copy_text(columns))
        names = [column.name for column in TRADE_COLUMNS]
        try:
            await_only(
                driver(connection).copy_to_table(schema.trades.name, source=source, columns=names)
            )
        except (UniqueViolationError, DeadlockDetectedError):
            self._careful_transactions = CAREFUL_TRANSACTIONS
            raise
        return None

    def other_numbers(self, connection: Connection, trades: Trades) -> Numbers:
        """Return the numbers of the stored trades with the senders' ids of these, but others."""
        coin_ids = self._ids()
        names = {coin_ids[coin]: coin for coin in set(trades.coins)}
        ids = [coin_ids[coin] for coin in trades.coins]
        given = (ids, trades.sender_ids, trades.price_texts, trades.amount_texts)
        return {
            (names[coin_id], trade_id): (price, amount)
            for coin_id, trade_id, price, amount in _run(connection, SELECT_OTHERS, given)
        }

    def merge_candles(
        self, connection: Connection, candles: Mapping[CandleKey, Candle]
    ) -> dict[CandleKey, Candle]:
        """Merge candles into the stored ones, and return the results."""
        return dict(map(read_candle, _run_rows(connection, MERGE_CANDLES, sorted_rows(candles))))

    def in_one_statement(
        self, moves: Sequence[Move], trades: Trades, candles: Mapping[CandleKey, Candle]
    ) -> OneStatement | None:
        """Return a statement that does all three, or None if that is no gain."""
        is_gain = (
            candles
            and len(trades) <= ONE_STATEMENT_TRADES
            and not self._careful_transactions
            and self._coin_ids.keys() >= set(trades.coins)
        )
        if not is_gain:
            return None
        columns = (
            *zip(*moves, strict=True),
            *trade_columns(trades, self._coin_ids),
            *zip(*sorted_rows(candles), strict=True),
        )
        return OneStatement(ALL, [array_text(it) for it in columns], _read_merged)

    def put_candles(self, connection: Connection, candles: Mapping[CandleKey, Candle]) -> None:
        """Store candles in place of those that are stored."""
        _run_rows(connection, PUT_CANDLES, sorted_rows(candles))

    def put_scales(self, connection: Connection, scales: Mapping[str, Scale]) -> None:
        """Store the scales of coins where they are larger than what is stored."""
        _run_rows(connection, PUT_SCALES, coin_rows(scales))

    def _insert_coins(self, connection: Connection, scales: Mapping[str, Scale]) -> None:
        _run_rows(connection, INSERT_NEW_COINS, coin_rows(scales))

    def lock_additions(self, connection: Connection) -> None:
        """Take a lock that only they take."""
        _run(connection, LOCK_ADDITIONS, ())

    def lock_partitions(self, connection: Connection) -> None:
        """Take a lock that only they take."""
        _run(connection, LOCK_PARTITIONS, ())

    def _select_alike(self, connection: Connection, folded: Sequence[str]) -> dict[str, str]:
        return dict(map(tuple, _run(connection, SELECT_ALIKE, [folded])))

    def _select_coin_ids(self, connection: Connection, coins: Collection[str]) -> dict[str, int]:
        return dict(map(tuple, _run(connection, SELECT_COIN_IDS, [list(coins)])))


def _read_merged(rows: Sequence[Any]) -> Merged:
    return Merged(dict(read_candle(tuple(row)[:-1]) for row in rows), rows[0][-1])


_COPY_LINE = "\t".join("%s" for _ in TRADE_COLUMNS) + "\n"
#: What COPY's text form has another meaning for, and how it is written there:
#: postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS
_COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
#: The same of an array's text: postgresql.org/docs/current/arrays.html#ARRAYS-IO
_ARRAY_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\""})
_SPECIAL = re.compile(r'[\\\t\n\r"]')


def copy_text(columns: Sequence[Sequence[Any]]) -> bytes:
    """Return the columns of trades as rows in the text form of PostgreSQL's COPY."""
    texts = (
        _copy_texts(values) if column.type is str else values
        for column, values in zip(TRADE_COLUMNS, columns, strict=True)
    )
    return "".join(map(_COPY_LINE.__mod__, zip(*texts, strict=True))).encode()


def _copy_texts(texts: Sequence[str | None]) -> Sequence[str]:
    return [r"\N" if text is None else text for text in _escaped(texts, _COPY_ESCAPES)]


def array_text(values: Sequence[Any]) -> str:
    """Return integers, or texts and nulls, as the text of a PostgreSQL array."""
    if values and isinstance(values[0], int):
        return "{" + ",".join(map(str, values)) + "}"
    texts = _escaped(values, _ARRAY_ESCAPES)
    return "{" + ",".join(["NULL" if text is None else f'"{text}"' for text in texts]) + "}"


def _escaped(texts: Sequence[str | None], escapes: Mapping[int, str]) -> Sequence[str | None]:
    if _SPECIAL.search("".join(filter(None, texts))):
        return [text and text.translate(escapes) for text in texts]
    return texts


def _run(connection: Connection, sql: str, columns: Iterable[Sequence[Any]]) -> Sequence[Any]:
    """Run a statement with the array of each column; return the rows that it finds."""
    arrays = map(array_text, columns)
    rows: Sequence[Any] = await_only(driver(connection).fetch(sql, *arrays))
    return rows


def _run_rows(connection: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> Sequence[Any]:
    return [
        row
        for some in chunks(rows, ROWS_MAX)
        for row in _run(connection, sql, zip(*some, strict=True))
    ]
