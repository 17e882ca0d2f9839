"""Faust's Kafka transport, with whole batches in and confirmed sends out.

One Transport subclass serves both directions, because Faust takes its consumer and its
producer from ``app.transport`` and from nowhere else.
"""

import asyncio
import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import faust
from aiokafka import AIOKafkaProducer
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import KafkaError, ProducerClosed
from aiokafka.record._protocols import DefaultRecordProtocol
from aiokafka.structs import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage, EventT, Message
from mode import Service
from mode.utils.locks import Event

from streaming.slices import slices

#: Sends that share a produce request, per partition. The broker's default limit of a
#: batch is 1,048,588 bytes.
MAX_BATCH_BYTES = 1_000_000
#: How long a stopping producer waits for the broker to confirm what it still holds.
FLUSH_TIMEOUT_S = 2.5
RENEW_INTERVAL_S = 0.5
#: How long starting another producer may take, and closing one that does not answer.
RENEW_LIMIT_S = 10.0
CLOSE_LIMIT_S = 1.0
#: How long Kafka may take to say where the group stands and to move us there, or to commit.
SEEK_LIMIT_S = 60.0
COMMIT_LIMIT_S = 30.0
#: How long what was fetched may wait until aiokafka fetches the other partitions by themselves.
#: Where they have nothing new that request would keep all others waiting for 1.5 s.
PREFETCH_BACKOFF_S = 60.0


#: A record as it is read from the wire: offset, timestamp (ms), key, value and headers.
Record = DefaultRecordProtocol

Result = TypeVar("Result")


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
    #: Where the consumer stood when it was fetched: see :meth:`Consumer.is_stale`.
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


class _PlainResults(dict[TP, Any]):
    """What a fetcher has fetched: :class:`Fetched`, with records as they are read from the wire.

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
            result._partition_records._consumer_record = _as_it_is  # noqa: SLF001
            result.getall = partial(self._take, tp, result)  # type: ignore[method-assign]
        super().__setitem__(tp, result)

    def _take(self, tp: TP, result: FetchResult, max_records: int | None = None) -> list[Record]:
        fetch: Any = result._partition_records  # noqa: SLF001 - None: there was a seek meanwhile
        start = fetch.next_fetch_offset if fetch else 0
        records: list[Record] = FetchResult.getall(result, max_records)
        passed_from, passed_to = self._passed.pop(tp, (start, start))
        if passed_to == start:
            start = passed_from
        if fetch:
            read_to = records[-1].offset + 1 if records else start
            self._passed[tp] = (read_to, fetch.next_fetch_offset)
        return Fetched(records, start)


def _as_it_is(_: TP, record: Record) -> Record:
    return record


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    logger = logging.getLogger("faust.consumer.thread")

    async def on_start(self) -> None:
        await super().on_start()
        fetcher: Any = self._ensure_consumer()._fetcher  # noqa: SLF001
        fetcher._records = _PlainResults()  # noqa: SLF001
        fetcher._prefetch_backoff = PREFETCH_BACKOFF_S  # noqa: SLF001

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit offsets; return whether Kafka has done so in time."""
        try:
            async with asyncio.timeout(COMMIT_LIMIT_S):
                return bool(await super().commit(offsets))
        except TimeoutError:
            self.log.warning("Kafka did not commit offsets within %g s", COMMIT_LIMIT_S)
            return False


class Consumer(driver.Consumer):
    """A consumer whose events are batches, and which commits what :meth:`done` was told.

    Faust's own drain starts two tasks a message, and acks a message also when the agent
    that had it in hand was cancelled or raised. Here an event is a whole fetched batch,
    and only offsets behind batches that the agent called done are committed.
    """

    logger = logging.getLogger("faust.consumer")  # its steps are Faust's, logged at its level
    mundane_level = "debug"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._next_offsets: dict[TP, int] = {}
        self._seeks = 0
        #: Partitions with batches in a buffer that is full.
        self._full: set[TP] = set()
        self._has_room = Event()
        self._has_room.set()

    def on_buffer_full(self, tp: TP) -> None:
        """Fetch nothing until there is room.

        Faust would go on with the other partitions, and wait for those, be they empty, while
        this one has long been read.
        """
        self._full.add(tp)
        self._has_room.clear()

    def on_buffer_drop(self, tp: TP) -> None:
        """Go on once there is room."""
        self._full.discard(tp)
        if not self._full:
            self._has_room.set()

    def done(self, batch: Batch) -> None:
        """Let the offsets of a batch be committed: all its records have been dealt with."""
        tp = TP(batch.topic, batch.partition)
        if tp in self.assignment():
            self._next_offsets[tp] = batch.next_offset

    def is_stale(self, batch: Batch) -> bool:
        """Tell whether there was a rebalance or a seek since the batch was fetched.

        Then it is fetched again, by us or by who has the partition now.
        """
        return batch.position != self._position()

    async def first_offset(self, tp: TP) -> int:
        """Return the first offset of a partition that Kafka still holds.

        Raises KafkaError or TimeoutError when no broker answers.
        """
        async with asyncio.timeout(SEEK_LIMIT_S):
            offsets = await self._thread.earliest_offsets(tp)
        return int(offsets[tp])

    def lags(self) -> dict[TP, int]:
        """Return how many records each assigned partition holds that are not done yet."""
        lags = {}
        for tp in self.assignment() if self._thread.started else ():
            next_offset = self._next_offsets.get(tp) or self._committed_offset[tp] or 0
            if self.highwater(tp) is not None:
                lags[tp] = self.highwater(tp) - next_offset
        return lags

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109
        """Fetch, and yield one message a partition: its value a :class:`Batch`."""
        await self.wait(self._has_room)
        position = self._position()
        records, active = await self._wait_next_records(timeout)
        if records is None or self.app.should_stop:
            return  # no seek at the end: what was logged would be stale, and not be stored
        if not self.flow_active or self._position() != position:
            # Fetched before a rebalance or a seek: where the next fetch starts is unknown.
            await self.seek_back()
            return
        for tp, partition_records in records.items():
            if not self.flow_active or self._position() != position:
                break
            if active is None or tp in active:
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                yield tp, self._batch_message(tp, cast(Fetched, partition_records), position)

    def _position(self) -> tuple[int, int]:
        return self.app.consumer_generation_id, self._seeks

    async def seek_back(self) -> None:
        """Go back to where the partitions are to be read from; what was fetched is stale."""
        try:
            await self.perform_seek()
        except Exception as error:
            self.log.warning("Could not seek back: %r", error)

    def _batch_message(self, tp: TP, records: Fetched, position: tuple[int, int]) -> Message:
        last = records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            None,
            None,
            Batch(tp.topic, tp.partition, records, records.start, position),  # type: ignore[arg-type]
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek all partitions to the app's own offsets, else the committed, else the beginning.

        If that takes too long they are read from wherever aiokafka begins; who reads the batches
        sees by their ``start`` whether they follow what was read before.
        """
        self._seeks += 1
        try:
            async with asyncio.timeout(SEEK_LIMIT_S):
                return await self._seek_to_start()
        except TimeoutError:
            self.log.error("Kafka did not say within %g s where to read on", SEEK_LIMIT_S)
            return {}
        finally:
            self._seeks += 1  # what was fetched meanwhile began at the committed offsets

    async def _seek_to_start(self) -> Mapping[TP, int]:
        committed = await super().seek_to_committed()
        own = await self.app.start_offsets(self.assignment())  # type: ignore[attr-defined]
        offsets = {TP(*tp): offset or 0 for tp, offset in {**committed, **own}.items()}
        # aiokafka leaves a partition without a committed offset where it is: what was fetched
        # and thrown away would be skipped.
        to_beginning = [TopicPartition(*tp) for tp, offset in offsets.items() if offset <= 0]
        if to_beginning:
            await self._thread.seek_to_beginning(*to_beginning)
        # Not self.seek(): that is in another thread than the fetching, whose buffer it changes.
        await self._thread.seek_wait({tp: offset for tp, offset in own.items() if offset > 0})
        return offsets

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the batches in hand finish, commit, and forget the partitions."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._next_offsets.pop(tp, None)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (
            tp
            for tp in list(self._next_offsets)
            if topics is None or tp in topics or tp.topic in topics
        )

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self._next_offsets.get(tp)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust would look for stalled partitions, and log them.

        It asks aiokafka for positions that a rebalance has just taken away, and dies of it.
        """

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: a batch covers its gaps."""


class Producer(driver.Producer):
    """An idempotent producer that can be replaced, and never blocks the end of the program."""

    logger = logging.getLogger("faust.producer")
    mundane_level = "debug"
    _failed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Of each of aiokafka's producers that somebody waits on, a future that is done with it.
        self._ends: dict[AIOKafkaProducer, asyncio.Future[None]] = {}

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    @property
    def kafka(self) -> AIOKafkaProducer:
        """The producer that Faust wraps: a send through Faust's layers costs more."""
        return self._ensure_producer()

    def send_failed(self, kafka: AIOKafkaProducer) -> None:
        """Have another producer take over from ``kafka``: one of its sends has failed.

        A failed batch has used up its sequence numbers, so Kafka refuses all that follows.
        """
        self._failed = self._failed or kafka is self._producer

    async def within(
        self, limit_s: float, kafka: AIOKafkaProducer, work: Coroutine[Any, Any, Result]
    ) -> Result:
        """Return what ``work`` returns, which waits on ``kafka``.

        Raises ProducerClosed as soon as another producer has taken over, and TimeoutError: some
        of aiokafka's waits on a producer outlive it, and then nothing ends them.
        """
        task = asyncio.ensure_future(work)
        if kafka is not self._producer:
            task.cancel()
            raise ProducerClosed
        end = self._ends.setdefault(kafka, asyncio.get_running_loop().create_future())
        either: set[asyncio.Future[Any]] = {task, end}
        try:
            await asyncio.wait(either, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        finally:
            task.cancel()
        if end.done():
            raise ProducerClosed
        raise TimeoutError(f"Kafka did not answer within {limit_s:g} s")

    @Service.task
    async def _renew_when_failed(self) -> None:
        while not self.should_stop:
            await self.sleep(RENEW_INTERVAL_S)
            if self._failed and self._producer is not None:
                await self._renew(self._producer)

    async def _renew(self, failed: AIOKafkaProducer) -> None:
        renewed = self._new_producer()
        try:
            async with asyncio.timeout(RENEW_LIMIT_S):
                await renewed.start()
        except (KafkaError, TimeoutError) as error:
            self.log.error("Could not start another producer: %r", error)
            await self._stop_producer(renewed)
            return
        self.log.error("A send failed; another producer has taken over")
        self._failed = False
        self._producer = renewed
        await self._stop_producer(failed)

    async def _stop_producer(self, producer: AIOKafkaProducer) -> None:
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT_S):
                await producer.stop()
        except TimeoutError:
            self.log.error("Kafka did not confirm the last sends: their outcome is unknown")
            with suppress(TimeoutError):  # stop() does not go on from here
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await producer._sender.close()  # noqa: SLF001
                    await producer.client.close()
        # Whoever waits for one of its sends, or for anything else of it, would wait forever.
        producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001
        end = self._ends.pop(producer, None)
        if end and not end.done():
            end.set_result(None)

    async def flush(self) -> None:
        """Wait for what is being sent, for some time: Faust does so before it gives partitions up.

        Who sends waits for Kafka's confirmation anyway. One topic that takes nothing must not keep
        the worker from joining its group again.
        """
        if self._producer is not None:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(FLUSH_TIMEOUT_S):
                    await self._producer.flush()

    async def on_stop(self) -> None:
        """Send what is left, and close."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await self._stop_producer(producer)
        await super().on_stop()


class Transport(driver.Transport):
    """The transport of both programs."""

    Consumer = Consumer
    Producer = Producer
