"""Klines and trades in the format of Binance's spot API, for REST, WebSocket and OpenAPI.

https://developers.binance.com/docs/binance-spot-api-docs. Decimals are text, times ms. The
taker's side is unknown: taker volumes are 0, and the buyer is never given as the maker.
"""

from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from chart_app.model import candles
from chart_app.model.candles import Candle, PublicCandle
from chart_app.model.decimals import EXACT, plain
from chart_app.model.intervals import Interval
from chart_app.model.trades import PublicTrade

CLOSE_TIME = "close_time"
UNKNOWN = "0"


class KlineField(NamedTuple):
    """A field of a kline: its title, its key in an event, and the column of the candle it holds.

    ``column`` is one of :data:`candles.COLUMNS`, ``open_time``, :data:`CLOSE_TIME`, or None for
    a field that is always :data:`UNKNOWN`.
    """

    title: str
    key: str
    column: str | None


#: In the order of a kline's row in REST.
KLINE = (
    KlineField("open time (ms)", "t", "open_time"),
    KlineField("open", "o", "open"),
    KlineField("high", "h", "high"),
    KlineField("low", "l", "low"),
    KlineField("close", "c", "close"),
    KlineField("volume", "v", "volume"),
    KlineField("close time (ms)", "T", CLOSE_TIME),
    KlineField("quote volume", "q", "quote_volume"),
    KlineField("trades", "n", "trades"),
    KlineField("taker buy volume", "V", None),
    KlineField("taker buy quote volume", "Q", None),
    KlineField("ignore", "B", None),
)
CLOSE_TIME_INDEX = [field.column for field in KLINE].index(CLOSE_TIME)


def kline_row(interval: Interval, open_time: int, candle: Candle) -> list[Any]:
    """Return a kline as a row of REST. ``storage.queries`` builds the same row in SQL."""
    values = dict(zip(_CANDLE_COLUMNS, candles.column_values(candle), strict=True))
    values |= {"open_time": open_time, CLOSE_TIME: interval.end_time(open_time) - 1}
    row = (values[field.column] if field.column else UNKNOWN for field in KLINE)
    return [plain(value) if isinstance(value, Decimal) else value for value in row]


_CANDLE_COLUMNS = [column.name for column in candles.COLUMNS]


def kline_event(
    coin: str, candle: PublicCandle, revision: int, *, closed: bool, now_ms: int
) -> dict[str, Any]:
    """Return the WebSocket event of a candle. ``revision`` is a field that Binance's has not."""
    fields = {
        "s": coin,
        "i": candle.interval,
        "f": candle.first_id,
        "L": candle.last_id,
        "x": closed,
        "T": candle.interval.end_time(candle.open_time) - 1,
        **dict(zip(_STORED_KEYS, _stored_fields(candle), strict=True)),
        **_UNKNOWN_FIELDS,
    }
    kline = {key: fields[key] for key in _EVENT_KEYS}
    return {"e": "kline", "E": now_ms, "s": coin, "k": kline, "revision": revision}


#: In Binance's order.
_EVENT_KEYS = "tTsifLochlvnxqVQB"
_STORED = [field for field in KLINE if field.column not in {None, CLOSE_TIME}]
_STORED_KEYS = [field.key for field in _STORED]
_stored_fields = attrgetter(*(str(field.column) for field in _STORED))
_UNKNOWN_FIELDS = {field.key: UNKNOWN for field in KLINE if field.column is None}


def trade_row(trade: PublicTrade) -> dict[str, Any]:
    """Return an item of ``/api/v3/trades``."""
    return {
        "id": trade.id,
        "price": trade.price,
        "qty": trade.amount,
        "quoteQty": plain(EXACT.multiply(Decimal(trade.price), Decimal(trade.amount))),
        "time": trade.time,
        "isBuyerMaker": False,
        "isBestMatch": True,
    }


def trade_event(coin: str, trade: PublicTrade, now_ms: int) -> dict[str, Any]:
    """Return the WebSocket event of a trade."""
    return {
        "e": "trade",
        "E": now_ms,
        "s": coin,
        "t": trade.id,
        "p": trade.price,
        "q": trade.amount,
        "T": trade.time,
        "m": False,
        "M": True,
    }


def agg_trade_row(trade: PublicTrade) -> dict[str, Any]:
    """Return an item of ``/api/v3/aggTrades``: each trade is its own aggregate."""
    return {
        "a": trade.id,
        "p": trade.price,
        "q": trade.amount,
        "f": trade.id,
        "l": trade.id,
        "T": trade.time,
        "m": False,
        "M": True,
    }


def agg_trade_event(coin: str, trade: PublicTrade, now_ms: int) -> dict[str, Any]:
    """Return the WebSocket event of an aggregate trade."""
    return {"e": "aggTrade", "E": now_ms, "s": coin, **agg_trade_row(trade)}
