"""Which offsets of each partition the live messages cover, and the gaps in between.

A worker that has broadcast what it stored also broadcasts the offsets: :class:`Span`. Offsets that
are stored but covered by no span are a gap, whatever the reason: their worker was killed, Kafka
did not answer, this worker did not read the topic for a while. Gaps are read from the store.
"""

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from chart_app.model.bounds import Offset, PartitionId
from chart_app.model.trade_ids import split


class Span(NamedTuple):
    """Consecutive offsets of a partition, up to, but not including, ``end``."""

    partition_id: PartitionId
    start: Offset
    end: Offset


class LiveGaps:
    """The gaps, oldest first."""

    def __init__(self) -> None:
        #: By partition id, the offset before which all is covered, or part of a gap.
        self._covered: dict[int, int] | None = None
        #: The same, when it was last certain that no message had been missed.
        self._confirmed: dict[int, int] = {}
        self._gaps: deque[Span] = deque()

    @property
    def has_started(self) -> bool:
        """Return whether it is known which offsets were stored at the start."""
        return self._covered is not None

    def start(self, stored: Mapping[int, int]) -> None:
        """Start with the offsets stored now, by partition id: nobody waits for earlier ones."""
        if self._covered is None:
            self._covered = dict(stored)
            self.confirm()

    def confirm(self) -> None:
        """Record that no message covered so far has been missed."""
        self._confirmed = dict(self._covered or {})

    def restart(self, stored: Mapping[int, int]) -> None:
        """Start again to read the topic, with the offsets stored now.

        Messages since :meth:`confirm` may have been missed, even if a span covers them.
        """
        if self._covered is not None:
            self._covered = dict(self._confirmed)
        self.start(stored)
        self.expect(stored)
        self.confirm()

    def cover(self, span: Span) -> None:
        """Record that live messages cover a span."""
        if self._covered is None:
            return
        # A partition that was not stored at the start begins at 0.
        covered = self._covered.get(span.partition_id, 0)
        if span.start > covered:
            self._gaps.append(Span(span.partition_id, covered, span.start))
        self._covered[span.partition_id] = max(covered, span.end)

    def expect(self, stored: Mapping[int, int]) -> None:
        """Record that all that is stored before these offsets should be covered by now."""
        for partition_id, offset in stored.items():
            self.cover(Span(partition_id, offset, offset))

    def first(self) -> Span | None:
        """Return the oldest gap, or None."""
        return self._gaps[0] if self._gaps else None

    def close(self, offset: int) -> None:
        """Record that the oldest gap has been read up to an offset."""
        gap = self._gaps.popleft()
        if offset < gap.end:
            self._gaps.appendleft(gap._replace(start=offset))

    def is_settled(self, trade_id: int) -> bool:
        """Return whether a trade is covered, and in no gap that is still to be read."""
        partition_id, offset = split(trade_id)
        covered = (self._covered or {}).get(partition_id, 0)
        return offset < covered and not any(
            gap.partition_id == partition_id and gap.start <= offset < gap.end for gap in self._gaps
        )
