import asyncio
from collections.abc import Coroutine
from typing import Any, cast
from unittest.mock import MagicMock

import pytest
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecord

from streaming.kafka import dead_letter
from streaming.kafka.batch import Batch
from streaming.kafka.dead_letter import DeadLetter, DeadLetterQueue
from streaming.kafka.producer import Producer

TOPIC = "tradeData.dead-letter"
RECORDS = [DefaultRecord(n, 7, 0, b"key", b"value %d" % n, [("own", b"x")]) for n in range(3)]
SOURCE = Batch("tradeData", 5, RECORDS)
LETTERS = [DeadLetter(record, "it is no trade") for record in RECORDS]


class Kafka:
    """Keeps what it is sent, after raising the errors that it is to raise."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.sent: list[tuple[str, int, int]] = []
        self.replaced = 0
        self.kafka = self

    def create_batch(self) -> BatchBuilder:
        """Return an empty batch."""
        return BatchBuilder(1_000_000, 0, is_transactional=False)

    async def partitions_for(self, _: str) -> set[int]:
        """Have two."""
        return {0, 1}

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> Any:
        """Keep topic, partition and number of records."""
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append((topic, partition, batch.record_count()))
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        confirmed.set_result(None)
        return confirmed

    async def within(self, _: float, __: Any, work: Coroutine[Any, Any, Any]) -> Any:
        """Wait for as long as it takes."""
        return await work

    def send_failed(self, _: Any) -> None:
        """Count it."""
        self.replaced += 1


def queue(kafka: Kafka, *, ends: bool = False) -> DeadLetterQueue:
    return DeadLetterQueue(lambda: cast(Producer, kafka), lambda: ends)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letter, "RETRY_INTERVAL_S", 0)


async def test_letters_go_out_together_to_the_partition_that_theirs_becomes() -> None:
    kafka = Kafka()
    assert await queue(kafka).send(TOPIC, SOURCE, LETTERS)
    assert kafka.sent == [(TOPIC, 1, 3)]


async def test_a_letter_is_its_record_with_where_it_stood_and_why() -> None:
    filled = MagicMock()
    filled.create_batch.return_value.append.return_value = True
    dead_letter._fill(filled, SOURCE, LETTERS[1:2])
    (call,) = filled.create_batch.return_value.append.call_args_list
    assert (call.kwargs["key"], call.kwargs["value"]) == (b"key", b"value 1")
    assert call.kwargs["headers"] == [
        *(("own", b"x"), ("reason", b"it is no trade"), ("topic", b"tradeData")),
        *(("partition", b"5"), ("offset", b"1"), ("timestamp", b"7")),
    ]


async def test_what_kafka_refuses_is_sent_again_by_another_producer() -> None:
    kafka = Kafka(KafkaError("no"), TimeoutError())
    assert await queue(kafka).send(TOPIC, SOURCE, LETTERS)
    assert (kafka.sent, kafka.replaced) == ([(TOPIC, 1, 3)], 2)


async def test_one_that_is_too_large_loses_its_value_and_no_other_does(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kafka = Kafka(MessageSizeTooLargeError("all"), MessageSizeTooLargeError("the first"))
    assert await queue(kafka).send(TOPIC, SOURCE, LETTERS)
    assert kafka.sent == [(TOPIC, 1, 1)] * 3
    (line,) = [it for it in caplog.messages if "too large for the dead-letter topic" in it]
    assert "partition 5 offset 0" in line


async def test_at_the_end_of_the_program_nothing_is_sent_any_more() -> None:
    kafka = Kafka()
    assert not await queue(kafka, ends=True).send(TOPIC, SOURCE, LETTERS)
    assert kafka.sent == []
