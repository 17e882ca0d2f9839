"""How far the live topic has carried each partition's trades, and the gaps in that.

A worker that has broadcast what it stored says so: :class:`Span`. What is stored and was never
said to be broadcast is a gap, whatever the reason: its worker was killed, Kafka was away, this
worker did not read the topic for a while. Gaps are read from the store.
"""

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from chart_app.model.bounds import Offset, PartitionId
from chart_app.model.trade_ids import split


class Span(NamedTuple):
    """Consecutive offsets of a partition, ``end`` not included."""

    partition_id: PartitionId
    start: Offset
    end: Offset


class LiveGaps:
    """The gaps, oldest first."""

    def __init__(self) -> None:
        #: Of each partition the offset up to which all was carried, or is part of a gap.
        self._carried: dict[int, int] | None = None
        #: The same at the last time that it was sure that the topic had been read as a whole.
        self._checked: dict[int, int] = {}
        self._gaps: deque[Span] = deque()

    @property
    def has_begun(self) -> bool:
        """Return whether it is known what was stored at the beginning."""
        return self._carried is not None

    def begin(self, stored: Mapping[int, int]) -> None:
        """Begin with what is stored now: nobody waits for what was before."""
        if self._carried is None:
            self._carried = dict(stored)
            self.check()

    def check(self) -> None:
        """Note that of all that the topic was said to carry so far nothing was missed."""
        self._checked = dict(self._carried or {})

    def begin_again(self, stored: Mapping[int, int]) -> None:
        """Begin to read the topic again, when so much is stored.

        Messages from before may have been missed, also such that a later one said were there.
        """
        if self._carried is not None:
            self._carried = dict(self._checked)
        self.begin(stored)
        self.compare(stored)
        self.check()

    def carry(self, span: Span) -> None:
        """Note that the topic has carried a span."""
        if self._carried is None:
            return
        carried = self._carried.get(
            span.partition_id, 0
        )  # not there at the beginning: it began at 0
        if span.start > carried:
            self._gaps.append(Span(span.partition_id, carried, span.start))
        self._carried[span.partition_id] = max(carried, span.end)

    def compare(self, stored: Mapping[int, int]) -> None:
        """Note that what is stored up to these offsets should have been carried by now."""
        for partition_id, offset in stored.items():
            self.carry(Span(partition_id, offset, offset))

    def first(self) -> Span | None:
        """Return the oldest gap."""
        return self._gaps[0] if self._gaps else None

    def close(self, offset: int) -> None:
        """Note that the oldest gap was read up to an offset."""
        gap = self._gaps.popleft()
        if offset < gap.end:
            self._gaps.appendleft(gap._replace(start=offset))

    def is_settled(self, trade_id: int) -> bool:
        """Return whether a trade was carried, and is part of no gap that is yet to be read."""
        partition_id, offset = split(trade_id)
        carried = (self._carried or {}).get(partition_id, 0)
        return offset < carried and not any(
            gap.partition_id == partition_id and gap.start <= offset < gap.end for gap in self._gaps
        )
