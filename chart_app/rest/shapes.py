"""The formats of Binance's API that only REST has."""

from decimal import Context, Decimal
from typing import Any

from chart_app.model.coins import Coin, Day
from chart_app.model.decimals import EXACT, plain
from chart_app.rest.market import LARGEST, Market, step

#: For quotients, which may have endless digits: they are then rounded to some decimal places.
_ROUNDING = Context(prec=EXACT.prec)
PERCENT_SCALE = 3
#: Decimal places of average prices: as many as the coin's prices have, but at least these.
AVERAGE_SCALE = 8


def symbol(coin: Coin, market: Market) -> dict[str, Any]:
    """Return an item of exchangeInfo's ``symbols``."""
    tick, lot = step(coin.price_scale), step(coin.amount_scale)
    return {
        "symbol": coin.name,
        "status": "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": coin.amount_scale,
        "quoteAsset": market.quote,
        "quotePrecision": coin.price_scale,
        "orderTypes": [],
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": LARGEST,
                "tickSize": tick,
            },
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": LARGEST, "stepSize": lot},
        ],
        "permissions": [],
    }


def price(coin: str, last_price: str) -> dict[str, Any]:
    """Return an item of ticker/price."""
    return {"symbol": coin, "price": last_price}


def ticker(day: Day) -> dict[str, Any]:
    """Return an item of ticker/24hr."""
    change = EXACT.subtract(day.close, day.open)
    scale = max(AVERAGE_SCALE, day.coin.price_scale)
    return {
        "symbol": day.coin.name,
        "priceChange": plain(change),
        "priceChangePercent": _quotient(
            EXACT.multiply(change, Decimal(100)), day.open, PERCENT_SCALE
        ),
        "weightedAvgPrice": _quotient(day.quote_volume, day.volume, scale),
        "lastPrice": plain(day.close),
        "openPrice": plain(day.open),
        "highPrice": plain(day.high),
        "lowPrice": plain(day.low),
        "volume": plain(day.volume),
        "quoteVolume": plain(day.quote_volume),
        "openTime": day.open_time,
        "closeTime": day.close_time,
        "count": day.trades,
    }


def _quotient(dividend: Decimal, divisor: Decimal, scale: int) -> str:
    quotient = _ROUNDING.divide(dividend, divisor)
    return plain(_ROUNDING.quantize(quotient, Decimal(1).scaleb(-scale)))
