"""The offset to read each partition from: the store's, not the committed one of the group."""

import logging
from collections.abc import Callable, Iterable

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

    def get(self, tp: TP) -> Checkpoint | None:
        """Return the checkpoint of a partition, or None if it must be loaded first."""
        return self._checkpoints.get(tp)

    def advance(self, tp: TP, next_offset: int) -> None:
        """Record how far a partition has been read."""
        self._checkpoints[tp] = self._checkpoints[tp]._replace(next_offset=next_offset)

    async def load(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """Load the stored offsets and return them, without those that cannot be loaded now."""
        known, self._checkpoints = self._checkpoints, {}
        try:
            ids = await topic_ids(self._client(), {tp.topic for tp in partitions})
            stored = await self._writer.checkpoints(
                {tp: ids[tp.topic] for tp in partitions if tp.topic in ids}
            )
        except (StoreUnavailable, KafkaError, TimeoutError) as error:
            logger.warning("Could not load the stored offsets yet: %s", error)
            return {}
        recreated = {
            tp.topic for tp in known.keys() & stored if known[tp].topic_id != ids[tp.topic]
        }
        for topic in sorted(recreated):
            logger.warning("%s was deleted and created again; reading it from its start", topic)
        self._checkpoints = stored
        return {tp: checkpoint.next_offset for tp, checkpoint in stored.items()}

    async def have_changed_topic(self) -> bool:
        """Return whether a topic has been recreated since the offsets were loaded.

        Raises KafkaError or TimeoutError when no broker answers.
        """
        ids = await topic_ids(self._client(), {tp.topic for tp in self._checkpoints})
        return any(
            ids.get(tp.topic, checkpoint.topic_id) != checkpoint.topic_id
            for tp, checkpoint in self._checkpoints.items()
        )


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
