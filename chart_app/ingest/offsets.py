"""Where each partition is to be read from: what the store holds is what counts."""

import logging
from collections.abc import Callable, Iterable

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from faust.types import TP
from mode import Service

from chart_app.storage.write_batch import Progress
from chart_app.storage.writer import Store, StoreUnavailable
from streaming.kafka.topic_ids import topic_ids
from streaming.kafka.transport import Consumer

logger = logging.getLogger(__name__)

TOPIC_CHECK_INTERVAL_S = 2.0


class Offsets:
    """The progress of the partitions this worker has, as of the store and what was read since."""

    def __init__(self, store: Store, client: Callable[[], AIOKafkaClient]) -> None:
        self._store = store
        self._client = client
        self._progress: dict[TP, Progress] = {}

    def get(self, tp: TP) -> Progress | None:
        """Return how far a partition has been read, or None if that must be loaded first."""
        return self._progress.get(tp)

    def advance(self, tp: TP, next_offset: int) -> None:
        """Note that a partition was read this far."""
        self._progress[tp] = self._progress[tp]._replace(next_offset=next_offset)

    async def load(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """Return the stored offsets; those of partitions that cannot be had now are left out."""
        known, self._progress = self._progress, {}
        try:
            ids = await topic_ids(self._client(), {tp.topic for tp in partitions})
            stored = await self._store.progress(
                {tp: ids[tp.topic] for tp in partitions if tp.topic in ids}
            )
        except (StoreUnavailable, KafkaError, TimeoutError) as error:
            logger.warning("Could not load the offsets of the store yet: %s", error)
            return {}
        made_again = {
            tp.topic for tp in known.keys() & stored if known[tp].topic_id != ids[tp.topic]
        }
        for topic in sorted(made_again):
            logger.warning("%s was deleted and made again; reading it from its start", topic)
        self._progress = stored
        return {tp: progress.next_offset for tp, progress in stored.items()}

    async def have_changed_topic(self) -> bool:
        """Tell whether a topic has been deleted and made again since the offsets were loaded.

        Raises KafkaError or TimeoutError when no broker answers.
        """
        ids = await topic_ids(self._client(), {tp.topic for tp in self._progress})
        return any(
            ids.get(tp.topic, progress.topic_id) != progress.topic_id
            for tp, progress in self._progress.items()
        )


class TopicWatch(Service):
    """Has a topic that was deleted and made again read from its start."""

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
                pass  # health tells that Kafka does not answer
