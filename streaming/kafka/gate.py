"""Waits for Kafka at startup."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from mode import Service

from streaming import internals
from streaming.kafka.cluster import admin_client
from streaming.kafka.rights import Rights, RightsMissing
from streaming.kafka.topics import KafkaUnavailable, TopicSpec, ensure_topics
from streaming.service import is_ending
from streaming.settings import KafkaSettings

logger = logging.getLogger(__name__)
aiokafka_logger = logging.getLogger("aiokafka")
CONNECTION_LOGGER = "aiokafka.conn"

RETRY_INTERVAL_S = 0.5
#: While Kafka does not list a topic yet that it has just created.
LISTED_INTERVAL_S = 0.05
#: A shorter wait is normal at startup and not logged.
WAITING_LOG_AFTER_S = 1.0
WAITING_LOG_INTERVAL_S = 5.0


class _LastMessage(logging.Handler):
    """Keeps the last message that aiokafka logs: it says more than the exception.

    Those of single connections say less: that a password is sent in the clear.
    """

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != CONNECTION_LOGGER:
            self.text = record.getMessage()

    @contextmanager
    def capture(self, logger: logging.Logger) -> Iterator[None]:
        """Handle a logger's records, and keep them from all other handlers."""
        logger.addHandler(self)
        logger.propagate = False
        try:
            yield
        finally:
            logger.propagate = True
            logger.removeHandler(self)


class KafkaGate(Service):
    """Lets the services after it start once Kafka is up, gives the rights, and lists the topics.

    With a consumer group, it also waits for its coordinator: Kafka creates the topic of the
    groups' offsets on the first request for one, which takes a moment.
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        settings: KafkaSettings,
        topics: Sequence[TopicSpec],
        rights: Rights,
        group: str | None = None,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._topics = topics
        self._rights = rights
        self._group = group

    async def on_start(self) -> None:
        """Wait for Kafka; exit if it is not ready in time."""
        try:
            await self.wait_for_topics()
        except KafkaUnavailable as error:
            logger.critical("%s", error)
            raise SystemExit(1) from None

    async def wait_for_topics(self) -> None:
        """Wait for Kafka, logging that, and create the topics that are missing.

        Raises :exc:`KafkaUnavailable` after ``KAFKA_STARTUP_TIMEOUT`` seconds.
        """
        start = time.monotonic()
        next_log = start + WAITING_LOG_AFTER_S
        while not is_ending(self):
            pause_s = RETRY_INTERVAL_S
            logged = _LastMessage(logging.WARNING)
            try:
                with logged.capture(aiokafka_logger):
                    async with admin_client(self._settings) as client:
                        logged.text = ""  # about connecting, which succeeded
                        await self._rights.require(internals.admin_connection(client))
                        replication = self._settings.kafka_replication_factor
                        if not await ensure_topics(client, self._topics, replication):
                            pause_s = LISTED_INTERVAL_S
                            raise UnknownTopicOrPartitionError(
                                "Kafka does not list the new topics yet"
                            )
                        if self._group is not None:
                            await client.find_coordinator(self._group)
                        return
            except (KafkaError, RightsMissing, TimeoutError) as error:
                now = time.monotonic()
                if now - start > self._settings.kafka_startup_timeout:
                    raise KafkaUnavailable(
                        f"Kafka at {self._servers} was not ready within "
                        f"{self._settings.kafka_startup_timeout:g} s (KAFKA_STARTUP_TIMEOUT): "
                        f"{logged.text or error}"
                    ) from error
                if now >= next_log and not self._rights.check():  # which is logged
                    logger.warning(
                        "Waiting for Kafka at %s: %s", self._servers, logged.text or error
                    )
                    next_log = now + WAITING_LOG_INTERVAL_S
            await asyncio.sleep(pause_s)

    @property
    def _servers(self) -> str:
        return ",".join(self._settings.kafka_client_bootstrap_server)
