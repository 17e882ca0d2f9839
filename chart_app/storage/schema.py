"""The tables of the store, the same in SQLite and PostgreSQL."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine

from chart_app.model import columns as model
from chart_app.model.candles import COLUMNS as CANDLE_COLUMNS
from chart_app.model.decimals import plain
from chart_app.model.trades import COLUMNS as TRADE_COLUMNS
from chart_app.storage.errors import WrongStore

#: To be raised with every change that an older program could not read. There is no migration
#: yet: a store of another version is refused at the start.
#: The order of columns is not part of it: all statements name them.
VERSION = 1

SQLITE = "sqlite"


class Exact(TypeDecorator[Decimal]):
    """A decimal with all its digits: NUMERIC, or text in SQLite, which has no such type."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column's type in the database."""
        return dialect.type_descriptor(Text() if dialect.name == SQLITE else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Return the value that is stored."""
        return None if value is None else exact_binder(dialect)(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Return the decimal that was stored."""
        return None if value is None else Decimal(value)


def exact_binder(dialect: Dialect) -> Callable[[Decimal], Any]:
    """Return the function that converts a decimal to what :class:`Exact` stores."""
    return plain if dialect.name == SQLITE else _unchanged


def _unchanged(number: Decimal) -> Decimal:
    return number


TYPES = {str: Text, int: BigInteger, Decimal: Exact}


def _column(declared: model.Column) -> Column[Any]:
    return Column(declared.name, TYPES[declared.type], nullable=declared.is_nullable)


metadata = MetaData()

#: One row: the version and the content of this store.
store = Table(
    "store",
    metadata,
    Column("version", Integer, nullable=False),
    # False once a worker has run with STORE_TRADES=false: candles then count unstored trades.
    Column("has_all_trades", Boolean, nullable=False),
)

#: How far each partition is consumed: the fence between two workers.
consumed = Table(
    "consumed",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    # Kafka's id of the topic, which changes when a topic is deleted and created again.
    Column("topic_id", Text, nullable=False),
    # Identifies this partition of this topic id in the ids of trades. Never reused.
    Column("log", Integer, nullable=False, unique=True, key="partition_id"),
)

#: Every trade once: the primary key prevents an offset from being stored twice.
trades = Table(
    "trades",
    metadata,
    Column("id", BigInteger().with_variant(Integer, SQLITE), primary_key=True, autoincrement=False),
    *(_column(it) for it in TRADE_COLUMNS if it.name != "id"),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Index("trades_coin_time", "coin", "time", "id"),
    Index("trades_coin_id", "coin", "id"),
)
Index(
    "trades_coin_trade_id",
    trades.c.coin,
    trades.c.trade_id,
    unique=True,
    sqlite_where=trades.c.trade_id.is_not(None),
    postgresql_where=trades.c.trade_id.is_not(None),
)

#: Every candle of every interval. ``first_`` and ``last_`` are the time, sequence and id of the
#: trades that gave open and close: a late trade that is earlier, or later, replaces them.
candles = Table(
    "candles",
    metadata,
    Column("coin", Text, primary_key=True),
    Column("interval", Text, primary_key=True),
    Column("open_time", BigInteger, primary_key=True),
    *map(_column, CANDLE_COLUMNS),
    sqlite_with_rowid=False,
)

#: Every coin, and how many decimal places its prices and amounts have had at most.
coins = Table(
    "coins",
    metadata,
    Column("coin", Text, primary_key=True),
    Column("folded", Text, nullable=False, index=True),  # the case-folded name, to find the coin by
    Column("price_places", Integer, nullable=False, key="price_scale"),
    Column("amount_places", Integer, nullable=False, key="amount_scale"),
)


def check_version(version: int) -> None:
    """Raise :exc:`WrongStore` unless this program can use tables of a version."""
    if version != VERSION:
        raise WrongStore(
            f"The store has version {version} of the tables, this program version {VERSION}: use "
            "the program of that version, or set another DATABASE_URL or DATA_DIR, to read the "
            "trades from Kafka again"
        )
