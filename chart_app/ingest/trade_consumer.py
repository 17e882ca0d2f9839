"""From fetched batches to write batches: each trade is logged and stored, or dead-lettered."""

import asyncio
import logging
import time
from collections import Counter as Counts
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP
from prometheus_client import Counter

import trade_rules
from chart_app.ingest import trade_log
from chart_app.ingest.offsets import Offsets
from chart_app.live.gaps import Span
from chart_app.model.decoder import Decoded, TakesCoin, decode
from chart_app.model.folding import fold_trades
from chart_app.model.refusals import Reason, Refusal
from chart_app.model.trade_ids import split
from chart_app.model.trades import Trades
from chart_app.storage.errors import Refused, StoreUnavailable, Superseded
from chart_app.storage.write_batch import Change, Checkpoint, WriteBatch, covered_offsets
from chart_app.storage.writer import StoreWriter
from streaming.internals import Record
from streaming.kafka.batch import Batch, Batches
from streaming.kafka.consumer import Consumer
from streaming.kafka.dead_letter import DeadLetter, DeadLetterQueue
from streaming.logs import info_many
from streaming.trouble import Trouble
from topics import dead_letter_topic

logger = logging.getLogger(__name__)
trades_logger = logging.getLogger("chart_app.trades")

CONSUMED = Counter("chart_trades_consumed", "Trades logged.", ["topic"])
STORED = Counter("chart_trades_stored", "Trades stored that were new.")
DEAD_LETTERS = Counter("chart_dead_letters", "Records dead-lettered, by reason.", ["reason"])
for reason in Reason:
    DEAD_LETTERS.labels(reason)
#: Trades, and bytes, that are decoded before the event loop gets a turn: a fetch can have 12,000
#: trades, and health checks wait. An invalid record takes up to 0.4 µs a byte.
SLICE_TRADES = 1000
SLICE_BYTES = 128 * 1024
#: Trades that may wait for the store. With more, reading pauses, which bounds the memory.
MAX_WAITING_TRADES = 20_000
#: With fewer waiting, there is a pause after a transaction, as long as that took but at most this
#: long: readers of the store get their turn, and more trades share the next transaction.
BACKLOG_TRADES = 1000
MAX_PAUSE_S = 0.002
#: After a transaction of fewer there is none: it would be what most trades wait for.
FEW_TRADES = 10
#: Batches of so many trades are folded while the transaction before them runs; smaller ones
#: together, when it is their turn.
FOLD_ALONE_TRADES = 1000
#: The first and the longest pause between two tries to store a batch.
RETRY_FIRST_S = 0.1
RETRY_MAX_S = 2.0
#: The pause between two tries to load the stored offsets.
RETRY_PAUSE_S = 1.0


class TradeConsumer:
    """Consumes the trades: decodes and logs batches while those before them are stored.

    All that was read during one transaction goes into the next: the higher the load, the less a
    trade costs.
    """

    def __init__(  # noqa: PLR0913 - keyword arguments, one for each collaborator
        self,
        *,
        offsets: Offsets,
        writer: StoreWriter,
        dead_letters: DeadLetterQueue,
        on_stored: Callable[[Change, list[Span]], None],
        consumer: Callable[[], Consumer],
        should_stop: Callable[[], bool],
        takes_coin: TakesCoin = None,
    ) -> None:
        self._offsets = offsets
        self._writer = writer
        self._dead_letters = dead_letters
        self._on_stored = on_stored
        self._consumer = consumer
        self._should_stop = should_stop
        self._takes_coin = takes_coin
        self._trouble = Trouble(logger, "The store answers again")
        #: Whether a batch waits for stored offsets that cannot be loaded.
        self._lacks_offsets = False
        self._queue: list[tuple[Batch, WriteBatch]] = []
        self._has_queued = asyncio.Event()
        self._has_room = asyncio.Event()
        self._is_input_over = False

    def check(self) -> str | None:
        """Return None if the store accepts trades, else what is wrong."""
        if self._lacks_offsets:
            return "trades wait for the stored offsets, which cannot be loaded yet"
        return self._trouble.check()

    async def consume(self, fetches: AsyncIterator[Batches]) -> None:
        """Process the batches of each fetch, until the program stops."""
        self._is_input_over = False
        storing = asyncio.create_task(self._store_all())
        consuming = asyncio.current_task()

        def end(_: object) -> None:
            self._has_room.set()
            if consuming and not self._is_input_over:  # it failed: do not wait for a batch
                consuming.cancel()

        storing.add_done_callback(end)
        try:
            async for batches in fetches:
                read = 0
                for batch in batches:
                    read += len(batch.records)
                    if read > SLICE_TRADES:
                        await asyncio.sleep(0)
                        read = len(batch.records)
                    checkpoint = await self._checkpoint(batch)
                    if checkpoint:
                        await self._process(batch, checkpoint)
                    while self._waiting_trades() > MAX_WAITING_TRADES and not storing.done():
                        self._has_room.clear()
                        await self._has_room.wait()
                    if storing.done() or self._should_stop():
                        return
                await asyncio.sleep(0)  # the store goes first: Faust has more to do with the event
        finally:
            self._lacks_offsets = False
            self._is_input_over = True
            self._has_queued.set()
            await _wait_to_end(storing)

    def _waiting_trades(self) -> int:
        return _count_trades(self._queue)

    async def _store_all(self) -> None:
        """Store what has been read, until the input is over and all of it is stored."""
        while not self._is_input_over or self._queue:
            await self._has_queued.wait()
            self._has_queued.clear()
            queued, self._queue = self._queue, []
            self._has_room.set()
            start = time.monotonic()
            await self._write(queued)
            stored = _count_trades(queued)
            if stored >= FEW_TRADES and self._waiting_trades() < BACKLOG_TRADES:
                await asyncio.sleep(min(time.monotonic() - start, MAX_PAUSE_S))

    async def _checkpoint(self, batch: Batch) -> Checkpoint | None:
        """Return the checkpoint that the batch continues, or None if it is to be discarded."""
        tp = TP(batch.topic, batch.partition)
        consumer = self._consumer()
        while not self._should_stop() and not consumer.is_stale(batch):
            checkpoint = self._offsets.get(tp)
            if checkpoint is None:
                self._lacks_offsets = tp not in await self._offsets.load(consumer.assignment())
                if self._lacks_offsets:
                    await asyncio.sleep(RETRY_PAUSE_S)
                continue
            self._lacks_offsets = False
            if batch.start < checkpoint.next_offset:
                # Offsets that were read before: perhaps the topic was deleted and created again.
                is_recreated = await self._is_recreated()
                if is_recreated:
                    await consumer.seek_back()
                elif is_recreated is None:
                    await asyncio.sleep(RETRY_PAUSE_S)
                else:
                    return checkpoint if batch.next_offset > checkpoint.next_offset else None
            elif batch.start > checkpoint.next_offset and not await self._is_deleted_before(
                batch, tp
            ):
                await consumer.seek_back()  # what is between was fetched, but discarded
            else:
                return checkpoint
        self._lacks_offsets = False  # another worker, or another start, reads them again
        return None

    async def _is_recreated(self) -> bool | None:
        """Return whether a topic was recreated, None if Kafka does not say."""
        try:
            return await self._offsets.have_changed_topic()
        except (KafkaError, TimeoutError, OSError) as error:
            logger.warning("Could not read the ids of the topics: %r", error)
            return None

    async def _is_deleted_before(self, batch: Batch, tp: TP) -> bool:
        """Return whether Kafka has deleted all records before a batch."""
        try:
            return await self._consumer().first_offset(tp) >= batch.start
        except (KafkaError, TimeoutError) as error:
            logger.warning("Could not read the first offset of %s: %r", tp, error)
            return False

    async def _process(self, batch: Batch, checkpoint: Checkpoint) -> None:
        """Log the trades of a batch and queue them for the store; dead-letter other records."""
        first, *others = batch.slices(SLICE_TRADES, SLICE_BYTES)
        decoded = self._read(batch, checkpoint, first)
        if others or decoded.refused:
            rest = self._process_rest(batch, checkpoint, decoded, others)
            await _wait_to_end(asyncio.create_task(rest))
        else:  # without a wait: the batches of a fetch share a transaction
            self._put(batch, checkpoint, decoded.trades)

    def _read(self, batch: Batch, checkpoint: Checkpoint, records: Sequence[Record]) -> Decoded:
        """Decode records of a batch, and log the trades."""
        if records[0].offset < checkpoint.next_offset:
            records = [record for record in records if record.offset >= checkpoint.next_offset]
        decoded = decode(checkpoint.partition_id, records, self._takes_coin)
        log_trades(batch, decoded)
        CONSUMED.labels(batch.topic).inc(len(decoded.trades))
        return decoded

    async def _process_rest(
        self,
        batch: Batch,
        checkpoint: Checkpoint,
        decoded: Decoded,
        others: list[Sequence[Record]],
    ) -> None:
        """Process a batch whose first slice is decoded."""
        parts: list[Trades] = []
        while True:
            if decoded.refused and not await self._send_dead_letters(batch, decoded.refused):
                return
            parts.append(decoded.trades)
            if not others:
                break
            await asyncio.sleep(0)
            decoded = self._read(batch, checkpoint, others.pop(0))
        self._put(batch, checkpoint, Trades.joined(parts))

    def _put(self, batch: Batch, checkpoint: Checkpoint, trades: Trades) -> None:
        """Queue the trades of a batch for the store."""
        tp = TP(batch.topic, batch.partition)
        if self._consumer().is_stale(batch) or self._offsets.get(tp) != checkpoint:
            return  # the offsets were reloaded meanwhile, and the batch does not continue them
        self._offsets.advance(tp, batch.next_offset)
        folded = fold_trades(trades) if len(trades) >= FOLD_ALONE_TRADES else None
        to_write = WriteBatch(tp, checkpoint, batch.next_offset, trades, folded)
        self._queue.append((batch, to_write))
        self._has_queued.set()

    async def _write(self, queued: list[tuple[Batch, WriteBatch]]) -> None:
        """Store batches; then release their offsets for commit and broadcast the change."""
        pause = RETRY_FIRST_S
        while True:  # once even when the program stops: what was logged must be stored
            fresh = [pair for pair in queued if not self._consumer().is_stale(pair[0])]
            if not fresh:
                self._trouble.clear()  # nothing is waiting any more
                return
            try:
                change = await self._writer.apply(*(write_batch for _, write_batch in fresh))
            except Superseded as error:
                self._trouble.note(None)
                logger.warning("%s; continuing from the stored offsets", error)
                await self._consumer().seek_back()
                return
            except Refused as error:
                self._trouble.note(None)
                if not await self._dead_letter_refused(fresh, error.refusals):
                    return  # the program ends; who reads the trades again refuses them again
                queued = [(batch, it.without(error.refusals)) for batch, it in fresh]
            except StoreUnavailable as error:
                self._trouble.note(f"the store does not answer: {error}")
                if self._should_stop():
                    return
                await asyncio.sleep(pause)
                pause = min(2 * pause, RETRY_MAX_S)
            else:
                self._trouble.note(None)
                STORED.inc(len(change.trades))
                for batch, _ in fresh:
                    self._consumer().done(batch)
                covered = covered_offsets(write_batch for _, write_batch in fresh).values()
                self._on_stored(
                    change,
                    [Span(first.partition_id, first.next_offset, end) for first, end in covered],
                )
                return

    async def _dead_letter_refused(
        self, queued: list[tuple[Batch, WriteBatch]], refusals: Mapping[int, Refusal]
    ) -> bool:
        """Dead-letter trades that the store has refused; return whether Kafka has them all."""
        for batch, write_batch in queued:
            by_offset = {
                split(id_)[1]: refusals[id_] for id_ in write_batch.trades.ids if id_ in refusals
            }
            refused = [
                (record, by_offset[record.offset])
                for record in batch.records
                if record.offset in by_offset
            ]
            if refused and not await self._send_dead_letters(batch, refused):
                return False
        return True

    async def _send_dead_letters(self, batch: Batch, refused: list[tuple[Any, Refusal]]) -> bool:
        """Dead-letter records of a batch; return whether Kafka has them all."""
        topic = dead_letter_topic(batch.topic)
        counts = Counts(refusal.reason for _, refusal in refused)
        first, (_, detail) = refused[0]
        logger.warning(
            "%d records of %s partition %d are refused (%s) and go to %s; the first, offset %d: %s",
            len(refused),
            batch.topic,
            batch.partition,
            ", ".join(f"{reason} {count}" for reason, count in counts.items()),
            topic,
            first.offset,
            detail,
        )
        letters = [DeadLetter(record, refusal.detail) for record, refusal in refused]
        if not await self._dead_letters.send(topic, batch, letters):
            return False
        for reason, count in counts.items():
            DEAD_LETTERS.labels(reason).inc(count)
        return True


def _count_trades(queued: Iterable[tuple[Batch, WriteBatch]]) -> int:
    return sum(len(write_batch.trades) for _, write_batch in queued)


async def _wait_to_end(task: asyncio.Task[None]) -> None:
    """Wait for a task, even when cancelled: what was logged must be stored."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled:
        raise cancelled


def log_trades(batch: Batch, decoded: Decoded) -> None:
    """Log a line for each trade."""
    info_many(
        trades_logger,
        trade_log.lines(batch, decoded.trades),
        lambda: (
            trade_log.fields(batch, record, trade_rules.decode(record.value))
            for record in decoded.valid
        ),
    )
