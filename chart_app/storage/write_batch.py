"""What one transaction stores: consecutive trades of partitions, and what they make."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from faust.types import TP

from chart_app.model.candles import Candle, CandleKey
from chart_app.model.folding import Folded
from chart_app.model.trades import Trades


class Checkpoint(NamedTuple):
    """How far a partition is consumed; its topic's id in Kafka, and its own in trades' ids."""

    next_offset: int
    topic_id: str
    partition_id: int


@dataclass(frozen=True)
class WriteBatch:
    """Consecutive trades of a partition, from a checkpoint up to ``next_offset``."""

    tp: TP
    checkpoint: Checkpoint
    next_offset: int
    trades: Trades
    folded: Folded


@dataclass(frozen=True)
class Change:
    """What was stored: the trades that were new, and their candles as they are now."""

    trades: Trades = field(default_factory=Trades)
    candles: dict[CandleKey, Candle] = field(default_factory=dict)


def spans(batches: Iterable[WriteBatch]) -> dict[TP, tuple[Checkpoint, int]]:
    """Return from which checkpoint to which offset the batches of each partition lead."""
    found: dict[TP, tuple[Checkpoint, int]] = {}
    for batch in batches:
        first, _ = found.get(batch.tp, (batch.checkpoint, 0))
        found[batch.tp] = (first, batch.next_offset)
    return found
