"""Reading the live topic, from now on."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
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
#: How often it is looked whether the topic is still the same. What was read meanwhile of one that
#: was deleted and created again may have holes.
CHECK_INTERVAL_S = 2.0
#: For Kafka to say where the topic ends; for the consumer to leave.
START_LIMIT_S = 30.0
STOP_LIMIT_S = 5.0


class Spans(Protocol):
    """Takes what the topic is said to carry."""

    async def follow(self) -> None:
        """Take it that the topic is read from now on; wait for the store, if need be."""

    def carry(self, spans: list[Span]) -> None:
        """Take what the messages before cover."""

    def check(self) -> None:
        """Take it that none of them was missed."""


class LiveFeed(Service):
    """Reads the whole topic from now on, and hands out what stands there.

    ``state`` returns the topic's, or None if it is not there. ``on_message`` is given coins and
    their messages, to be decoded.
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        topic: str,
        new_consumer: Callable[[], AIOKafkaConsumer],
        state: Callable[[], Awaitable[TopicState | None]],
        on_message: Callable[[str, bytes], None],
        spans: Spans,
    ) -> None:
        super().__init__()
        self._topic = topic
        self._new_consumer = new_consumer
        self._state = state
        self._on_message = on_message
        self._spans = spans
        self._is_following = False

    async def on_started(self) -> None:
        """Wait until nothing is missed that is broadcast from now on."""
        while not is_ending(self):
            if self._is_following:
                return
            await asyncio.sleep(START_CHECK_INTERVAL_S)

    @Service.task
    async def _read(self) -> None:
        while not self.should_stop:
            consumer = self._new_consumer()
            try:
                await self._follow(consumer)
            except (KafkaError, TimeoutError, OSError) as error:
                logger.error("Could not follow %s: %r", self._topic, error)
            finally:
                with suppress(TimeoutError):
                    await asyncio.wait_for(consumer.stop(), STOP_LIMIT_S)
            await self.sleep(RETRY_INTERVAL_S)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        """Read until the program ends, or the topic is another one."""
        async with asyncio.timeout(START_LIMIT_S):
            state = await self._state()
            if state is None:
                raise TimeoutError("it is not there")
            await consumer.start()
            consumer.assign([TopicPartition(self._topic, it) for it in range(state.partitions)])
            if not await consumer.seek_to_end():
                raise TimeoutError("Kafka did not say where it ends")
        await self._spans.follow()
        self._is_following = True
        next_check = time.monotonic() + CHECK_INTERVAL_S
        while not self.should_stop:
            fetched = await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS)
            for records in fetched.values():
                for record in records:
                    self._handle(record.key, record.value)
                    await asyncio.sleep(0)  # the readers of a large message get their turn
            if time.monotonic() >= next_check:
                if await self._state() != state:
                    logger.warning("%s was deleted, or has more partitions", self._topic)
                    return
                self._spans.check()
                next_check = time.monotonic() + CHECK_INTERVAL_S

    def _handle(self, key: bytes | None, value: bytes | None) -> None:
        if key is None:
            return  # of an earlier version, which said so that there may be a gap
        try:
            if key == messages.SPANS_KEY:
                self._spans.carry(messages.decode_spans(value or b""))
            else:
                self._on_message(key.decode(), value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            logger.error("What stands on %s is not ours: %r", self._topic, error)
