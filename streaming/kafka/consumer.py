"""Faust's Kafka consumer, yielding whole fetches; the agent decides what is committed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from mode.utils.locks import Event

from streaming import internals
from streaming.kafka.batch import Batch, Batches, Fetched, FetchResults

#: For looking up the offsets to start from and seeking there; and for committing.
SEEK_LIMIT_S = 60.0
COMMIT_LIMIT_S = 30.0
#: Until a fetch that an ACL has forbidden is tried again.
FORBIDDEN_INTERVAL_S = 1.0
#: How long a partition's fetched records may wait before aiokafka fetches the other partitions
#: without it. If those have no new records, that request delays all others by 1.5 s.
PREFETCH_BACKOFF_S = 60.0


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's thread for aiokafka's consumer, without the thread: it runs on the app's event loop.

    A thread would wait for the GIL at each of its steps, and the event loop for the thread.
    """

    logger = logging.getLogger("faust.consumer.thread")
    _serving: asyncio.Task[None]

    def __init__(self, consumer: "Consumer", *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, beacon=consumer.beacon)

    async def start(self) -> None:
        """Start the consumer, and wait for it. Raises its error."""
        self._thread_started.set()
        started = self._thread_running = self.parent_loop.create_future()
        self._serving = asyncio.create_task(self._serve_until_stopped())
        await started

    async def _serve_until_stopped(self) -> None:
        try:
            await self._serve()
        except Exception:
            self.set_shutdown()  # what happened is raised by start(), or ends the program

    async def stop(self) -> None:
        """Stop the consumer, and wait for it."""
        await super().stop()
        if self._thread_started.is_set():
            await self._serving

    async def _gather_remaining_tasks(self) -> None:
        """Cancel nothing: the tasks of the event loop are not all this service's."""

    async def on_start(self) -> None:
        await super().on_start()
        consumer = internals.kafka_consumer(self)
        internals.set_fetched(consumer, FetchResults())
        internals.set_prefetch_backoff(consumer, PREFETCH_BACKOFF_S)

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109
        """Fetch, at once: Faust would have another task do it, in the thread."""
        consumer = internals.kafka_consumer(self)
        limit = internals.max_poll_records(consumer)
        return await self._fetch_records(
            consumer, active_partitions, timeout=timeout, max_records=limit
        )

    async def _fetch_records(self, consumer: AIOKafkaConsumer, *args: Any, **options: Any) -> Any:
        internals.check_group(consumer)  # as aiokafka's own getmany() does
        return await super()._fetch_records(consumer, *args, **options)

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit offsets; return whether Kafka confirmed it in time."""
        try:
            async with asyncio.timeout(COMMIT_LIMIT_S):
                return bool(await super().commit(offsets))
        except TimeoutError:
            self.log.warning("Kafka did not commit offsets within %g s", COMMIT_LIMIT_S)
            return False


class Consumer(driver.Consumer):
    """A consumer whose events are whole fetches, and which commits only batches marked `done`.

    Faust's own consumer starts four tasks a message, and acknowledges a message even if the
    agent that was processing it was cancelled or raised. Here an event is all that a fetch
    returned, and an offset is committed once the agent has marked all batches before it as
    :meth:`done`.
    """

    logger = logging.getLogger("faust.consumer")  # at the log level of Faust
    mundane_level = "debug"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._next_offsets: dict[TP, int] = {}
        self._seeks = 0
        #: Held while a seek is in progress: no fetch begins then.
        self._seeking = asyncio.Lock()
        #: Partitions whose buffer of batches is full.
        self._full: set[TP] = set()
        self._has_room = Event()
        self._has_room.set()

    def on_buffer_full(self, tp: TP) -> None:
        """Stop fetching until there is room.

        Faust would continue with the other partitions only, and wait for their records, even
        after this one's buffer has been emptied.
        """
        self._full.add(tp)
        self._has_room.clear()

    def on_buffer_drop(self, tp: TP) -> None:
        """Continue fetching if no buffer is full."""
        self._full.discard(tp)
        if not self._full:
            self._has_room.set()

    def done(self, batch: Batch) -> None:
        """Mark a batch as processed, so that its offsets are committed."""
        tp = TP(batch.topic, batch.partition)
        if tp in self.assignment():
            self._next_offsets[tp] = batch.next_offset

    def is_stale(self, batch: Batch) -> bool:
        """Return whether there has been a rebalance or a seek since the batch was fetched.

        Then its records are fetched again, by this worker or by the partition's new owner.
        """
        return batch.position != self._position()

    async def first_offset(self, tp: TP) -> int:
        """Return the earliest offset of a partition that Kafka still holds.

        Raises KafkaError or TimeoutError when no broker answers.
        """
        async with asyncio.timeout(SEEK_LIMIT_S):
            offsets = await internals.consumer_thread(self).earliest_offsets(tp)
        return int(offsets[tp])

    def lags(self) -> dict[TP, int]:
        """Return the consumer lag: records not yet processed, of each assigned partition."""
        lags = {}
        for tp in self.assignment() if internals.consumer_thread(self).started else ():
            next_offset = self._next_offsets.get(tp) or internals.committed_offset(self, tp)
            if self.highwater(tp) is not None:
                lags[tp] = self.highwater(tp) - next_offset
        return lags

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109
        """Fetch; yield one message, of one of the partitions, with all batches as its value."""
        if not self._has_room.is_set():
            await self.wait(self._has_room)
        async with self._seeking:
            position = self._position()
        try:
            records, active = await self._wait_next_records(timeout)
        except TopicAuthorizationFailedError:
            await self.sleep(FORBIDDEN_INTERVAL_S)  # the health check reports it
            return
        except GroupAuthorizationFailedError as error:
            # aiokafka would not join the group again, also when it may.
            self.log.critical("Kafka's ACLs no longer let this program read its group: %s", error)
            await self.app.crash(error)
            return
        if records is None or self.app.should_stop:
            return  # no seek at shutdown: it would make the current batch stale, not stored
        if not self.flow_active or self._position() != position:
            # There was a rebalance or a seek meanwhile: the offset of the next fetch is unknown.
            await self.seek_back()
            return
        batches = []
        for tp, partition_records in cast(Mapping[TP, Fetched], records).items():
            if active is None or tp in active:
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                batches.append(Batch(*tp, partition_records, partition_records.start, position))
        if batches:
            message = self._message(batches)
            yield message.tp, message

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Resume fetching from partitions once Faust also resumes the flow.

        At the end of a rebalance Faust resumes partitions, seeks, clears the buffers, and resumes
        the flow. Where the flow is already active, as when two rebalances overlap, it would clear
        what was fetched after the seek, and nobody would fetch that again.
        """
        self.stop_flow()
        super().resume_partitions(tps)

    def _position(self) -> tuple[int, int]:
        return self.app.consumer_generation_id, self._seeks

    async def seek_back(self) -> None:
        """Seek back to the offsets to start from; batches fetched before are stale then."""
        try:
            await self.perform_seek()
        except Exception as error:
            self.log.warning("Could not seek back: %r", error)

    def _message(self, batches: Batches) -> Message:
        tp = TP(batches[0].topic, batches[0].partition)
        last = batches[0].records[-1]
        return ConsumerMessage(
            *tp,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            None,
            None,
            batches,  # type: ignore[arg-type]
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek all partitions to the app's own offsets, else the committed ones, else 0.

        If that takes too long, they are read from where aiokafka starts; the reader of a batch
        sees from its ``start`` whether it continues the previous one.
        """
        async with self._seeking:
            self._seeks += 1
            try:
                async with asyncio.timeout(SEEK_LIMIT_S):
                    return await self._seek_to_start()
            except TimeoutError:
                self.log.error(
                    "Kafka did not return the offsets to start from in %g s", SEEK_LIMIT_S
                )
                return {}

    async def _seek_to_start(self) -> Mapping[TP, int]:
        committed = await super().seek_to_committed()
        own = await self.app.start_offsets(self.assignment())  # type: ignore[attr-defined]
        offsets = {TP(*tp): offset or 0 for tp, offset in {**committed, **own}.items()}
        # aiokafka does not move a partition without a committed offset: records that were fetched
        # and discarded would be skipped. So it is sent to offset 0; if Kafka no longer holds that,
        # aiokafka continues at the earliest offset. To ask for that offset here would have to wait
        # for the fetch in flight: 1.5 s on an empty topic.
        starts = {tp: max(offset, 0) for tp, offset in offsets.items() if offset <= 0 or tp in own}
        await internals.consumer_thread(self).seek_wait(starts)
        return offsets

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Wait for the batches being processed, commit, and forget the partitions."""
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
        internals.forget_acks(self, tp)
        return self._next_offsets.get(tp)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust would look for stalled partitions, to log them.

        It asks aiokafka for the positions of partitions that a rebalance has just revoked, and
        crashes.
        """

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: a batch covers the offsets without a record in it."""
