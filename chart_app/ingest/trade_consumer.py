"""The consumer group: logs each trade, stores it, and puts aside what is none."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import faust
from aiokafka.errors import KafkaError
from faust.types import TP
from prometheus_client import Counter

import records
from chart_app.ingest import trade_log
from chart_app.ingest.offsets import Offsets
from chart_app.live.broadcaster import Broadcaster
from chart_app.live.gaps import Span
from chart_app.model.decoder import Intake, take_in
from chart_app.model.trades import Trades
from chart_app.storage.write_batch import Portion, Progress, fold_trades, spans
from chart_app.storage.writer import Store, StoreUnavailable, Superseded
from streaming.app import App
from streaming.kafka.dead_letter import DeadLetter, DeadLetterQueue
from streaming.kafka.transport import Batch, Consumer
from streaming.logs import info_many
from topics import dead_letter_topic

logger = logging.getLogger(__name__)
trades_logger = logging.getLogger("chart_app.trades")

CONSUMED = Counter("chart_trades_consumed", "Trades logged.", ["topic"])
STORED = Counter("chart_trades_stored", "Trades stored that were new.")
#: Trades, and bytes, between two turns of the event loop: a fetch can be 12,000, and health
#: checks wait. What is no trade takes up to 0.4 µs a byte.
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


class Follower:
    """Follows the trades: reads batches while those before them are stored.

    What has been read by the time that the store is free goes into one transaction: the more
    there is to do, the less a trade costs.
    """

    def __init__(  # noqa: PLR0913 - keyword arguments, each one thing it works with
        self,
        *,
        offsets: Offsets,
        store: Store,
        dead_letters: DeadLetterQueue,
        broadcaster: Broadcaster,
        consumer: Callable[[], Consumer],
        should_stop: Callable[[], bool],
    ) -> None:
        self._offsets = offsets
        self._store = store
        self._dead_letters = dead_letters
        self._broadcaster = broadcaster
        self._consumer = consumer
        self._should_stop = should_stop
        self._trouble: str | None = None
        self._read_batches: list[tuple[Batch, Portion]] = []
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._is_last = False

    def check(self) -> str | None:
        """Return None if the store takes what it is given, else what is wrong."""
        return self._trouble

    async def follow(self, batches: AsyncIterator[Batch]) -> None:
        """Handle batches until the program ends."""
        self._is_last = False
        storing = asyncio.create_task(self._store_all())
        storing.add_done_callback(lambda _: self._taken.set())
        try:
            async for batch in batches:
                progress = await self._progress(batch)
                if progress:
                    await _finish(asyncio.create_task(self._read(batch, progress)))
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
        return sum(len(portion.trades) for _, portion in self._read_batches)

    async def _store_all(self) -> None:
        """Store what is read."""
        while not self._is_last or self._read_batches:
            await self._arrived.wait()
            self._arrived.clear()
            taken, self._read_batches = self._read_batches, []
            self._taken.set()
            await self._keep(taken)
            if self._waiting_trades() < BACKLOG_TRADES:
                await asyncio.sleep(PAUSE_S)

    async def _progress(self, batch: Batch) -> Progress | None:
        """Return where the batch continues, or None if it does not: then it is thrown away."""
        tp = TP(batch.topic, batch.partition)
        consumer = self._consumer()
        while not self._should_stop() and not consumer.is_stale(batch):
            progress = self._offsets.get(tp)
            if progress is None:
                if tp not in await self._offsets.load(consumer.assignment()):
                    await asyncio.sleep(RETRY_PAUSE_S)
            elif batch.next_offset <= progress.next_offset:
                return None  # read before
            elif batch.start > progress.next_offset and not await self._is_gone(batch, tp):
                await consumer.seek_back()  # what is between was fetched, and thrown away
            else:
                return progress
        return None

    async def _is_gone(self, batch: Batch, tp: TP) -> bool:
        """Tell whether Kafka has deleted all that was before a batch."""
        try:
            return await self._consumer().first_offset(tp) >= batch.start
        except (KafkaError, TimeoutError) as error:
            logger.warning("Could not ask where %s begins: %r", tp, error)
            return False

    async def _read(self, batch: Batch, progress: Progress) -> None:
        """Log the trades of a batch, put aside what is none, and have the trades stored."""
        parts: list[Trades] = []
        for slice_ in batch.slices(SLICE_TRADES, SLICE_BYTES):
            new = slice_
            if slice_[0].offset < progress.next_offset:
                new = [record for record in slice_ if record.offset >= progress.next_offset]
            intake = take_in(progress.log, new)
            log(batch, intake)
            CONSUMED.labels(batch.topic).inc(len(intake.trades))
            if intake.letters and not await self._put_aside(batch, intake.letters):
                return
            parts.append(intake.trades)
            await asyncio.sleep(0)
        tp = TP(batch.topic, batch.partition)
        if self._consumer().is_stale(batch) or self._offsets.get(tp) != progress:
            return  # the offsets were loaded anew meanwhile, and do not lead here
        trades = Trades.joined(parts)
        self._offsets.advance(tp, batch.next_offset)
        portion = Portion(tp, progress, batch.next_offset, trades, fold_trades(trades))
        self._read_batches.append((batch, portion))
        self._arrived.set()

    async def _keep(self, taken: list[tuple[Batch, Portion]]) -> None:
        """Store batches, let their offsets be committed, and have the change broadcast."""
        pause = RETRY_FIRST_S
        while True:  # at the end of the program once, too: what was logged is to be stored
            fresh = [it for it in taken if not self._consumer().is_stale(it[0])]
            if not fresh:
                self._trouble = None  # nothing waits any longer
                return
            try:
                change = await self._store.apply(*(portion for _, portion in fresh))
            except Superseded as error:
                self._note(None)
                logger.warning("%s; reading on from where the store stands", error)
                await self._consumer().seek_back()
                return
            except StoreUnavailable as error:
                self._note(f"the store does not answer: {error}")
                if self._should_stop():
                    return
                await asyncio.sleep(pause)
                pause = min(2 * pause, RETRY_MAX_S)
            else:
                self._note(None)
                STORED.inc(len(change.trades))
                for batch, _ in fresh:
                    self._consumer().done(batch)
                covered = spans(portion for _, portion in fresh).values()
                self._broadcaster.put(
                    change, [Span(it.log, it.next_offset, end) for it, end in covered]
                )
                return

    def _note(self, trouble: str | None) -> None:
        if trouble and not self._trouble:
            logger.error("Waiting: %s", trouble)
        elif self._trouble and not trouble:
            logger.info("The store answers again")
        self._trouble = trouble

    async def _put_aside(self, batch: Batch, letters: list[DeadLetter]) -> bool:
        topic = dead_letter_topic(batch.topic)
        logger.warning(
            "%d records of %s partition %d are no trades and go to %s; the first, offset %d: %s",
            len(letters),
            batch.topic,
            batch.partition,
            topic,
            letters[0].record.offset,
            letters[0].reason,
        )
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


def log(batch: Batch, intake: Intake) -> None:
    """Log a line a trade."""
    info_many(
        trades_logger,
        trade_log.lines(batch, intake.trades),
        lambda: (
            trade_log.fields(batch, record, records.decode(record.value))
            for record in intake.records
        ),
    )


def add_agent(app: App, topic: faust.TopicT, follower: Follower) -> None:
    """Make the app follow the topic."""

    @app.agent(topic)
    async def follow_trades(batches: faust.StreamT[Batch]) -> None:
        try:
            await follower.follow(aiter(batches))
        except Exception as error:
            # Faust would restart the agent and go on behind the batch.
            logger.exception("A batch could not be handled; the worker ends")
            await app.crash(error)
