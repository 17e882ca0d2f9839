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

#: Raised with every change that an older program could not read. There is no migration yet:
#: a store of another version is refused at the start.
VERSION = 1

SQLITE = "sqlite"


class Exact(TypeDecorator[Decimal]):
    """A decimal with all its digits: NUMERIC, and in SQLite, which has none, plain text."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column's type in the database."""
        return dialect.type_descriptor(Text() if dialect.name == SQLITE else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Return what is stored."""
        return None if value is None else exact_binder(dialect)(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Return what was stored."""
        return None if value is None else Decimal(value)


def exact_binder(dialect: Dialect) -> Callable[[Decimal], Any]:
    """Return the function that makes of a decimal what :class:`Exact` stores of it."""
    return plain if dialect.name == SQLITE else _as_it_is


def _as_it_is(number: Decimal) -> Decimal:
    return number


TYPES = {str: Text, int: BigInteger, Decimal: Exact}


def _column(it: model.Column) -> Column[Any]:
    return Column(it.name, TYPES[it.type], nullable=it.is_nullable)


metadata = MetaData()

#: One row: what this store is.
store = Table(
    "store",
    metadata,
    Column("version", Integer, nullable=False),
    # False once a worker has run with STORE_TRADES=false: candles then know more than trades.
    Column("has_all_trades", Boolean, nullable=False),
)

#: How far each partition has been consumed: the fence between two workers.
consumed = Table(
    "consumed",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    # Kafka's id of the topic: one that was deleted and created again has another.
    Column("topic_id", Text, nullable=False),
    # Of this partition of this topic id, in the ids of its trades. Never used again.
    Column("log", Integer, nullable=False, unique=True, key="partition_id"),
)

#: Every trade once: the primary key keeps an offset from being stored twice.
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
#: trades that gave open and close: an earlier or later one that comes still takes their place.
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
    Column("folded", Text, nullable=False, index=True),  # to find it without regard to case
    Column("price_places", Integer, nullable=False, key="price_scale"),
    Column("amount_places", Integer, nullable=False, key="amount_scale"),
)
