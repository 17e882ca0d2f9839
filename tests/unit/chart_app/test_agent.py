from collections.abc import AsyncIterator

import pytest
from aiokafka.record.default_records import DefaultRecord

from chart_app.agent import Follower, follow, sort
from streaming.transport import Batch, Record

GOOD = b'{"coinName":"BTC","numOfCoin":1,"price":2}'


def record(value: bytes | None, timestamp: int = 0) -> Record:
    """Return a record of a topic."""
    return DefaultRecord(7, timestamp, 0, None, value, [])


def test_trades_are_told_from_what_is_none() -> None:
    records = [record(GOOD), record(b"garbage"), record(GOOD), record(None)]
    consumed, letters = sort(records)
    assert [it for it, _ in consumed] == [records[0], records[2]]
    assert [it.record for it in letters] == [records[1], records[3]]
    assert all(letter.reason for letter in letters)


@pytest.mark.parametrize("timestamp", [-1, 253_402_300_800_000, 2**63 - 1])
def test_a_record_without_a_time_is_no_trade(timestamp: int) -> None:
    consumed, (letter,) = sort([record(GOOD, timestamp)])
    assert consumed == []
    assert letter.reason == f"timestamp: {timestamp} is no time"


class Unwilling(Follower):
    """Leaves one batch undone."""

    def __init__(self, undone: Batch) -> None:
        self.undone = undone

    async def handle(self, batch: Batch) -> bool:
        """Refuse the one."""
        return batch is not self.undone


async def test_nothing_behind_a_batch_left_undone_is_marked_as_done() -> None:
    batches = [Batch("tradeData", 0, [record(GOOD)]) for _ in range(4)]

    async def stream() -> AsyncIterator[Batch]:
        for batch in batches:
            yield batch

    done: list[Batch] = []
    await follow(stream(), Unwilling(batches[2]), done.append)
    assert done == batches[:2]
    assert all(one is other for one, other in zip(done, batches, strict=False))
