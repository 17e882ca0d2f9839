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


def plain(number: Decimal) -> str:
    """Return the digits of a number without an exponent."""
    text = str(number)
    return f"{number:f}" if "E" in text else text


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
    # Kafka's id of the topic: one that was deleted and made again has another.
    Column("topic_id", Text, nullable=False),
    # The number of this partition, of this topic id, in the ids of its trades. Never used again.
    Column("log", Integer, nullable=False, unique=True),
)

#: Every trade once. ``id`` is made of the number of its partition and its offset there, so that
#: the primary key keeps an offset from being stored twice; see :func:`trade_id`.
trades = Table(
    "trades",
    metadata,
    Column("id", BigInteger().with_variant(Integer, SQLITE), primary_key=True, autoincrement=False),
    Column("coin", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("price", Exact, nullable=False),
    Column("amount", Exact, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("trade_id", Text),
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
    Column("open", Exact, nullable=False),
    Column("high", Exact, nullable=False),
    Column("low", Exact, nullable=False),
    Column("close", Exact, nullable=False),
    Column("volume", Exact, nullable=False),
    Column("quote_volume", Exact, nullable=False),
    Column("trades", BigInteger, nullable=False),
    Column("first_time", BigInteger, nullable=False),
    Column("first_sequence", Text, nullable=False),  # up to 64 digits
    Column("first_id", BigInteger, nullable=False),
    Column("last_time", BigInteger, nullable=False),
    Column("last_sequence", Text, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: Every coin, and how many decimal places its prices and amounts have had at most.
coins = Table(
    "coins",
    metadata,
    Column("coin", Text, primary_key=True),
    Column("folded", Text, nullable=False, index=True),  # to find it without regard to case
    Column("price_places", Integer, nullable=False),
    Column("amount_places", Integer, nullable=False),
)

#: Bits of an offset in a trade's id: with 12 bits for the partition the ids stay below 2^53,
#: which JavaScript's numbers hold exactly.
OFFSET_BITS = 41
MAX_LOGS = 1 << 12


def trade_id(log: int, offset: int) -> int:
    """Return the id of the trade at an offset of a partition whose ``consumed.log`` is given."""
    return log << OFFSET_BITS | offset


def place(id_: int) -> tuple[int, int]:
    """Return the ``consumed.log`` and the offset of a trade's id."""
    return id_ >> OFFSET_BITS, id_ & ((1 << OFFSET_BITS) - 1)
