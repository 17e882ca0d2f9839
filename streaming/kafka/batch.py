"""Batches: the records of a partition that a fetch returned; those of a fetch are one event."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import faust
from aiokafka.consumer.fetcher import FetchResult
from faust.types import TP, AppT, EventT, Message

from streaming import internals
from streaming.internals import Record
from streaming.slices import slices


class Fetched(list[Record]):
    """Records that one fetch of a partition returned.

    ``start`` is the offset at which the fetch began. Offsets from there on without a record hold
    none: Kafka has deleted it, or the offset is that of a transaction marker.
    """

    def __init__(self, records: Iterable[Record], start: int) -> None:
        super().__init__(records)
        self.start = start


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition, as one fetch returned them."""

    topic: str
    partition: int
    records: list[Record]
    #: The offset at which the fetch began: see :class:`Fetched`.
    start: int = 0
    #: The consumer's (generation id, number of seeks) at the time of the fetch: see
    #: :meth:`consumer.Consumer.is_stale`.
    position: tuple[int, int] = (0, 0)

    @property
    def next_offset(self) -> int:
        """Return the offset after the last record: what to commit once all are processed."""
        return int(self.records[-1].offset) + 1

    def slices(self, count: int, size: int) -> Iterator[Sequence[Record]]:
        """Yield slices of at most ``count`` records and ``size`` bytes of values."""
        return slices(self.records, count, size, _size_of)


def _size_of(records: Sequence[Record]) -> int:
    return sum([len(record.value or b"") for record in records])


#: The batches of all partitions that one fetch returned: an event of the agent.
Batches = Sequence[Batch]


class BatchSchema(faust.Schema[Any, Any]):
    """A schema that passes :data:`Batches` to the agent undecoded."""

    def compile(self, app: AppT, **_: Any) -> Callable[..., Awaitable[EventT[Batches]]]:
        """Return the decoder that Faust calls for each message."""

        async def decode(message: Message, *, propagate: bool = False) -> EventT[Batches]:  # noqa: ARG001
            return app.create_event(None, message.value, message.headers, message)

        return decode


class FetchResults(dict[TP, Any]):
    """A consumer's buffer of fetch results, which returns :class:`Fetched` and copies no record.

    aiokafka copies each record into a ConsumerRecord, which takes a sixth of the time in which
    we consume one.
    """

    def __init__(self) -> None:
        super().__init__()
        #: For each partition, the range of offsets (start, end) after the last record that was
        #: returned which have been fetched and hold no record.
        self._empty: dict[TP, tuple[int, int]] = {}

    def __setitem__(self, tp: TP, result: Any) -> None:
        if isinstance(result, FetchResult):  # and not a FetchError
            internals.set_record_factory(result, _unchanged)
            result.getall = partial(self._get_all, tp, result)  # type: ignore[method-assign]
        super().__setitem__(tp, result)

    def _get_all(self, tp: TP, result: FetchResult, max_records: int | None = None) -> list[Record]:
        unread = internals.unread_records(result)  # None if there was a seek meanwhile
        start = unread.next_fetch_offset if unread else 0
        records: list[Record] = FetchResult.getall(result, max_records)
        empty_start, empty_end = self._empty.pop(tp, (start, start))
        if empty_end == start:
            start = empty_start
        if unread:
            next_offset = records[-1].offset + 1 if records else start
            self._empty[tp] = (next_offset, unread.next_fetch_offset)
        return Fetched(records, start)


def _unchanged(_: TP, record: Record) -> Record:
    return record
