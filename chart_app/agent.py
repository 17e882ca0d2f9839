"""The consumer group: logs each trade, and puts aside what is none."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import faust
from prometheus_client import Counter

import records
from chart_app import trade_log
from records import InvalidTrade, Trade
from streaming.app import App
from streaming.dead_letter import DeadLetter, DeadLetterQueue
from streaming.logs import info_many
from streaming.transport import Batch, Record
from topics import dead_letter_topic

logger = logging.getLogger(__name__)
trades_logger = logging.getLogger("chart_app.trades")

CONSUMED = Counter("chart_trades_consumed", "Trades logged.", ["topic"])
#: Trades between two turns of the event loop: a fetch can be 12,000, and health checks wait.
SLICE_TRADES = 1000

#: A trade and the record it stood in.
Consumed = tuple[Record, Trade]


class Follower:
    """Follows the trades, a batch at a time."""

    def __init__(self, dead_letters: DeadLetterQueue) -> None:
        self._dead_letters = dead_letters

    async def handle(self, batch: Batch) -> bool:
        """Log the trades of a batch; return whether all its records are dealt with.

        False means that the program ends: the next worker gets the batch again.
        """
        for records_ in batch.slices(SLICE_TRADES):
            consumed, letters = sort(records_)
            log(batch, consumed)
            CONSUMED.labels(batch.topic).inc(len(consumed))
            if letters and not await self._put_aside(batch, letters):
                return False
            await asyncio.sleep(0)
        return True

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


def sort(records_: list[Record]) -> tuple[list[Consumed], list[DeadLetter]]:
    """Tell the trades among the records from what is none."""
    consumed: list[Consumed] = []
    letters: list[DeadLetter] = []
    for record in records_:
        try:
            trade = records.decode(record.value)
        except InvalidTrade as error:
            letters.append(DeadLetter(record, str(error)))
            continue
        if 0 <= record.timestamp <= trade_log.TIMESTAMP_MAX_MS:
            consumed.append((record, trade))
        else:
            letters.append(DeadLetter(record, f"timestamp: {record.timestamp} is no time"))
    return consumed, letters


def log(batch: Batch, consumed: list[Consumed]) -> None:
    """Log a line a trade."""
    info_many(
        trades_logger,
        trade_log.lines(batch, consumed),
        lambda: (trade_log.fields(batch, record, trade) for record, trade in consumed),
    )


async def follow(
    batches: AsyncIterator[Batch], follower: Follower, mark_done: Callable[[Batch], None]
) -> None:
    """Handle batches until one is left undone.

    Nothing behind that one may be marked: its offset is committed with theirs.
    """
    async for batch in batches:
        if not await follower.handle(batch):
            return
        mark_done(batch)


def add_agent(app: App, topic: faust.TopicT, follower: Follower) -> None:
    """Make the app follow the topic."""

    @app.agent(topic)
    async def follow_trades(batches: faust.StreamT[Batch]) -> None:
        try:
            await follow(aiter(batches), follower, app.kafka_consumer.done)
        except Exception as error:
            # Faust would restart the agent and go on behind the batch.
            logger.exception("A batch could not be handled; the worker ends")
            await app.crash(error)
