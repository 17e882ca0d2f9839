"""What a transaction stores: write batches; and what it has changed then."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple

from faust.types import TP

from chart_app.model.candles import Candle, CandleKey
from chart_app.model.folding import Folded, combine, fold_trades
from chart_app.model.trades import Trades


class Checkpoint(NamedTuple):
    """A partition's next offset, its topic's id in Kafka, and its own id in trades' ids."""

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
    #: The candles of the trades, or None: they are folded together with those of other batches.
    folded: Folded | None = None

    def without(self, ids: Collection[int]) -> "WriteBatch":
        """Return the batch without the trades of these ids."""
        if not any(id_ in ids for id_ in self.trades.ids):
            return self
        return replace(self, trades=self.trades.without(ids), folded=None)


@dataclass(frozen=True)
class Change:
    """What a transaction stored: the trades that were new, and the candles with them.

    ``revision`` is the store's: see :mod:`chart_app.storage.voids`.
    """

    trades: Trades = field(default_factory=Trades)
    candles: dict[CandleKey, Candle] = field(default_factory=dict)
    revision: int = 0

    @property
    def coins(self) -> Collection[str]:
        """Return the coins that have changed."""
        return dict.fromkeys(self.trades.coins)

    @property
    def size(self) -> int:
        """Return how many trades and candles it has."""
        return len(self.trades) + len(self.candles)


def together(changes: Iterable[Change], size: int) -> Iterator[Change]:
    """Yield changes that follow each other as one, with the last state of each candle.

    Those of a ``size`` together at most, and of one revision.
    """
    parts: list[Change] = []
    total = 0
    for change in changes:
        total += change.size
        if parts and (total > size or change.revision != parts[0].revision):
            yield _joined(parts)
            parts, total = [], change.size
        parts.append(change)
    if parts:
        yield _joined(parts)


def _joined(changes: Sequence[Change]) -> Change:
    if len(changes) == 1:
        return changes[0]
    candles = dict(chain.from_iterable(it.candles.items() for it in changes))
    return Change(Trades.joined(it.trades for it in changes), candles, changes[0].revision)


def fold_together(batches: Sequence[WriteBatch]) -> Folded:
    """Return the candles and scales of all batches."""
    others = fold_trades(Trades.joined(it.trades for it in batches if it.folded is None))
    folded = [it.folded for it in batches if it.folded]
    return combine([others, *folded]) if folded else others


def covered_offsets(batches: Iterable[WriteBatch]) -> dict[TP, tuple[Checkpoint, int]]:
    """Return, by partition, the checkpoint of the first batch and the next offset of the last."""
    found: dict[TP, tuple[Checkpoint, int]] = {}
    for batch in batches:
        first, _ = found.get(batch.tp, (batch.checkpoint, 0))
        found[batch.tp] = (first, batch.next_offset)
    return found
