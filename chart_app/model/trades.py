"""Trades in columns: a tuple for each trade would be slower in every step."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import chain, compress
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from chart_app.model.bounds import Count, Number, Time
from chart_app.model.candles import PlainTick
from chart_app.model.columns import Column, Measure
from chart_app.model.decimals import EXACT, padded, plain
from chart_app.model.scale import Scale, scale_of_texts


class StoredTrade(NamedTuple):
    """One row of :class:`Trades`."""

    coin: str
    time: int
    sequence: int
    id: int
    price: Decimal
    amount: Decimal
    sender_id: str | None
    offset: int
    price_text: str
    amount_text: str


@dataclass(frozen=True, slots=True)
class Trades:
    """Consecutive trades of a partition. All columns have the same length.

    times:         ms since the epoch.
    sequences:     see :func:`chart_app.model.candles.sequence`.
    ids:           see :mod:`chart_app.model.trade_ids`.
    sender_ids:    the senders' own ids (``tradeId``), as text.
    price_texts, amount_texts:  in plain digits, as stored, logged and broadcast.
    """

    coins: tuple[str, ...] = ()
    times: tuple[int, ...] = ()
    sequences: tuple[int, ...] = ()
    ids: tuple[int, ...] = ()
    prices: tuple[Decimal, ...] = ()
    amounts: tuple[Decimal, ...] = ()
    sender_ids: tuple[str | None, ...] = ()
    offsets: tuple[int, ...] = ()
    price_texts: tuple[str, ...] = ()
    amount_texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[StoredTrade]) -> "Trades":
        """Return rows as columns."""
        return cls(*zip(*rows, strict=True))

    @classmethod
    def joined(cls, parts: Iterable["Trades"]) -> "Trades":
        """Return the trades of all parts, in order."""
        columns = zip(*map(_columns, parts), strict=True)
        return cls(*(tuple(chain.from_iterable(column)) for column in columns))

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, ids: Collection[int]) -> "Trades":
        """Return the trades with these ids."""
        return self._chosen([id_ in ids for id_ in self.ids])

    def without(self, ids: Collection[int]) -> "Trades":
        """Return the trades with other ids."""
        return self._chosen([id_ not in ids for id_ in self.ids])

    def _chosen(self, chosen: Sequence[bool]) -> "Trades":
        return Trades(*(tuple(compress(column, chosen)) for column in _columns(self)))

    def ticks(self) -> Iterator[PlainTick]:
        """Yield the trades as ticks, for their candles."""
        return zip(self.times, self.sequences, self.ids, self.prices, self.amounts, strict=True)


#: The stored columns of a trade. Its topic, partition and offset are in its id, and its coin is
#: stored by the id that the store has given it.
COLUMNS = (
    Column("id", int, "ids"),
    Column("time", int, "times"),
    Column("coin_id", int, "coins"),
    Column("price", Decimal, "price_texts", Measure.PRICE),
    Column("amount", Decimal, "amount_texts", Measure.AMOUNT),
    Column("trade_id", str, "sender_ids", is_nullable=True),
)


class PublicTrade(msgspec.Struct, array_like=True, gc=False):
    """A trade as broadcast, streamed and read from the store.

    ``time`` in ms; decimals as text, with all digits.
    """

    id: Count
    time: Time
    price: Number
    amount: Number

    def padded(self, scale: Scale) -> "PublicTrade":
        """Return the trade with the decimal places of its coin."""
        price, amount = padded(self.price, scale.price), padded(self.amount, scale.amount)
        return PublicTrade(self.id, self.time, price, amount)

    @property
    def quote_amount(self) -> str:
        """Return price times amount, with the decimal places of both."""
        return plain(EXACT.multiply(Decimal(self.price), Decimal(self.amount)))


def scale_of(trades: Collection[PublicTrade]) -> Scale:
    """Return the scale of trades."""
    return scale_of_texts([it.price for it in trades], [it.amount for it in trades])


_ATTRIBUTES = {column.name: column.attribute for column in COLUMNS}
_public_columns = attrgetter(*(_ATTRIBUTES[name] for name in PublicTrade.__struct_fields__))


def public_rows(trades: Trades) -> Iterator[tuple[Any, ...]]:
    """Yield the trades as tuples, which are encoded like :class:`PublicTrade`."""
    return zip(*_public_columns(trades), strict=True)


_columns: Any = attrgetter(*(field.name for field in fields(Trades)))
