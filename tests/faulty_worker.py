"""chart_app's worker, to whom something happens at a chosen instruction.

``faust -A tests.faulty_worker worker`` with FAULT_AT, an instruction of tests/faults.py, and
FAULT_SIGNAL, the signal it sends itself there, once: with the first trades that it stores. It
says so in lines of its log, one a partition. The program itself has no hooks for this.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from chart_app import main
from chart_app.storage.database import Database, Result
from chart_app.storage.write_batch import Change, WriteBatch
from chart_app.storage.writer import StoreWriter
from streaming.kafka.batch import Batch
from streaming.kafka.dead_letter import DeadLetter, DeadLetterQueue
from tests.faults import AFTER_COMMIT, AFTER_DEAD_LETTERS, BEFORE_COMMIT, BEFORE_TRANSACTION

app = main.program().app
_apply = StoreWriter.apply
_write = Database.write
_send = DeadLetterQueue.send
_at_hand: list[WriteBatch] = []
_is_over = False


def _reached(instruction: str) -> None:
    global _is_over  # noqa: PLW0603 - one worker a process
    if not _at_hand or _is_over or instruction != os.environ["FAULT_AT"]:
        return
    _is_over = True
    for partition in sorted({it.tp.partition for it in _at_hand}):
        batches = [it for it in _at_hand if it.tp.partition == partition]
        start, end = batches[0].checkpoint.next_offset, batches[-1].next_offset
        sys.stderr.write(f"fault {instruction} partition={partition} from={start} until={end}\n")
    _befall()


def _befall() -> None:
    sys.stderr.flush()
    os.kill(os.getpid(), signal.Signals[os.environ["FAULT_SIGNAL"]])


async def _faulty_apply(self: StoreWriter, *batches: WriteBatch) -> Change:
    _at_hand[:] = batches if any(it.trades for it in batches) else ()
    try:
        _reached(BEFORE_TRANSACTION)
        change = await _apply(self, *batches)
        _reached(AFTER_COMMIT)
    finally:
        _at_hand.clear()
    return change


async def _faulty_write(
    self: Database, function: Callable[[Connection], Result], **options: Any
) -> Result:
    def and_then(connection: Connection) -> Result:
        result = function(connection)
        _reached(BEFORE_COMMIT)
        return result

    return await _write(self, and_then, **options)


async def _faulty_send(
    self: DeadLetterQueue, topic: str, source: Batch, letters: Sequence[DeadLetter]
) -> bool:
    were_sent = await _send(self, topic, source, letters)
    if os.environ["FAULT_AT"] == AFTER_DEAD_LETTERS:
        sys.stderr.write(f"fault {AFTER_DEAD_LETTERS}\n")
        _befall()
    return were_sent


StoreWriter.apply = _faulty_apply  # type: ignore[method-assign]
Database.write = _faulty_write  # type: ignore[method-assign]
DeadLetterQueue.send = _faulty_send  # type: ignore[method-assign]
