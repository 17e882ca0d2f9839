"""Klines in the format of Binance's spot API.

The taker's side is unknown: taker volumes are 0.
"""

from typing import Any

from chart_app.model.binance.fields import Field, Format, Kind
from chart_app.model.candles import PublicCandle
from chart_app.model.columns import Measure
from chart_app.model.decimals import padded
from chart_app.model.scale import Scale

CLOSE_TIME = "close_time"
#: Attributes that are not known, and what they measure: they are 0.
UNKNOWN = {"taker_volume": Measure.AMOUNT, "taker_quote_volume": Measure.TURNOVER}

#: In the order of a kline's row in REST, which is an array: the names are titles.
#: The attributes are those of a :class:`Kline`.
KLINE = Format(
    Field("open time", "t", Kind.TIME, "open_time"),
    Field("open", "o", Kind.DECIMAL, "open"),
    Field("high", "h", Kind.DECIMAL, "high"),
    Field("low", "l", Kind.DECIMAL, "low"),
    Field("close", "c", Kind.DECIMAL, "close"),
    Field("volume", "v", Kind.DECIMAL, "volume"),
    Field("close time", "T", Kind.TIME, CLOSE_TIME),
    Field("quote volume", "q", Kind.DECIMAL, "quote_volume"),
    Field("trades", "n", Kind.INTEGER, "trades"),
    Field("taker buy volume", "V", Kind.DECIMAL, "taker_volume"),
    Field("taker buy quote volume", "Q", Kind.DECIMAL, "taker_quote_volume"),
    Field("ignore", "B", Kind.DECIMAL, None, "0"),
)
#: Where the times are in a row.
TIME_INDEXES = [index for index, it in enumerate(KLINE.fields) if it.kind is Kind.TIME]
CLOSE_TIME_INDEX = [it.attribute for it in KLINE.fields].index(CLOSE_TIME)
#: In Binance's order.
_EVENT_KEYS = "tTsifLochlvnxqVQB"


class Kline:
    """A candle as it is shown: its numbers have the places of the coin."""

    def __init__(self, candle: PublicCandle, end_time: int, scale: Scale) -> None:
        """``end_time`` (ms) is that of its bucket."""
        self.interval = candle.interval
        self.open_time = candle.open_time
        self.close_time = end_time - 1
        self.open = padded(candle.open, scale.price)
        self.high = padded(candle.high, scale.price)
        self.low = padded(candle.low, scale.price)
        self.close = padded(candle.close, scale.price)
        self.volume = padded(candle.volume, scale.amount)
        self.quote_volume = padded(candle.quote_volume, scale.places(Measure.TURNOVER))
        self.trades = candle.trades
        self.first_id = candle.first_id
        self.last_id = candle.last_id
        self.taker_volume = padded("0", scale.places(UNKNOWN["taker_volume"]))
        self.taker_quote_volume = padded("0", scale.places(UNKNOWN["taker_quote_volume"]))


def kline_row(kline: Kline) -> list[Any]:
    """Return a kline as a row of REST. ``storage.queries`` builds the same row in SQL."""
    return list(KLINE.row(kline).values())


def in_ticks(rows: list[list[Any]], ticks_per_ms: int) -> list[list[Any]]:
    """Return rows with their times in µs, with 1000 ticks a ms."""
    if ticks_per_ms != 1:
        for row in rows:
            for index in TIME_INDEXES:
                row[index] *= ticks_per_ms
    return rows


def kline_event(
    coin: str, kline: Kline, revision: int, *, closed: bool, now_ms: int
) -> dict[str, Any]:
    """Return the WebSocket event of a candle. ``revision`` is a field that Binance's has not."""
    fields = {
        "s": coin,
        "i": kline.interval,
        "f": kline.first_id,
        "L": kline.last_id,
        "x": closed,
        **KLINE.event(kline),
    }
    shown = {key: fields[key] for key in _EVENT_KEYS}
    return {"e": "kline", "E": now_ms, "s": coin, "k": shown, "revision": revision}
