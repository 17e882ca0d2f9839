"""Creates topics again that are gone while the program runs, as a start would."""

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

#: So often topics are looked for. Only one that is missing twice is created: somebody may just
#: be doing so by hand.
INTERVAL_S = 2.0


class TopicKeeper(Service):
    """Looks for topics, and creates those that are gone."""

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
    async def _keep(self) -> None:
        while not self.should_stop:
            await self.sleep(INTERVAL_S)
            try:
                await self._create_missing()
            except (KafkaError, KafkaUnavailable, TimeoutError, OSError) as error:
                logger.debug("Could not look for topics: %r", error)  # health tells

    async def _create_missing(self) -> None:
        there = await topic_ids(self._producer().kafka.client, self._topics)
        before, self._missing = self._missing, self._topics.keys() - there.keys()
        gone = sorted(before & self._missing)
        if gone:
            logger.warning("Topics are gone and are created again: %s", ", ".join(gone))
            async with admin_client(self._settings) as client:
                topics = [self._topics[it] for it in gone]
                await ensure_topics(client, topics, self._settings.kafka_replication_factor)
