"""Candles, coins and trades as rows of their tables."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any

from chart_app.model import candles as model
from chart_app.model.candles import Candle, CandleKey
from chart_app.model.decimals import plain
from chart_app.model.intervals import Interval
from chart_app.model.scale import Scale
from chart_app.model.trades import COLUMNS as TRADE_COLUMNS
from chart_app.model.trades import Trades
from chart_app.storage import schema


def candle_row(key: CandleKey, candle: Candle) -> list[Any]:
    """Return a row of the table of candles: texts and integers."""
    row = [key.coin, key.interval.value, key.open_time, *model.column_values(candle)]
    for index in _DECIMALS:
        row[index] = plain(row[index])
    for index in _TEXTS:
        row[index] = str(row[index])
    return row


def sorted_rows(candles: Mapping[CandleKey, Candle]) -> list[list[Any]]:
    """Return the rows of candles, sorted.

    Two transactions that lock the same rows in the same order cannot deadlock.
    """
    return [candle_row(key, candles[key]) for key in sorted(candles)]


def coin_rows(scales: Mapping[str, Scale]) -> list[tuple[Any, ...]]:
    """Return the rows of coins with these scales, without ids, sorted for the same reason."""
    return [(coin, coin.casefold(), *scales[coin]) for coin in sorted(scales)]


_trade_columns = attrgetter(*(column.attribute for column in TRADE_COLUMNS))


def trade_columns(trades: Trades, coin_ids: Mapping[str, int]) -> list[Sequence[Any]]:
    """Return the columns of the table of trades."""
    columns = list(_trade_columns(trades))
    columns[_COIN] = [coin_ids[coin] for coin in columns[_COIN]]
    return columns


_COIN = [column.name for column in TRADE_COLUMNS].index(schema.COIN_ID)


def _indexes(type_: type) -> list[int]:
    """Return the indexes in a row of the candle's columns of a type."""
    columns = enumerate(model.COLUMNS, len(schema.candles.primary_key))
    return [index for index, column in columns if column.type is type_]


_DECIMALS = _indexes(Decimal)
_TEXTS = _indexes(str)


def read_candle(row: Sequence[Any]) -> tuple[CandleKey, Candle]:
    """Return the key and the candle of a row of the table of candles; decimals may be text."""
    coin, interval, open_time, *values = row
    return CandleKey(coin, Interval(interval), open_time), model.from_columns(values)
