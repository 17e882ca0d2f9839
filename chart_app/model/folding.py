"""Folds the trades of a batch, of any coins, into candles."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from chart_app.model.candles import Candle, CandleKey, PlainTick, fold_coin, merge
from chart_app.model.scale import Scale, scale_of
from chart_app.model.trades import Trades


class Folded(NamedTuple):
    """The candles of trades, and the scales of their coins."""

    candles: dict[CandleKey, Candle]
    scales: dict[str, Scale]


def fold_trades(trades: Trades) -> Folded:
    """Return the candles and scales of trades."""
    ticks: dict[str, list[PlainTick]] = defaultdict(list)
    for coin, tick in zip(trades.coins, trades.ticks(), strict=True):
        ticks[coin].append(tick)
    candles = {
        CandleKey(coin, interval, open_time): candle
        for coin, coin_ticks in ticks.items()
        for interval, open_time, candle in fold_coin(coin_ticks)
    }
    scales = {coin: _scale(coin_ticks) for coin, coin_ticks in ticks.items()}
    return Folded(candles, scales)


def _scale(ticks: Iterable[PlainTick]) -> Scale:
    _, _, _, prices, amounts = zip(*ticks, strict=True)
    return scale_of(prices, amounts)


def combine(parts: Iterable[Folded]) -> Folded:
    """Return the candles and scales of all parts together."""
    candles: dict[CandleKey, Candle] = {}
    scales: dict[str, Scale] = {}
    for part in parts:
        for key, candle in part.candles.items():
            candles[key] = merge(candles[key], candle) if key in candles else candle
        for coin, scale in part.scales.items():
            scales[coin] = scales[coin].union(scale) if coin in scales else scale
    return Folded(candles, scales)
