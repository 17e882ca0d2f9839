"""Topics that are gone while the program runs are made again, as a start would make them."""

import logging
from collections.abc import Callable

from aiokafka.errors import KafkaError
from mode import Service

from settings import Settings
from streaming.kafka.cluster import KafkaUnavailable, TopicSpec, admin_client, ensure_topics
from streaming.kafka.topic_ids import topic_ids
from streaming.kafka.transport import Producer

logger = logging.getLogger(__name__)

#: So often topics are looked for. Only one that is missing twice is made again: somebody may just
#: be doing so by hand.
INTERVAL_S = 2.0


class TopicKeeper(Service):
    """Looks for topics, and makes those again that are gone."""

    logger = logger
    mundane_level = "debug"

    def __init__(
        self, settings: Settings, topics: list[TopicSpec], producer: Callable[[], Producer]
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
                await self._make_missing()
            except (KafkaError, KafkaUnavailable, TimeoutError, OSError) as error:
                logger.debug("Could not look for topics: %r", error)  # health tells

    async def _make_missing(self) -> None:
        there = await topic_ids(self._producer().kafka.client, self._topics)
        before, self._missing = self._missing, self._topics.keys() - there.keys()
        gone = sorted(before & self._missing)
        if gone:
            logger.warning("Topics are gone and are made again: %s", ", ".join(gone))
            async with admin_client(self._settings) as client:
                await ensure_topics(client, [self._topics[it] for it in gone], self._settings)
