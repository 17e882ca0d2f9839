"""The offset to read each partition from: the store's, not the committed one of the group."""

import logging
from collections.abc import Callable, Collection, Mapping

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from faust.types import TP
from mode import Service

from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.write_batch import Checkpoint
from chart_app.storage.writer import StoreWriter
from streaming.kafka.consumer import Consumer
from streaming.kafka.topic_ids import topic_ids

logger = logging.getLogger(__name__)

TOPIC_CHECK_INTERVAL_S = 2.0


class Offsets:
    """The checkpoints of this worker's partitions: as stored, advanced by what was read since."""

    def __init__(self, writer: StoreWriter, client: Callable[[], AIOKafkaClient]) -> None:
        self._writer = writer
        self._client = client
        self._checkpoints: dict[TP, Checkpoint] = {}
        #: Of the partitions that the offsets were last loaded for.
        self._topics: set[str] = set()
        #: Kafka's id of each topic whose offsets were ever loaded, as of the last time: it stays
        #: where the topic is deleted, and so not loaded, before it is created again.
        self._topic_ids: dict[str, str] = {}

    def get(self, tp: TP) -> Checkpoint | None:
        """Return the checkpoint of a partition, or None if it must be loaded first."""
        return self._checkpoints.get(tp)

    def advance(self, tp: TP, next_offset: int) -> None:
        """Record how far a partition has been read."""
        self._checkpoints[tp] = self._checkpoints[tp]._replace(next_offset=next_offset)

    async def load(self, partitions: Collection[TP]) -> dict[TP, int]:
        """Load the stored offsets and return them, without those that cannot be loaded now."""
        self._checkpoints = {}
        self._topics = {tp.topic for tp in partitions}
        try:
            ids = await topic_ids(self._client(), self._topics)
            stored = await self._writer.checkpoints(
                {tp: ids[tp.topic] for tp in partitions if tp.topic in ids}
            )
        except (StoreUnavailable, KafkaError, TimeoutError) as error:
            logger.warning("Could not load the stored offsets yet: %s", error)
            return {}
        for topic in self._other_than_loaded(ids):
            logger.warning("%s was deleted and created again; its offsets begin anew", topic)
        self._topic_ids |= ids
        self._checkpoints = stored
        return {tp: checkpoint.next_offset for tp, checkpoint in stored.items()}

    async def have_changed_topic(self) -> bool:
        """Return whether a topic has been recreated since the offsets were loaded.

        Raises KafkaError or TimeoutError when no broker answers.
        """
        return bool(self._other_than_loaded(await topic_ids(self._client(), self._topics)))

    def _other_than_loaded(self, ids: Mapping[str, str]) -> list[str]:
        return sorted(topic for topic, it in ids.items() if self._topic_ids.get(topic, it) != it)


class TopicWatch(Service):
    """Watches for topics that were recreated: they are read from their start."""

    logger = logger
    mundane_level = "debug"

    def __init__(self, offsets: Offsets, consumer: Callable[[], Consumer]) -> None:
        super().__init__()
        self._offsets = offsets
        self._consumer = consumer

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            await self.sleep(TOPIC_CHECK_INTERVAL_S)
            try:
                if await self._offsets.have_changed_topic():
                    await self._consumer().seek_back()
            except (KafkaError, TimeoutError, OSError):
                pass  # the health check reports that Kafka does not answer
