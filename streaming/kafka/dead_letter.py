"""Dead letters: records nothing can be made of, kept byte for byte on a topic of their own."""

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
#: For Kafka to confirm a batch of letters. A producer that does not is replaced.
CONFIRM_LIMIT_S = 30.0
STOP_CHECK_INTERVAL_S = 0.5
RETRY_INTERVAL_S = 1.0


class DeadLetter(NamedTuple):
    """A record, and why it is one."""

    record: Record
    reason: str
    is_too_large: bool = False


class DeadLetterQueue:
    """Sends dead letters until Kafka confirms them, or the program ends.

    Key and value are the record's own, so are its headers; added to those are ``reason``,
    ``topic``, ``partition``, ``offset`` and ``timestamp`` (ms), in UTF-8: where it stood.
    """

    def __init__(self, producer: Callable[[], Producer], should_stop: Callable[[], bool]) -> None:
        self._producer = producer
        self._should_stop = should_stop

    async def send(self, topic: str, source: Batch, letters: Sequence[DeadLetter]) -> bool:
        """Send letters of a batch to ``topic``; return whether all were confirmed."""
        left = list(letters)
        at_once = len(left)
        while left and not self._should_stop():
            kafka = self._producer().kafka
            try:
                filled, count = _fill(kafka, source, left[:at_once])
                if not await self._confirmed(kafka, topic, filled, source.partition):
                    break
            except MessageSizeTooLargeError:
                self._producer().send_failed(kafka)
                if at_once == 1:
                    left[0] = _without_value(source, left[0])
                at_once = 1  # one of them is too large, and only that loses its value
            except (KafkaError, TimeoutError) as error:
                logger.error("Could not send dead letters to %s: %r", topic, error)
                self._producer().send_failed(kafka)
                await asyncio.sleep(RETRY_INTERVAL_S)
            else:
                SENT.labels(topic).inc(count)
                del left[:count]
        return not left

    async def _confirmed(
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
    # Not producer.send(): that takes no record without both key and value.
    batch = kafka.create_batch()
    count = 0
    for letter in letters:
        record = letter.record
        headers = [*record.headers, *_where_it_stood(source, letter)]
        value = None if letter.is_too_large else record.value
        if not batch.append(key=record.key, value=value, timestamp=None, headers=headers):
            break
        count += 1
    batch.close()
    return batch, count


def _where_it_stood(source: Batch, letter: DeadLetter) -> list[tuple[str, bytes]]:
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
        "The record at %s partition %d offset %d is too large for the dead-letter topic; "
        "its value stays there only",
        source.topic,
        source.partition,
        letter.record.offset,
    )
    reason = f"{letter.reason} (value left out: too large)"
    return letter._replace(reason=reason, is_too_large=True)
