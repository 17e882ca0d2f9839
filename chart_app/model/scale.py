"""How many digits behind the point a coin's prices and amounts need. Pure."""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import NamedTuple

from chart_app.model.candles import EXACT, PlainTick


class Places(NamedTuple):
    """How many decimal places a coin's prices and amounts have at most."""

    price: int
    amount: int

    def within(self, other: "Places | None") -> bool:
        """Tell whether the others suffice."""
        return other is not None and self.price <= other.price and self.amount <= other.amount

    def union(self, other: "Places") -> "Places":
        """Return what suffices for both."""
        return Places(max(self.price, other.price), max(self.amount, other.amount))


def count_places(ticks: Iterable[PlainTick]) -> Places:
    """Return the decimal places of a coin's trades. An exact sum has as many as its parts."""
    _, _, _, prices, amounts = zip(*ticks, strict=True)
    with localcontext(EXACT):
        return Places(decimal_places(sum(prices)), decimal_places(sum(amounts)))


def decimal_places(number: Decimal) -> int:
    """Return how many digits a number has behind the point."""
    return max(0, -int(number.as_tuple().exponent))
