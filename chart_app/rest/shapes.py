"""The shapes of Binance's spot API, but for its klines. Pure.

Nobody knows which side took: ``isBuyerMaker`` is false.
"""

from decimal import Context, Decimal
from typing import Any

from chart_app.model.candles import EXACT
from chart_app.rest.market import LARGEST, Market, step
from chart_app.storage.reader import Coin, Day, PastTrade
from chart_app.storage.schema import plain

#: For quotients, which have no end: they are rounded to a number of places after.
_ROUNDING = Context(prec=EXACT.prec)
PERCENT_PLACES = 3
#: Of average prices: as many as the coin's prices have, but at least these.
AVERAGE_PLACES = 8


def symbol(coin: Coin, market: Market) -> dict[str, Any]:
    """Return an item of exchangeInfo's ``symbols``."""
    tick, lot = step(coin.price_places), step(coin.amount_places)
    return {
        "symbol": coin.name,
        "status": "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": coin.amount_places,
        "quoteAsset": market.quote,
        "quotePrecision": coin.price_places,
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


def trade(past: PastTrade) -> dict[str, Any]:
    """Return an item of trades."""
    return {
        "id": past.id,
        "price": plain(past.price),
        "qty": plain(past.amount),
        "quoteQty": plain(EXACT.multiply(past.price, past.amount)),
        "time": past.time,
        "isBuyerMaker": False,
        "isBestMatch": True,
    }


def agg_trade(past: PastTrade) -> dict[str, Any]:
    """Return an item of aggTrades: one trade is one aggregate."""
    return {
        "a": past.id,
        "p": plain(past.price),
        "q": plain(past.amount),
        "f": past.id,
        "l": past.id,
        "T": past.time,
        "m": False,
        "M": True,
    }


def ticker(day: Day) -> dict[str, Any]:
    """Return an item of ticker/24hr."""
    change = EXACT.subtract(day.close, day.open)
    places = max(AVERAGE_PLACES, day.coin.price_places)
    return {
        "symbol": day.coin.name,
        "priceChange": plain(change),
        "priceChangePercent": _quotient(
            EXACT.multiply(change, Decimal(100)), day.open, PERCENT_PLACES
        ),
        "weightedAvgPrice": _quotient(day.quote_volume, day.volume, places),
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


def _quotient(dividend: Decimal, divisor: Decimal, places: int) -> str:
    quotient = _ROUNDING.divide(dividend, divisor)
    return plain(_ROUNDING.quantize(quotient, Decimal(1).scaleb(-places)))
