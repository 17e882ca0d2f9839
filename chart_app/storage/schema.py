"""The tables of the store, the same in SQLite and PostgreSQL."""

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from chart_app.model import columns as model
from chart_app.model.candles import COLUMNS as CANDLE_COLUMNS
from chart_app.model.trades import COLUMNS as TRADE_COLUMNS
from chart_app.storage.errors import WrongStore

#: To be raised with every change that an older program could not read or write, together with a
#: migration in :mod:`chart_app.storage.migrations`.
#: The order of columns is not part of it: all statements name them.
VERSION = 3
#: The first version of the program that can use it.
PROGRAM = "0.3.0"

SQLITE = "sqlite"


class Exact(TypeDecorator[Decimal]):
    """A decimal with all its digits: NUMERIC, or text in SQLite, which has no such type."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column's type in the database."""
        return dialect.type_descriptor(Text() if dialect.name == SQLITE else Numeric())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Return the decimal that was stored."""
        return None if value is None else Decimal(value)


#: Text that compares byte by byte, which is faster in PostgreSQL than by the rules of a language,
#: and the same wherever it runs.
Bytewise: TypeEngine[str] = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

#: The column of trades that refers to the table of coins.
COIN_ID = "coin_id"
TYPES: dict[type, Any] = {str: Bytewise, int: BigInteger, Decimal: Exact}


def _column(declared: model.Column) -> Column[Any]:
    type_ = Integer if declared.name == COIN_ID else TYPES[declared.type]
    return Column(declared.name, type_, nullable=declared.is_nullable)


metadata = MetaData()

#: One row: the version and the content of this store.
store = Table(
    "store",
    metadata,
    Column("version", Integer, nullable=False),
    # The first version of the program that can use it.
    Column("program", Text, nullable=False),
    # False once a worker has run with STORE_TRADES=false: candles then count unstored trades.
    Column("has_all_trades", Boolean, nullable=False),
    # Raised by each void and each undo: :mod:`chart_app.storage.voids`.
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
)

#: Every partition of every topic that was ever consumed, and how far: the fence between two
#: workers. Its ids are part of the ids of trades (:mod:`chart_app.model.trade_ids`), and no row is
#: ever removed.
partitions = Table(
    "partitions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, key="partition_id"),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    # Kafka's id of the topic, which changes when a topic is deleted and created again. Version 1
    # of the tables did not keep that of a deleted one.
    Column("topic_id", Text),
    Column("next_offset", BigInteger, nullable=False),
    # False once the topic has been deleted and created again.
    Column("is_current", Boolean, nullable=False),
)
Index(
    "partitions_current",
    partitions.c.topic,
    partitions.c.partition,
    unique=True,
    sqlite_where=partitions.c.is_current.is_(True),
    postgresql_where=partitions.c.is_current,
)

#: Every trade once. In SQLite the table is its primary key's B-tree, to which other indexes refer
#: by the key: so they need no column for the order of trades of one time.
trades = Table(
    "trades",
    metadata,
    *(_column(it) for it in TRADE_COLUMNS),
    PrimaryKeyConstraint("coin_id", "id"),
    Index("trades_coin_time", "coin_id", "time"),
    sqlite_with_rowid=False,
)
Index(
    "trades_trade_id",
    trades.c.trade_id,  # first, because most differ in it: fewer comparisons
    trades.c.coin_id,
    unique=True,
    sqlite_where=trades.c.trade_id.is_not(None),
    postgresql_where=trades.c.trade_id.is_not(None),
)

#: Every void, and its undo: who took trades out of the candles, and why.
voids = Table(
    "voids",
    metadata,
    # The store's revision since this void.
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("coin", Bytewise, nullable=False),
    Column("trades", BigInteger, nullable=False),
    Column("first_time", BigInteger, nullable=False),
    Column("last_time", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    # The store's revision since its undo.
    Column("undo_id", BigInteger),
    Column("undo_time", BigInteger),
    Column("undo_who", Text),
    Column("undo_why", Text),
)

#: The trades of every void as they were in the table of trades, also of those that were undone.
voided_trades = Table(
    "voided_trades",
    metadata,
    Column("void_id", BigInteger, nullable=False),
    *(_column(it) for it in TRADE_COLUMNS),
    PrimaryKeyConstraint("void_id", "id"),
    sqlite_with_rowid=False,
)

#: Every candle of every interval. ``first_`` and ``last_`` are the time, sequence and id of the
#: trades that gave open and close: a late trade that is earlier, or later, replaces them.
candles = Table(
    "candles",
    metadata,
    Column("coin", Bytewise, primary_key=True),
    Column("interval", Bytewise, primary_key=True),
    Column("open_time", BigInteger, primary_key=True),
    *map(_column, CANDLE_COLUMNS),
    sqlite_with_rowid=False,
)

#: Every coin, with an id that is shorter and compares faster than its name, and how many decimal
#: places its prices and amounts have had at most.
coins = Table(
    "coins",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("coin", Bytewise, nullable=False, unique=True),
    # The case-folded name, to find the coin by.
    Column("folded", Bytewise, nullable=False, index=True),
    Column("price_places", Integer, nullable=False, key="price_scale"),
    Column("amount_places", Integer, nullable=False, key="amount_scale"),
)


def given_columns(table: Table) -> list[Column[Any]]:
    """Return the columns of a row that is inserted: all but those that the database makes up."""
    return [column for column in table.columns if not column.identity]


def check_exists(connection: Connection) -> None:
    """Raise :exc:`WrongStore` unless the database has a store."""
    if not inspect(connection).has_table(store.name):
        raise WrongStore("There is no store: the database has none of its tables")


def check_version(connection: Connection) -> None:
    """Raise :exc:`WrongStore` unless this program can use the store."""
    version = read_version(connection)
    if version > VERSION:
        program = connection.scalar(select(store.c.program))
        raise WrongStore(
            f"The store has version {version} of the tables, this program version {VERSION}: "
            f"use version {program} of the program or later, or set another DATABASE_URL or "
            "DATA_DIR, to read the trades from Kafka again"
        )
    if version < VERSION:
        raise WrongStore(
            f"The store has version {version} of the tables, this program version {VERSION}: "
            "a worker migrates it at its start"
        )


def read_version(connection: Connection) -> int:
    """Return the version of an existing store, which every version has in this column.

    With further columns PostgreSQL would refuse the statement, prepared before, after a migration.
    """
    version: int = connection.execute(select(store.c.version)).scalar_one()
    return version
