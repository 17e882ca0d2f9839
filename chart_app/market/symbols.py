"""A coin as a symbol of ``exchangeInfo``.

Nothing can be ordered here: what is said of orders is what clients need to show a market.
"""

from typing import Any

from chart_app.market.assets import Market
from chart_app.model.binance.fields import Field, Format, Kind
from chart_app.model.coins import Coin
from chart_app.model.decimals import padded

#: The largest price and amount that are named. Larger ones would be right, but a client whose
#: numbers have a fixed point passes over a symbol with more than 3.4 × 10^13.
LARGEST = "9000000000"

SYMBOL = Format(
    Field("symbol", None, Kind.TEXT, "symbol"),
    Field("status", None, Kind.TEXT, None, "TRADING"),
    Field("baseAsset", None, Kind.TEXT, "base"),
    Field("baseAssetPrecision", None, Kind.INTEGER, "amount_places"),
    Field("quoteAsset", None, Kind.TEXT, "quote"),
    Field("quotePrecision", None, Kind.INTEGER, "price_places"),
    Field("quoteAssetPrecision", None, Kind.INTEGER, "price_places"),
    Field("baseCommissionPrecision", None, Kind.INTEGER, "amount_places"),
    Field("quoteCommissionPrecision", None, Kind.INTEGER, "price_places"),
    Field("orderTypes", None, Kind.TEXTS, None, ["LIMIT", "MARKET"]),
    Field("icebergAllowed", None, Kind.FLAG, None, False),
    Field("ocoAllowed", None, Kind.FLAG, None, False),
    Field("otoAllowed", None, Kind.FLAG, None, False),
    Field("opoAllowed", None, Kind.FLAG, None, False),
    Field("quoteOrderQtyMarketAllowed", None, Kind.FLAG, None, False),
    Field("allowTrailingStop", None, Kind.FLAG, None, False),
    Field("cancelReplaceAllowed", None, Kind.FLAG, None, False),
    Field("amendAllowed", None, Kind.FLAG, None, False),
    Field("pegInstructionsAllowed", None, Kind.FLAG, None, False),
    # Robots pass over what may not be traded.
    Field("isSpotTradingAllowed", None, Kind.FLAG, None, True),
    Field("isMarginTradingAllowed", None, Kind.FLAG, None, False),
    Field("filters", None, Kind.FILTERS, "filters"),
    Field("permissions", None, Kind.TEXTS, None, []),
    Field("permissionSets", None, Kind.TEXT_SETS, None, [["SPOT"]]),
    Field("defaultSelfTradePreventionMode", None, Kind.TEXT, None, "NONE"),
    Field("allowedSelfTradePreventionModes", None, Kind.TEXTS, None, ["NONE"]),
)


class Symbol:
    """A coin with its market, as it is shown."""

    def __init__(self, coin: Coin, market: Market) -> None:
        self.symbol = coin.name
        self.base = market.base
        self.quote = market.quote
        self.price_places = coin.price_scale
        self.amount_places = coin.amount_scale

    @property
    def filters(self) -> list[dict[str, Any]]:
        """Return the bounds and the steps of prices and amounts."""
        tick, lot = step(self.price_places), step(self.amount_places)
        max_price = padded(LARGEST, self.price_places)
        max_amount = padded(LARGEST, self.amount_places)
        return [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": max_price,
                "tickSize": tick,
            },
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": max_amount, "stepSize": lot},
        ]


def step(places: int) -> str:
    """Return the smallest step of numbers with so many decimal places: 2 gives 0.01."""
    return f"0.{'1':0>{places}}" if places else "1"
