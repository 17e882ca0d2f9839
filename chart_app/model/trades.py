"""Trades as they are stored: column by column, for a tuple a trade would take longer. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import chain, compress
from operator import attrgetter
from typing import Any, NamedTuple

from chart_app.model.candles import PlainTick


class StoredTrade(NamedTuple):
    """One of :class:`Trades`."""

    coin: str
    time: int
    sequence: int
    id: int
    price: Decimal
    amount: Decimal
    trade_id: str | None
    offset: int
    price_text: str
    amount_text: str


@dataclass(frozen=True, slots=True)
class Trades:
    """Consecutive trades of a partition; the columns are equally long.

    times:         ms since the epoch.
    sequences:     see :func:`chart_app.model.candles.sequence`.
    ids:           the store's numbers of the trades, which grow with the offset.
    trade_ids:     the senders' own ids, as text.
    price_texts, amount_texts:  the numbers in plain digits: as stored, logged and told.
    """

    coins: tuple[str, ...] = ()
    times: tuple[int, ...] = ()
    sequences: tuple[int, ...] = ()
    ids: tuple[int, ...] = ()
    prices: tuple[Decimal, ...] = ()
    amounts: tuple[Decimal, ...] = ()
    trade_ids: tuple[str | None, ...] = ()
    offsets: tuple[int, ...] = ()
    price_texts: tuple[str, ...] = ()
    amount_texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[StoredTrade]) -> "Trades":
        """Return single trades as columns."""
        return cls(*zip(*rows, strict=True))

    @classmethod
    def joined(cls, parts: Iterable["Trades"]) -> "Trades":
        """Return all trades of the parts, one part after the other."""
        columns = zip(*map(_columns, parts), strict=True)
        return cls(*(tuple(chain.from_iterable(column)) for column in columns))

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, ids: Collection[int]) -> "Trades":
        """Return the trades with these ids."""
        chosen = [id_ in ids for id_ in self.ids]
        return Trades(*(tuple(compress(column, chosen)) for column in _columns(self)))

    def ticks(self) -> Iterator[PlainTick]:
        """Yield the trades as their candles see them."""
        return zip(self.times, self.sequences, self.ids, self.prices, self.amounts, strict=True)


_columns: Any = attrgetter(*(it.name for it in fields(Trades)))
