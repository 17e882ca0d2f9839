"""What one transaction stores: consecutive trades of a partition, and what they make. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from faust.types import TP

from chart_app.model.candles import Candle, CandleKey, PlainTick, fold_coin, merge
from chart_app.model.scale import Places, count_places
from chart_app.model.trades import Trades


class Progress(NamedTuple):
    """How far a partition is consumed, and its number in the ids of its trades."""

    next_offset: int
    topic_id: str
    log: int


class Folded(NamedTuple):
    """What trades make: their candles, and the decimal places of their coins."""

    candles: dict[CandleKey, Candle]
    places: dict[str, Places]


@dataclass(frozen=True)
class Portion:
    """Consecutive trades of a partition, up to ``next_offset``, and what they make."""

    tp: TP
    progress: Progress
    next_offset: int
    trades: Trades
    folded: Folded


@dataclass(frozen=True)
class Change:
    """What was stored: the trades that were new, and their candles as they are now."""

    trades: Trades = field(default_factory=Trades)
    candles: dict[CandleKey, Candle] = field(default_factory=dict)


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
    return Folded(candles, {coin: count_places(of_coin) for coin, of_coin in ticks.items()})


def combine(parts: Iterable[Folded]) -> Folded:
    """Return what the trades of all parts make."""
    candles: dict[CandleKey, Candle] = {}
    places: dict[str, Places] = {}
    for part in parts:
        for key, candle in part.candles.items():
            candles[key] = merge(candles[key], candle) if key in candles else candle
        for coin, of_coin in part.places.items():
            places[coin] = places[coin].union(of_coin) if coin in places else of_coin
    return Folded(candles, places)


def spans(portions: Iterable[Portion]) -> dict[TP, tuple[Progress, int]]:
    """Return from where to where the portions of each partition lead."""
    found: dict[TP, tuple[Progress, int]] = {}
    for portion in portions:
        first, _ = found.get(portion.tp, (portion.progress, 0))
        found[portion.tp] = (first, portion.next_offset)
    return found
