"""The scale of a coin: how many decimal places its prices and amounts have."""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import NamedTuple

from chart_app.model.candles import PlainTick
from chart_app.model.decimals import EXACT


class Scale(NamedTuple):
    """How many decimal places a coin's prices and amounts have at most."""

    price: int
    amount: int

    def within(self, other: "Scale | None") -> bool:
        """Return whether no scale exceeds the other's; False without another."""
        return other is not None and self.price <= other.price and self.amount <= other.amount

    def union(self, other: "Scale") -> "Scale":
        """Return the larger of each scale."""
        return Scale(max(self.price, other.price), max(self.amount, other.amount))


def scale_of(ticks: Iterable[PlainTick]) -> Scale:
    """Return the scale of a coin's trades: an exact sum has the decimal places of its parts."""
    _, _, _, prices, amounts = zip(*ticks, strict=True)
    with localcontext(EXACT):
        return Scale(decimal_places(sum(prices)), decimal_places(sum(amounts)))


def decimal_places(number: Decimal) -> int:
    """Return how many decimal places a number has."""
    return max(0, -int(number.as_tuple().exponent))
