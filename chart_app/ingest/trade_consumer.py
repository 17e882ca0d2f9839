"""From fetched batches to write batches: each trade is logged and stored, or dead-lettered."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP
from prometheus_client import Counter

import trade_rules
from chart_app.ingest import trade_log
from chart_app.ingest.offsets import Offsets
from chart_app.live.broadcaster import Broadcaster
from chart_app.live.gaps import Span
from chart_app.model.decoder import Decoded, decode
from chart_app.model.folding import fold_trades
from chart_app.model.trades import Trades
from chart_app.storage.errors import StoreUnavailable, Superseded
from chart_app.storage.write_batch import Checkpoint, WriteBatch, spans
from chart_app.storage.writer import StoreWriter
from streaming.kafka.batch import Batch
from streaming.kafka.consumer import Consumer
from streaming.kafka.dead_letter import DeadLetter, DeadLetterQueue
from streaming.logs import info_many
from streaming.trouble import Trouble
from topics import dead_letter_topic

logger = logging.getLogger(__name__)
trades_logger = logging.getLogger("chart_app.trades")

CONSUMED = Counter("chart_trades_consumed", "Trades logged.", ["topic"])
STORED = Counter("chart_trades_stored", "Trades stored that were new.")
#: Trades, and bytes, between two turns of the event loop: a fetch can be 12,000, and health
#: checks wait. An invalid record takes up to 0.4 µs a byte.
SLICE_TRADES = 1000
SLICE_BYTES = 128 * 1024
#: Trades that may wait for the store. Then reading waits: memory is bounded.
MAX_WAITING_TRADES = 20_000
#: With fewer waiting, the store pauses between two transactions: those who read from it have
#: their turn, and more trades share the next one.
BACKLOG_TRADES = 1000
PAUSE_S = 0.02
#: Between two tries to store a batch: the first pause, and the longest.
RETRY_FIRST_S = 0.1
RETRY_MAX_S = 2.0
#: Between two tries to read the store's offsets.
RETRY_PAUSE_S = 1.0


class TradeConsumer:
    """Consumes the trades: decodes and logs batches while those before them are stored.

    What has been read by the time that the store is free goes into one transaction: the more
    there is to do, the less a trade costs.
    """

    def __init__(  # noqa: PLR0913 - keyword arguments, each one thing it works with
        self,
        *,
        offsets: Offsets,
        writer: StoreWriter,
        dead_letters: DeadLetterQueue,
        broadcaster: Broadcaster,
        consumer: Callable[[], Consumer],
        should_stop: Callable[[], bool],
    ) -> None:
        self._offsets = offsets
        self._writer = writer
        self._dead_letters = dead_letters
        self._broadcaster = broadcaster
        self._consumer = consumer
        self._should_stop = should_stop
        self._trouble = Trouble(logger, "The store answers again")
        self._waiting: list[tuple[Batch, WriteBatch]] = []
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._is_last = False

    def check(self) -> str | None:
        """Return None if the store takes what it is given, else what is wrong."""
        return self._trouble.check()

    async def consume(self, batches: AsyncIterator[Batch]) -> None:
        """Handle batches until the program ends."""
        self._is_last = False
        storing = asyncio.create_task(self._store_all())
        storing.add_done_callback(lambda _: self._taken.set())
        try:
            async for batch in batches:
                checkpoint = await self._checkpoint(batch)
                if checkpoint:
                    await _finish(asyncio.create_task(self._decode(batch, checkpoint)))
                while self._waiting_trades() > MAX_WAITING_TRADES and not storing.done():
                    self._taken.clear()
                    await self._taken.wait()
                if storing.done() or self._should_stop():
                    return
        finally:
            self._is_last = True
            self._arrived.set()
            await _finish(storing)

    def _waiting_trades(self) -> int:
        return sum(len(it.trades) for _, it in self._waiting)

    async def _store_all(self) -> None:
        """Store what is read."""
        while not self._is_last or self._waiting:
            await self._arrived.wait()
            self._arrived.clear()
            taken, self._waiting = self._waiting, []
            self._taken.set()
            await self._write(taken)
            if self._waiting_trades() < BACKLOG_TRADES:
                await asyncio.sleep(PAUSE_S)

    async def _checkpoint(self, batch: Batch) -> Checkpoint | None:
        """Return where the batch continues, or None if it does not: then it is thrown away."""
        tp = TP(batch.topic, batch.partition)
        consumer = self._consumer()
        while not self._should_stop() and not consumer.is_stale(batch):
            checkpoint = self._offsets.get(tp)
            if checkpoint is None:
                if tp not in await self._offsets.load(consumer.assignment()):
                    await asyncio.sleep(RETRY_PAUSE_S)
            elif batch.next_offset <= checkpoint.next_offset:
                return None  # read before
            elif batch.start > checkpoint.next_offset and not await self._is_gone(batch, tp):
                await consumer.seek_back()  # what is between was fetched, and thrown away
            else:
                return checkpoint
        return None

    async def _is_gone(self, batch: Batch, tp: TP) -> bool:
        """Return whether Kafka has deleted all that was before a batch."""
        try:
            return await self._consumer().first_offset(tp) >= batch.start
        except (KafkaError, TimeoutError) as error:
            logger.warning("Could not ask where %s begins: %r", tp, error)
            return False

    async def _decode(self, batch: Batch, checkpoint: Checkpoint) -> None:
        """Log the trades of a batch, dead-letter invalid records, and have the trades stored."""
        parts: list[Trades] = []
        for slice_ in batch.slices(SLICE_TRADES, SLICE_BYTES):
            new = slice_
            if slice_[0].offset < checkpoint.next_offset:
                new = [record for record in slice_ if record.offset >= checkpoint.next_offset]
            decoded = decode(checkpoint.partition_id, new)
            log(batch, decoded)
            CONSUMED.labels(batch.topic).inc(len(decoded.trades))
            if decoded.invalid and not await self._dead_letter(batch, decoded.invalid):
                return
            parts.append(decoded.trades)
            await asyncio.sleep(0)
        tp = TP(batch.topic, batch.partition)
        if self._consumer().is_stale(batch) or self._offsets.get(tp) != checkpoint:
            return  # the offsets were loaded anew meanwhile, and do not lead here
        trades = Trades.joined(parts)
        self._offsets.advance(tp, batch.next_offset)
        to_write = WriteBatch(tp, checkpoint, batch.next_offset, trades, fold_trades(trades))
        self._waiting.append((batch, to_write))
        self._arrived.set()

    async def _write(self, taken: list[tuple[Batch, WriteBatch]]) -> None:
        """Store batches, let their offsets be committed, and have the change broadcast."""
        pause = RETRY_FIRST_S
        while True:  # at the end of the program once, too: what was logged is to be stored
            fresh = [it for it in taken if not self._consumer().is_stale(it[0])]
            if not fresh:
                self._trouble.note(None)  # nothing waits any longer
                return
            try:
                change = await self._writer.apply(*(it for _, it in fresh))
            except Superseded as error:
                self._trouble.note(None)
                logger.warning("%s; reading on from where the store stands", error)
                await self._consumer().seek_back()
                return
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
                covered = spans(it for _, it in fresh).values()
                self._broadcaster.put(
                    change, [Span(it.partition_id, it.next_offset, end) for it, end in covered]
                )
                return

    async def _dead_letter(self, batch: Batch, invalid: list[tuple[Any, str]]) -> bool:
        topic = dead_letter_topic(batch.topic)
        first, reason = invalid[0]
        logger.warning(
            "%d records of %s partition %d are no trades and go to %s; the first, offset %d: %s",
            *(len(invalid), batch.topic, batch.partition, topic, first.offset, reason),
        )
        letters = [DeadLetter(record, reason) for record, reason in invalid]
        return await self._dead_letters.send(topic, batch, letters)


async def _finish(task: asyncio.Task[None]) -> None:
    """Wait for a task; whoever cancels this waits for it too: what was logged is to be stored."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled:
        raise cancelled


def log(batch: Batch, decoded: Decoded) -> None:
    """Log a line a trade."""
    info_many(
        trades_logger,
        trade_log.lines(batch, decoded.trades),
        lambda: (
            trade_log.fields(batch, record, trade_rules.decode(record.value))
            for record in decoded.valid
        ),
    )
