"""Recreates topics that are deleted while the program runs."""

import logging
from collections.abc import Callable, Iterable

from aiokafka.errors import KafkaError
from mode import Service

from streaming.kafka.cluster import admin_client
from streaming.kafka.producer import Producer
from streaming.kafka.topic_ids import topic_ids
from streaming.kafka.topics import KafkaUnavailable, TopicSpec, ensure_topics
from streaming.settings import KafkaSettings

logger = logging.getLogger(__name__)

#: Between checks. A topic is created only if two checks in a row miss it: someone may be
#: recreating it by hand.
INTERVAL_S = 2.0


class TopicKeeper(Service):
    """Checks regularly that topics exist, and recreates those that do not."""

    logger = logger
    mundane_level = "debug"

    def __init__(
        self, settings: KafkaSettings, topics: Iterable[TopicSpec], producer: Callable[[], Producer]
    ) -> None:
        super().__init__()
        self._settings = settings
        self._topics = {topic.name: topic for topic in topics}
        self._producer = producer
        self._missing: set[str] = set()

    @Service.task
    async def _check_periodically(self) -> None:
        while not self.should_stop:
            await self.sleep(INTERVAL_S)
            try:
                await self._create_missing()
            except (KafkaError, KafkaUnavailable, TimeoutError, OSError) as error:
                logger.debug("Could not check the topics: %r", error)  # health reports it

    async def _create_missing(self) -> None:
        existing = await topic_ids(self._producer().kafka.client, self._topics)
        before, self._missing = self._missing, self._topics.keys() - existing.keys()
        deleted = sorted(before & self._missing)
        if deleted:
            logger.warning("Recreating topics that no longer exist: %s", ", ".join(deleted))
            async with admin_client(self._settings) as client:
                topics = [self._topics[name] for name in deleted]
                await ensure_topics(client, topics, self._settings.kafka_replication_factor)
