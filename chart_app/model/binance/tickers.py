"""Tickers in the format of Binance's spot API: what a coin's trades of a window of time come to.

There is no order book: bid and ask are the price of the last trade, with an amount of 0.
"""

from decimal import Context, Decimal
from typing import Any

from chart_app.model.binance.fields import Field, Format, Kind
from chart_app.model.candles import PublicCandle
from chart_app.model.coins import Window
from chart_app.model.columns import Measure
from chart_app.model.decimals import EXACT, ZERO, padded, plain
from chart_app.model.intervals import MINUTE_MS
from chart_app.model.scale import Scale

#: For quotients, which may have endless digits: they are then rounded to some decimal places.
_ROUNDING = Context(prec=EXACT.prec)
PERCENT_PLACES = 3
#: Decimal places of average prices: as many as the coin's prices have, but at least these.
AVERAGE_PLACES = 8
#: Over how long ``avgPrice`` is the average.
AVERAGE_MINUTES = 5
AVERAGE_MS = AVERAGE_MINUTES * MINUTE_MS

#: An item of ``/api/v3/ticker/24hr``, and the event ``24hrTicker``, of a :class:`Ticker`.
TICKER = Format(
    Field("symbol", "s", Kind.TEXT, "symbol"),
    Field("priceChange", "p", Kind.DECIMAL, "change"),
    Field("priceChangePercent", "P", Kind.DECIMAL, "change_percent"),
    Field("weightedAvgPrice", "w", Kind.DECIMAL, "average"),
    Field("prevClosePrice", "x", Kind.DECIMAL, "previous_close"),
    Field("lastPrice", "c", Kind.DECIMAL, "close"),
    Field("lastQty", "Q", Kind.DECIMAL, "last_amount"),
    Field("bidPrice", "b", Kind.DECIMAL, "close"),
    Field("bidQty", "B", Kind.DECIMAL, "no_amount"),
    Field("askPrice", "a", Kind.DECIMAL, "close"),
    Field("askQty", "A", Kind.DECIMAL, "no_amount"),
    Field("openPrice", "o", Kind.DECIMAL, "open"),
    Field("highPrice", "h", Kind.DECIMAL, "high"),
    Field("lowPrice", "l", Kind.DECIMAL, "low"),
    Field("volume", "v", Kind.DECIMAL, "volume"),
    Field("quoteVolume", "q", Kind.DECIMAL, "turnover"),
    Field("openTime", "O", Kind.TIME, "open_time"),
    Field("closeTime", "C", Kind.TIME, "close_time"),
    Field("firstId", "F", Kind.INTEGER, "first_id"),
    Field("lastId", "L", Kind.INTEGER, "last_id"),
    Field("count", "n", Kind.INTEGER, "count"),
)
_PRICES = ("openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume")
_SPAN = ("openTime", "closeTime", "firstId", "lastId", "count")
#: With ``type=MINI``.
MINI_TICKER = TICKER.only("symbol", *_PRICES, *_SPAN)
#: An item of ``/api/v3/ticker`` and ``/api/v3/ticker/tradingDay``.
WINDOW_TICKER = TICKER.only(
    *("symbol", "priceChange", "priceChangePercent", "weightedAvgPrice"), *_PRICES, *_SPAN
)
#: The event ``24hrMiniTicker``.
MINI_TICKER_EVENT = TICKER.only("symbol", *_PRICES)
#: ``/api/v3/avgPrice``, and the event ``avgPrice``, of a :class:`Ticker` of that time.
AVERAGE_PRICE = Format(
    Field("mins", None, Kind.INTEGER, None, AVERAGE_MINUTES),
    Field(None, "i", Kind.TEXT, None, f"{AVERAGE_MINUTES}m"),
    Field("price", "w", Kind.DECIMAL, "average"),
    Field("closeTime", "T", Kind.TIME, "last_time"),
)
#: An item of ``/api/v3/ticker/bookTicker``, and the event of the best bid and ask.
BOOK_TICKER = Format(
    *TICKER.only("symbol", "bidPrice", "bidQty", "askPrice", "askQty").fields,
    Field(None, "u", Kind.INTEGER, "last_id"),
)


class Ticker:
    """A window as it is shown: its numbers have the places of the coin."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._scale = window.coin.scale
        self.symbol = window.coin.name
        self.open_time = window.open_time
        self.close_time = window.close_time
        self.last_time = window.last_time
        self.first_id = window.first_id
        self.last_id = window.last_id
        self.count = window.trades
        self.open = self._price(window.open)
        self.high = self._price(window.high)
        self.low = self._price(window.low)
        self.close = self._price(window.close)
        self.volume = self._amount(window.volume)
        self.turnover = padded(plain(window.quote_volume), self._scale.places(Measure.TURNOVER))

    @property
    def change(self) -> str:
        """Return the close minus the open."""
        return self._price(EXACT.subtract(self._window.close, self._window.open))

    @property
    def change_percent(self) -> str:
        """Return the change in percent of the open, rounded."""
        change = EXACT.subtract(self._window.close, self._window.open)
        return _quotient(EXACT.multiply(change, Decimal(100)), self._window.open, PERCENT_PLACES)

    @property
    def average(self) -> str:
        """Return the average price, weighted by amount, rounded."""
        places = max(AVERAGE_PLACES, self._scale.price)
        return _quotient(self._window.quote_volume, self._window.volume, places)

    @property
    def previous_close(self) -> str:
        """Return the price of the last trade before the window, 0 if there is none."""
        return self._price(self._window.previous_close or ZERO)

    @property
    def last_amount(self) -> str:
        """Return the amount of the last trade, 0 if it is not stored."""
        return self._amount(self._window.last_amount or ZERO)

    @property
    def no_amount(self) -> str:
        """Return 0."""
        return self._amount(ZERO)

    def _price(self, number: Decimal) -> str:
        return padded(plain(number), self._scale.price)

    def _amount(self, number: Decimal) -> str:
        return padded(plain(number), self._scale.amount)


class LastPrice:
    """The close of a coin's newest candle as best bid and ask."""

    def __init__(self, coin: str, candle: PublicCandle, scale: Scale) -> None:
        self.symbol = coin
        self.close = padded(candle.close, scale.price)
        self.no_amount = padded("0", scale.amount)
        self.last_id = candle.last_id


def _quotient(dividend: Decimal, divisor: Decimal, places: int) -> str:
    quotient = _ROUNDING.divide(dividend, divisor)
    return plain(_ROUNDING.quantize(quotient, Decimal(1).scaleb(-places)))


def ticker_event(ticker: Ticker, now_ms: int) -> dict[str, Any]:
    """Return the event ``24hrTicker``."""
    return {"e": "24hrTicker", "E": _time(ticker, now_ms), **TICKER.event(ticker)}


def mini_ticker_event(ticker: Ticker, now_ms: int) -> dict[str, Any]:
    """Return the event ``24hrMiniTicker``."""
    shown = MINI_TICKER_EVENT.event(ticker)
    return {"e": "24hrMiniTicker", "E": _time(ticker, now_ms), **shown}


def _time(ticker: Ticker, now_ms: int) -> int:
    """Return when a ticker was so: where a coin was last traded long ago, not now."""
    return min(now_ms, ticker.close_time)


def average_price_event(ticker: Ticker, now_ms: int) -> dict[str, Any]:
    """Return the event ``avgPrice``."""
    shown = AVERAGE_PRICE.event(ticker)
    return {"e": "avgPrice", "E": now_ms, "s": ticker.symbol, **shown}


def book_ticker_event(price: LastPrice) -> dict[str, Any]:
    """Return the event of the best bid and ask, which has no type and no time of its own."""
    return BOOK_TICKER.event(price)
