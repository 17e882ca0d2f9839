"""Folding: what the trades of a batch make, of all their coins."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from chart_app.model.candles import Candle, CandleKey, PlainTick, fold_coin, merge
from chart_app.model.scale import Scale, scale_of
from chart_app.model.trades import Trades


class Folded(NamedTuple):
    """What trades make: their candles, and the scales of their coins."""

    candles: dict[CandleKey, Candle]
    scales: dict[str, Scale]


def fold_trades(trades: Trades) -> Folded:
    """Return what trades make."""
    ticks: dict[str, list[PlainTick]] = defaultdict(list)
    for coin, tick in zip(trades.coins, trades.ticks(), strict=True):
        ticks[coin].append(tick)
    candles = {
        CandleKey(coin, interval, open_time): candle
        for coin, of_coin in ticks.items()
        for interval, open_time, candle in fold_coin(of_coin)
    }
    return Folded(candles, {coin: scale_of(of_coin) for coin, of_coin in ticks.items()})


def combine(parts: Iterable[Folded]) -> Folded:
    """Return what the trades of all parts make."""
    candles: dict[CandleKey, Candle] = {}
    scales: dict[str, Scale] = {}
    for part in parts:
        for key, candle in part.candles.items():
            candles[key] = merge(candles[key], candle) if key in candles else candle
        for coin, of_coin in part.scales.items():
            scales[coin] = scales[coin].union(of_coin) if coin in scales else of_coin
    return Folded(candles, scales)
