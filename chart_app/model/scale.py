"""The scale of a coin: how many decimal places its prices and amounts have."""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import NamedTuple

from chart_app.model.columns import Measure
from chart_app.model.decimals import EXACT, ZERO, count_places

#: Of the decimal places of a price, or of an amount: one of 38 digits may begin 18 after the point.
MAX_PLACES = 55


class Scale(NamedTuple):
    """How many decimal places a coin's prices and amounts have at most."""

    price: int
    amount: int

    def places(self, measure: Measure) -> int:
        """Return how many decimal places a number has: a product has those of both factors."""
        if measure is Measure.PRICE:
            return self.price
        return self.amount if measure is Measure.AMOUNT else self.price + self.amount

    def within(self, other: "Scale | None") -> bool:
        """Return whether no scale exceeds the other's; False without another."""
        return other is not None and self.price <= other.price and self.amount <= other.amount

    def union(self, other: "Scale") -> "Scale":
        """Return the larger of each scale."""
        return Scale(max(self.price, other.price), max(self.amount, other.amount))


def scale_of(prices: Iterable[Decimal], amounts: Iterable[Decimal]) -> Scale:
    """Return the scale of a coin's trades: an exact sum has the decimal places of its parts."""
    with localcontext(EXACT):
        return Scale(decimal_places(sum(prices, ZERO)), decimal_places(sum(amounts, ZERO)))


def scale_of_texts(prices: Iterable[str], amounts: Iterable[str]) -> Scale:
    """Return the scale of prices and amounts in plain digits."""
    places = (max(map(count_places, it), default=0) for it in (prices, amounts))
    return Scale(*places)


def decimal_places(number: Decimal) -> int:
    """Return how many decimal places a number has."""
    return max(0, -int(number.as_tuple().exponent))
