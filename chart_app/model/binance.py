"""The shapes of Binance's spot API that REST, WebSocket and OpenAPI share: klines and trades.

https://developers.binance.com/docs/binance-spot-api-docs. Numbers are text, times ms. Nobody knows
which side took: the takers' volumes are 0, and no buyer is a maker.
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
    """A field of a kline: what it is, its key in an event, and the candle's column.

    ``column`` is one of :data:`candles.COLUMNS`, ``open_time``, :data:`CLOSE_TIME`, or None for
    what is always :data:`UNKNOWN`.
    """

    title: str
    key: str
    column: str | None


#: In the order of a row of klines.
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
    """Return a row of klines. The database makes the same of its rows: ``storage.queries``."""
    values = dict(zip(_CANDLE_COLUMNS, candles.column_values(candle), strict=True))
    values |= {"open_time": open_time, CLOSE_TIME: interval.end_time(open_time) - 1}
    row = (values[it.column] if it.column else UNKNOWN for it in KLINE)
    return [plain(it) if isinstance(it, Decimal) else it for it in row]


_CANDLE_COLUMNS = [column.name for column in candles.COLUMNS]


def kline_event(coin: str, candle: PublicCandle, *, closed: bool, now_ms: int) -> dict[str, Any]:
    """Return the event of a candle."""
    return {
        "e": "kline",
        "E": now_ms,
        "s": coin,
        "k": {
            "s": coin,
            "i": candle.interval,
            "f": candle.first_id,
            "L": candle.last_id,
            "x": closed,
            "T": candle.interval.end_time(candle.open_time) - 1,
            **dict(zip(_STORED_KEYS, _stored_fields(candle), strict=True)),
            **_UNKNOWN_FIELDS,
        },
    }


_STORED = [it for it in KLINE if it.column not in {None, CLOSE_TIME}]
_STORED_KEYS = [it.key for it in _STORED]
_stored_fields = attrgetter(*(str(it.column) for it in _STORED))
_UNKNOWN_FIELDS = {it.key: UNKNOWN for it in KLINE if it.column is None}


def trade_row(trade: PublicTrade) -> dict[str, Any]:
    """Return an item of trades."""
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
    """Return the event of a trade."""
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
    """Return an item of aggTrades: one trade is one aggregate."""
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
    """Return the event of an aggregate."""
    return {"e": "aggTrade", "E": now_ms, "s": coin, **agg_trade_row(trade)}
