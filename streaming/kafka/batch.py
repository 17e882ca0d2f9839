"""What one fetch of a partition brought, handed to the agent as a whole."""

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
    """Records that one fetch of a partition brought.

    ``start`` is the offset at which the fetch began. From there up to the first record, and
    between the records, there is none: Kafka has deleted what was there, or it is a marker of a
    transaction.
    """

    def __init__(self, records: Iterable[Record], start: int) -> None:
        super().__init__(records)
        self.start = start


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition, as one fetch brought them."""

    topic: str
    partition: int
    records: list[Record]
    #: At which offset the fetch began: see :class:`Fetched`.
    start: int = 0
    #: Where the consumer stood when it was fetched: see :meth:`consumer.Consumer.is_stale`.
    position: tuple[int, int] = (0, 0)

    @property
    def next_offset(self) -> int:
        """Return the offset behind the last record: what to commit once all are done."""
        return int(self.records[-1].offset) + 1

    def slices(self, count: int, size: int) -> Iterator[Sequence[Record]]:
        """Yield the records, at most ``count`` and ``size`` bytes of values at a time."""
        return slices(self.records, count, size, _size_of)


def _size_of(records: Sequence[Record]) -> int:
    return sum([len(record.value or b"") for record in records])


class BatchSchema(faust.Schema[Any, Any]):
    """Hands a :class:`Batch` to the agent undecoded."""

    def compile(self, app: AppT, **_: Any) -> Callable[..., Awaitable[EventT[Batch]]]:
        """Return the decoder Faust calls with each message."""

        async def decode(message: Message, *, propagate: bool = False) -> EventT[Batch]:  # noqa: ARG001
            return app.create_event(None, message.value, message.headers, message)

        return decode


class FetchResults(dict[TP, Any]):
    """What a consumer has fetched: :class:`Fetched`, with records as they are read from the wire.

    aiokafka copies each into a ConsumerRecord, which takes a sixth of all the time that a
    trade takes here.
    """

    def __init__(self) -> None:
        super().__init__()
        #: Of each partition the offsets, behind the records that it was read to last, that were
        #: fetched and held none: from, and up to.
        self._passed: dict[TP, tuple[int, int]] = {}

    def __setitem__(self, tp: TP, result: Any) -> None:
        if isinstance(result, FetchResult):  # and not a FetchError
            internals.keep_as_read(result, _unchanged)
            result.getall = partial(self._take, tp, result)  # type: ignore[method-assign]
        super().__setitem__(tp, result)

    def _take(self, tp: TP, result: FetchResult, max_records: int | None = None) -> list[Record]:
        fetch = internals.unread_records(result)  # None: there was a seek meanwhile
        start = fetch.next_fetch_offset if fetch else 0
        records: list[Record] = FetchResult.getall(result, max_records)
        passed_from, passed_to = self._passed.pop(tp, (start, start))
        if passed_to == start:
            start = passed_from
        if fetch:
            read_to = records[-1].offset + 1 if records else start
            self._passed[tp] = (read_to, fetch.next_fetch_offset)
        return Fetched(records, start)


def _unchanged(_: TP, record: Record) -> Record:
    return record
