"""Sends the trades of a file to Kafka, at their original pace or faster."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from streaming.kafka.accumulator import ProducerBatch
from streaming.kafka.producer import FLUSH_TIMEOUT_S
from trading_app.parsing.submission import TradeRecord, record_of
from trading_app.parsing.trade_file import RefusedRow, Row
from trading_app.publisher import SLICE, NotSent, Publisher

REFUSED_SHOWN = 5
#: Shorter pauses are skipped: they are too short for the event loop's timer.
MIN_PAUSE_S = 0.001


@dataclass
class Outcome:
    """How many lines of a file were sent, confirmed and refused."""

    sent: int = 0
    confirmed: int = 0
    refused: int = 0
    first_refused: list[RefusedRow] = field(default_factory=list)

    def refuse(self, row: RefusedRow) -> None:
        """Count a line that is not a valid trade; keep the first :data:`REFUSED_SHOWN`."""
        self.refused += 1
        if len(self.first_refused) < REFUSED_SHOWN:
            self.first_refused.append(row)

    def __str__(self) -> str:
        lines = [f"{self.confirmed} trades sent, {self.refused} refused"]
        if self.unconfirmed:
            lines[0] += f", {self.unconfirmed} not confirmed by Kafka"
        lines += [f"  line {row.line}: {row.reason}" for row in self.first_refused]
        if self.refused > REFUSED_SHOWN:
            lines.append(f"  and {self.refused - REFUSED_SHOWN} more")
        return "\n".join(lines)

    @property
    def unconfirmed(self) -> int:
        """Return how many trades were sent but not confirmed."""
        return self.sent - self.confirmed


class Replay:
    """Sends the rows of a file to a topic and counts them in ``outcome``."""

    def __init__(self, publisher: Publisher, topic: str, speed: float) -> None:
        self.outcome = Outcome()
        self.speed = speed
        self._publisher = publisher
        self._topic = topic
        self._slice_max = min(SLICE, publisher.max_unconfirmed)
        self._pending: dict[ProducerBatch, asyncio.Future[None]] = {}

    async def run(self, rows: Iterable[Row | RefusedRow]) -> None:
        """Send all rows in the order of the file and wait for Kafka's confirmation.

        Raises :exc:`PublishError` if Kafka accepts none.
        """
        try:
            await self._send_all(rows)
        except asyncio.CancelledError:
            await self._wait_for_pending(FLUSH_TIMEOUT_S)
            raise
        await self._wait_for_pending(None)

    async def _send_all(self, rows: Iterable[Row | RefusedRow]) -> None:
        start = time.monotonic()
        first_ms: int | None = None
        due: list[TradeRecord] = []
        for row in rows:
            if isinstance(row, RefusedRow):
                self.outcome.refuse(row)
                continue
            if first_ms is None:
                first_ms = row.timestamp_ms
            due_s = start + (row.timestamp_ms - first_ms) / 1000 / self.speed
            pause_s = due_s - time.monotonic()
            if pause_s > MIN_PAUSE_S or len(due) == self._slice_max:
                await self._send(due)
                due = []
            if pause_s > MIN_PAUSE_S:
                await asyncio.sleep(pause_s)
            due.append(record_of(row.trade, row.timestamp_ms))
        await self._send(due)

    async def _send(self, due: list[TradeRecord]) -> None:
        while True:
            try:
                sent = await self._publisher.send(self._topic, due)
            except NotSent:
                if not self._pending:
                    raise
                await asyncio.wait(self._pending.values(), return_when=asyncio.FIRST_COMPLETED)
            else:
                break
        self.outcome.sent += len(due)
        for batch in {batch for batch, _ in sent} - self._pending.keys():
            waiter = self._pending[batch] = batch.waiter()
            waiter.add_done_callback(partial(self._settle, batch))
        await asyncio.sleep(0)  # let the producer send before the next lines are read

    def _settle(self, batch: ProducerBatch, _: "asyncio.Future[None]") -> None:
        del self._pending[batch]
        if batch.stored:
            self.outcome.confirmed += batch.count

    async def _wait_for_pending(self, timeout_s: float | None) -> None:
        if self._pending:
            await asyncio.wait(self._pending.values(), timeout=timeout_s)
