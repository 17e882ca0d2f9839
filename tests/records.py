"""What stands on a topic."""

from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.conftest import Cluster

FETCH_TIMEOUT_MS = 5_000


async def read_all(cluster: Cluster) -> list[Any]:
    """Return all records of the test's topic; those of a partition are in their order."""
    async with AIOKafkaConsumer(bootstrap_servers=cluster.broker.bootstrap_server) as consumer:
        await consumer._client.add_topic(cluster.topic)
        numbers = consumer.partitions_for_topic(cluster.topic) or ()
        partitions = [TopicPartition(cluster.topic, number) for number in numbers]
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        records: list[Any] = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            fetched = await consumer.getmany(timeout_ms=FETCH_TIMEOUT_MS)
            records += [record for batch in fetched.values() for record in batch]
        return records
