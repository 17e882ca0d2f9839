"""Reads the live topic from its end."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from mode import Service

from chart_app.live import messages
from chart_app.live.gaps import Span
from streaming.kafka.topic_ids import TopicState
from streaming.service import is_ending

logger = logging.getLogger(__name__)

POLL_TIMEOUT_MS = 1000
START_CHECK_INTERVAL_S = 0.02
RETRY_INTERVAL_S = 1.0
#: How often to check whether the topic was recreated. What was read from it since the last check
#: may then be incomplete.
CHECK_INTERVAL_S = 2.0
#: For Kafka to return the end offsets, and for the consumer to stop.
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0


class Spans(Protocol):
    """A receiver of the spans that the live messages cover."""

    async def begin_reading(self) -> None:
        """Record that the topic is read from now on; wait for the store if necessary."""

    def cover(self, spans: list[Span]) -> None:
        """Record what the previous messages cover."""

    def confirm(self) -> None:
        """Record that no message has been missed since the last call."""


class LiveFeed(Service):
    """Reads all partitions of the live topic from their ends, and hands on the messages.

    Those of this worker, by its id, are skipped. ``state`` returns the topic's state, or None if it
    does not exist. ``on_message`` is called with a coin and its encoded message.
    """

    logger = logger
    mundane_level = "debug"

    def __init__(  # noqa: PLR0913 - keyword arguments, one for each collaborator
        self,
        topic: str,
        *,
        worker_id: bytes,
        new_consumer: Callable[[], AIOKafkaConsumer],
        state: Callable[[], Awaitable[TopicState | None]],
        on_message: Callable[[str, bytes], None],
        spans: Spans,
    ) -> None:
        super().__init__()
        self._topic = topic
        self._own_header = (messages.WORKER_HEADER, worker_id)
        self._new_consumer = new_consumer
        self._state = state
        self._on_message = on_message
        self._spans = spans
        self._is_reading = False

    async def on_started(self) -> None:
        """Wait until the topic is read, so that nothing broadcast from now on is missed."""
        while not is_ending(self):
            if self._is_reading:
                return
            await asyncio.sleep(START_CHECK_INTERVAL_S)

    @Service.task
    async def _read(self) -> None:
        while not self.should_stop:
            consumer = self._new_consumer()
            try:
                await self._read_topic(consumer)
            except (KafkaError, TimeoutError, OSError) as error:
                logger.error("Could not read %s: %r", self._topic, error)
            finally:
                with suppress(TimeoutError):
                    await asyncio.wait_for(consumer.stop(), STOP_TIMEOUT_S)
            await self.sleep(RETRY_INTERVAL_S)

    async def _read_topic(self, consumer: AIOKafkaConsumer) -> None:
        """Read until the program stops, or the topic is recreated or gets more partitions."""
        async with asyncio.timeout(START_TIMEOUT_S):
            state = await self._state()
            if state is None:
                raise TimeoutError("the topic does not exist")
            await consumer.start()
            consumer.assign([TopicPartition(self._topic, it) for it in range(state.partitions)])
            if not await consumer.seek_to_end():
                raise TimeoutError("Kafka did not return the end offsets")
        await self._spans.begin_reading()
        self._is_reading = True
        next_check = time.monotonic() + CHECK_INTERVAL_S
        while not self.should_stop:
            fetched = await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS)
            for records in fetched.values():
                for record in records:
                    self._handle(record.key, record.value, record.headers)
                    await asyncio.sleep(0)  # the subscribers of a large message get their turn
            if time.monotonic() >= next_check:
                if await self._state() != state:
                    logger.warning(
                        "%s was deleted, or has more partitions; reading it anew", self._topic
                    )
                    return
                self._spans.confirm()
                next_check = time.monotonic() + CHECK_INTERVAL_S

    def _handle(
        self, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        if self._own_header in headers:
            return  # this worker's subscribers have it by the short way
        if key is None:
            return  # from an earlier version, which announced possible gaps by it
        try:
            if key == messages.SPANS_KEY:
                self._spans.cover(messages.decode_spans(value or b""))
            else:
                self._on_message(key.decode(), value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            logger.error(
                "Ignored a message on %s that is not a live message: %r", self._topic, error
            )
