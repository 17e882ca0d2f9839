"""The shape of Binance's klines. Pure."""

from typing import Any

from chart_app.model.candles import Candle
from chart_app.model.intervals import Interval
from chart_app.storage.schema import plain

#: Where a row has its close time.
CLOSE_TIME = 6


def kline(interval: Interval, open_time: int, candle: Candle) -> list[Any]:
    """Return a row of klines. Nobody knows which side took, so the takers' volumes are 0.

    The database makes the same of its rows: see :mod:`chart_app.storage.queries`.
    """
    return [
        open_time,
        *map(plain, (candle.open, candle.high, candle.low, candle.close, candle.volume)),
        interval.end_time(open_time) - 1,
        *(plain(candle.quote_volume), candle.trades),
        *("0", "0", "0"),
    ]
