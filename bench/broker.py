"""The broker of a benchmark, and its topics."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import NewTopic
from aiokafka.structs import TopicPartition

from dev.local_kafka import LocalKafka, free_port
from tests.brokers import admin_of

PARTITIONS = 4
#: The coins, which are the keys: enough for every partition to have some.
COINS = [
    *("BTC", "ETH", "XRP", "SOL", "BNB", "ADA", "DOGE", "TRX", "AVAX", "DOT"),
    *("LINK", "LTC", "BCH", "UNI", "ATOM", "XLM", "ETC", "NEAR", "APT", "ARB"),
]


@contextmanager
def running_broker(
    properties: Mapping[str, str] | None = None,
) -> Iterator[tuple[LocalKafka, Path]]:
    """Run a broker on a free port; yield it with a temporary folder for more files."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        broker = LocalKafka(free_port(), Path(folder) / "kafka", properties)
        try:
            broker.start()
            yield broker, Path(folder)
        finally:
            broker.kill()


async def make_topic(broker: LocalKafka, topic: str) -> None:
    """Create a topic with :data:`PARTITIONS` partitions."""
    async with admin_of(broker) as admin:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])


async def count_records(broker: LocalKafka, topic: str) -> int:
    """Return how many records the topic holds."""
    async with counting(broker, topic) as count:
        return await count()


@asynccontextmanager
async def counting(broker: LocalKafka, topic: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Yield a function that returns how many records the topic holds."""
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_server) as consumer:
        await consumer.topics()  # else the leaders of a new topic stay unknown
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]

        async def count() -> int:
            return sum((await consumer.end_offsets(partitions)).values())

        yield count
