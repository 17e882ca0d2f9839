"""Waiting for Kafka at the start."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from mode import Service

from streaming.kafka.cluster import admin_client
from streaming.kafka.topics import KafkaUnavailable, TopicSpec, ensure_topics
from streaming.service import is_ending
from streaming.settings import KafkaSettings

logger = logging.getLogger(__name__)
aiokafka_logger = logging.getLogger("aiokafka")

RETRY_INTERVAL_S = 0.5
#: Until Kafka lists a topic that it has just created.
LISTED_INTERVAL_S = 0.05
#: A shorter wait is part of a start, and nothing to log.
WAITING_LOG_AFTER_S = 1.0
WAITING_LOG_INTERVAL_S = 5.0


class _Heard(logging.Handler):
    """Keeps what a library logs, of which its exceptions say less; the last line is enough."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()

    @contextmanager
    def instead_of(self, logger: logging.Logger) -> Iterator[None]:
        """Take a logger's lines and let no other handler have them."""
        logger.addHandler(self)
        logger.propagate = False
        try:
            yield
        finally:
            logger.propagate = True
            logger.removeHandler(self)


class KafkaGate(Service):
    """Lets the services behind it start once Kafka is there and lists the topics.

    And, for a member of a group, its coordinator: Kafka creates the topic that groups keep their
    offsets in when it is first asked for one, and takes a moment to do so.
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self, settings: KafkaSettings, topics: Sequence[TopicSpec], group: str | None = None
    ) -> None:
        super().__init__()
        self._settings = settings
        self._topics = topics
        self._group = group

    async def on_start(self) -> None:
        """Wait; end the program if that is in vain."""
        try:
            await self.wait_for_topics()
        except KafkaUnavailable as error:
            logger.critical("%s", error)
            raise SystemExit(1) from None

    async def wait_for_topics(self) -> None:
        """Wait for Kafka, saying so, and create the topics that are missing.

        Raises :exc:`KafkaUnavailable` after ``KAFKA_STARTUP_TIMEOUT`` seconds.
        """
        start = time.monotonic()
        next_log = start + WAITING_LOG_AFTER_S
        while not is_ending(self):
            pause_s = RETRY_INTERVAL_S
            heard = _Heard(logging.WARNING)
            try:
                with heard.instead_of(aiokafka_logger):
                    async with admin_client(self._settings) as client:
                        replication = self._settings.kafka_replication_factor
                        if not await ensure_topics(client, self._topics, replication):
                            pause_s = LISTED_INTERVAL_S
                            raise UnknownTopicOrPartitionError("it does not list them yet")
                        if self._group is not None:
                            await client.find_coordinator(self._group)
                        return
            except (KafkaError, TimeoutError) as error:
                now = time.monotonic()
                if now - start > self._settings.kafka_startup_timeout:
                    raise KafkaUnavailable(
                        f"Kafka at {self._servers} was not ready within "
                        f"{self._settings.kafka_startup_timeout:g} s (KAFKA_STARTUP_TIMEOUT): "
                        f"{heard.text or error}"
                    ) from error
                if now >= next_log:
                    logger.warning(
                        "Waiting for Kafka at %s: %s", self._servers, heard.text or error
                    )
                    next_log = now + WAITING_LOG_INTERVAL_S
            await asyncio.sleep(pause_s)

    @property
    def _servers(self) -> str:
        return ",".join(self._settings.kafka_client_bootstrap_server)
