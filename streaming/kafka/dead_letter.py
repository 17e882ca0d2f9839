"""Dead letters: invalid records, kept byte for byte on a topic of their own."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from prometheus_client import Counter

from streaming.internals import Record
from streaming.kafka.batch import Batch
from streaming.kafka.producer import Producer

logger = logging.getLogger(__name__)

SENT = Counter("dead_letters", "Records sent to a dead-letter topic.", ["topic"])
#: For Kafka to confirm a batch of dead letters; after that the producer is replaced.
CONFIRM_LIMIT_S = 30.0
STOP_CHECK_INTERVAL_S = 0.5
RETRY_INTERVAL_S = 1.0


class DeadLetter(NamedTuple):
    """An invalid record, with the reason."""

    record: Record
    reason: str
    is_too_large: bool = False


class DeadLetterQueue:
    """Sends dead letters, with retries until Kafka confirms them or the program ends.

    Key, value and headers are the record's own. Added headers, in UTF-8, are ``reason`` and its
    origin: ``topic``, ``partition``, ``offset`` and ``timestamp`` (ms).
    """

    def __init__(self, producer: Callable[[], Producer], should_stop: Callable[[], bool]) -> None:
        self._producer = producer
        self._should_stop = should_stop

    async def send(self, topic: str, source: Batch, letters: Sequence[DeadLetter]) -> bool:
        """Send dead letters of a batch to ``topic``; return whether all were confirmed."""
        remaining = list(letters)
        batch_max = len(remaining)
        while remaining and not self._should_stop():
            kafka = self._producer().kafka
            try:
                batch, count = _fill(kafka, source, remaining[:batch_max])
                if not await self._send_confirmed(kafka, topic, batch, source.partition):
                    break
            except MessageSizeTooLargeError:
                self._producer().send_failed(kafka)
                if batch_max == 1:
                    remaining[0] = _without_value(source, remaining[0])
                batch_max = 1  # send one by one, so that only the one too large loses its value
            except (KafkaError, TimeoutError) as error:
                logger.error("Could not send dead letters to %s: %r", topic, error)
                self._producer().send_failed(kafka)
                await asyncio.sleep(RETRY_INTERVAL_S)
            else:
                SENT.labels(topic).inc(count)
                del remaining[:count]
        return not remaining

    async def _send_confirmed(
        self, kafka: AIOKafkaProducer, topic: str, batch: BatchBuilder, partition: int
    ) -> bool:
        """Send a batch; return False if the program ends before Kafka confirms it."""
        sending = asyncio.create_task(
            self._producer().within(CONFIRM_LIMIT_S, kafka, _send(kafka, topic, batch, partition))
        )
        while not self._should_stop():
            if (await asyncio.wait({sending}, timeout=STOP_CHECK_INTERVAL_S))[0]:
                sending.result()
                return True
        sending.cancel()
        return False


async def _send(kafka: AIOKafkaProducer, topic: str, batch: BatchBuilder, partition: int) -> None:
    partitions = await kafka.partitions_for(topic)
    await (await kafka.send_batch(batch, topic, partition=partition % len(partitions)))


def _fill(
    kafka: AIOKafkaProducer, source: Batch, letters: Iterable[DeadLetter]
) -> tuple[BatchBuilder, int]:
    # producer.send() rejects a record that has neither key nor value.
    batch = kafka.create_batch()
    count = 0
    for letter in letters:
        record = letter.record
        headers = [*record.headers, *_origin_headers(source, letter)]
        value = None if letter.is_too_large else record.value
        if not batch.append(key=record.key, value=value, timestamp=None, headers=headers):
            break
        count += 1
    batch.close()
    return batch, count


def _origin_headers(source: Batch, letter: DeadLetter) -> list[tuple[str, bytes]]:
    record = letter.record
    return [
        ("reason", letter.reason.encode(errors="backslashreplace")),
        ("topic", source.topic.encode()),
        ("partition", str(source.partition).encode()),
        ("offset", str(record.offset).encode()),
        ("timestamp", str(record.timestamp).encode()),
    ]


def _without_value(source: Batch, letter: DeadLetter) -> DeadLetter:
    logger.error(
        "The record at %s partition %d offset %d is too large for the dead-letter topic: "
        "its dead letter has no value",
        source.topic,
        source.partition,
        letter.record.offset,
    )
    reason = f"{letter.reason} (value left out: too large)"
    return letter._replace(reason=reason, is_too_large=True)
