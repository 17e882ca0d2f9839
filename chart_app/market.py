"""What a coin's name says of its market: the assets, and the steps of prices and amounts. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

SEPARATORS = "-_/:"
#: A trade's price and amount are below 10^18.
LARGEST = "9" * 18


class Market(NamedTuple):
    """The asset that is traded and the one it is paid in. Neither is empty."""

    base: str
    quote: str


class Markets:
    """Tells the assets of a coin by what its name ends in."""

    def __init__(self, quote_assets: Iterable[str], default_quote_asset: str) -> None:
        self._quotes = sorted(quote_assets, key=len, reverse=True)
        self._default_quote = default_quote_asset

    def market(self, coin: str) -> Market:
        """Return the market of a coin, both assets spelled as in its name."""
        for asset in self._quotes:
            base, quote = coin[: -len(asset)], coin[-len(asset) :]
            base = base.rstrip(SEPARATORS)
            if base and quote.upper() == asset:
                return Market(base, quote)
        return Market(coin, self._default_quote)


def step(places: int) -> str:
    """Return the smallest step of numbers with so many decimal places: 2 gives 0.01."""
    return f"0.{'1':0>{places}}" if places else "1"
