"""What we add to Faust's Kafka, in this process, on a real broker."""

import asyncio
import logging
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidReplicationFactorError

from streaming.kafka.topics import TopicSpec, ensure_topics
from tests.brokers import admin_of
from tests.conftest import Cluster
from tests.waiting import eventually


async def partitions(client: AIOKafkaAdminClient, topic: str) -> int:
    """Return how many a topic has, as soon as the broker knows of it.

    A broker may answer that a topic is made before it lists the topic.
    """

    async def listed() -> int:
        topics = {it["topic"]: it["partitions"] for it in await client.describe_topics()}
        return len(topics.get(topic, []))

    return await eventually(listed, f"the broker lists {topic}")


async def configs(client: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    """Return what the broker shows of a topic."""
    answers: Any = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    ((*_, entries),) = answers[0].resources
    return {entry[0]: entry[1] for entry in entries}


async def test_a_missing_topic_is_made_and_then_left_alone(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    spec = TopicSpec(cluster.topic, 3, {"retention.ms": "-1"})
    async with admin_of(cluster.broker) as client:
        await asyncio.gather(*(ensure_topics(client, [spec], 1) for _ in range(5)))
        assert f"Created topic {cluster.topic} with 3 partitions" in caplog.messages
        assert await partitions(client, cluster.topic) == 3
        caplog.clear()
        await ensure_topics(client, [spec], 1)
        assert caplog.messages == []


async def test_as_long_as_too_few_brokers_are_there_a_topic_is_not_refused_for_good(
    cluster: Cluster,
) -> None:
    async with admin_of(cluster.broker) as client:
        with pytest.raises(InvalidReplicationFactorError):  # the gate tries again
            await ensure_topics(client, [TopicSpec(cluster.topic, 1)], 2)
        assert not await ensure_topics(client, [TopicSpec(cluster.topic, 1)], 1)


async def test_a_topic_that_differs_is_used_and_reported(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    spec = TopicSpec(cluster.topic, 3, {"retention.ms": "-1"})
    async with admin_of(cluster.broker) as client:
        await client.create_topics([NewTopic(cluster.topic, 1, 1)])
        assert await partitions(client, cluster.topic) == 1
        await ensure_topics(client, [spec], 1)
    assert caplog.messages == [
        f"Topic {cluster.topic} has 1 partitions, not 3; using it as it is",
        f"Topic {cluster.topic} has retention.ms=604800000, not -1; using it as it is",
    ]


async def test_a_topic_is_given_what_it_needs_and_keeps_the_rest(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    needed = {"message.timestamp.type": "LogAppendTime"}
    spec = TopicSpec(cluster.topic, 1, {"retention.ms": "-1"}, needed)
    own = {"retention.ms": "5000", "segment.bytes": "1048576"}
    async with admin_of(cluster.broker) as client:
        await client.create_topics([NewTopic(cluster.topic, 1, 1, topic_configs=own)])
        assert await partitions(client, cluster.topic) == 1
        await ensure_topics(client, [spec], 1)
        assert sorted(caplog.messages) == [
            f"Set message.timestamp.type=LogAppendTime on topic {cluster.topic}",
            f"Topic {cluster.topic} has retention.ms=5000, not -1; using it as it is",
        ]
        caplog.clear()

        async def is_shown() -> bool:
            return needed.items() <= (await configs(client, cluster.topic)).items()

        await eventually(is_shown, "the broker shows what it was told to change")
        await ensure_topics(client, [TopicSpec(cluster.topic, 1, own, needed)], 1)
        assert caplog.messages == []


async def test_what_a_topic_cannot_be_given_is_said(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    spec = TopicSpec(cluster.topic, 1, needed={"message.timestamp.type": "WhatTimeIsIt"})
    async with admin_of(cluster.broker) as client:
        await client.create_topics([NewTopic(cluster.topic, 1, 1)])
        assert await partitions(client, cluster.topic) == 1
        await ensure_topics(client, [spec], 1)
    assert "Could not set message.timestamp.type=WhatTimeIsIt on topic" in caplog.messages[0]
    assert caplog.messages[1] == (
        f"Topic {cluster.topic} has message.timestamp.type=CreateTime, not WhatTimeIsIt; "
        "using it as it is"
    )
