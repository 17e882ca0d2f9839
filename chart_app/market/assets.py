"""The market of a coin: its assets, from its name."""

from collections.abc import Sequence
from typing import NamedTuple

SEPARATORS = "-_/:"


class Market(NamedTuple):
    """The base asset and the quote asset. Neither is empty."""

    base: str
    quote: str


class Markets:
    """Derives the assets of a coin from the end of its name.

    Where both sides of a separator are quotes, the one earlier in ``quote_assets`` is the quote:
    Upbit's KRW-ETH is ETH in KRW, ETH-BTC is ETH in BTC.
    """

    def __init__(self, quote_assets: Sequence[str], default_quote_asset: str) -> None:
        self._ranks = {asset: quote_assets.index(asset) for asset in quote_assets}
        self._longest_first = sorted(self._ranks, key=len, reverse=True)
        self._default_quote = default_quote_asset

    def market(self, coin: str) -> Market:
        """Return the market of a coin, both assets spelled as in its name."""
        for asset in self._longest_first:
            before, last = coin[: -len(asset)], coin[-len(asset) :]
            first = before.rstrip(SEPARATORS)
            if first and last.upper() == asset:
                is_separated = first != before
                if is_separated and self._rank(first) < self._ranks[asset]:
                    return Market(last, first)
                return Market(first, last)
        return Market(coin, self._default_quote)

    def _rank(self, name: str) -> int:
        return self._ranks.get(name.upper(), len(self._ranks))
