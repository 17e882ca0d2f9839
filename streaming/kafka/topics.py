"""The topics of a program: created if they are missing, checked if they exist."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)

from streaming import internals
from streaming.kafka.alter_configs import alter_configs
from streaming.kafka.rights import Right

logger = logging.getLogger(__name__)

#: For all admin requests together: to list, create and describe topics.
ADMIN_LIMIT_S = 30.0
#: What Kafka refuses for now, as long as not all brokers are there, or one was held up for seconds.
TEMPORARY = {InvalidReplicationFactorError}


class KafkaUnavailable(Exception):
    """Kafka did not answer in time, or refuses to create our topics."""


@dataclass(frozen=True)
class TopicSpec:
    """A topic to create; ``config`` and ``needed`` are Kafka's names and values of its configs.

    On an existing topic only ``needed`` is set; a difference in ``config`` is logged. ``rights``
    are those that the program needs on it.
    """

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    needed: Mapping[str, str] = field(default_factory=dict)
    rights: Collection[Right] = ()


async def ensure_topics(
    client: AIOKafkaAdminClient, topics: Sequence[TopicSpec], replication: int
) -> bool:
    """Create the topics that are missing; set needed configs and log differences of the others.

    Return whether all existed: Kafka confirms the creation of a topic before it lists it.

    Raises KafkaError, TimeoutError, and :exc:`KafkaUnavailable` if Kafka refuses to create one.
    """
    async with asyncio.timeout(ADMIN_LIMIT_S):
        existing = {topic["topic"]: topic for topic in await client.describe_topics()}
        for topic in topics:
            if topic.name in existing:
                await _check_existing(client, topic, len(existing[topic.name]["partitions"]))
            else:
                await _create(client, topic, replication)
        return all(topic.name in existing for topic in topics)


async def _create(client: AIOKafkaAdminClient, topic: TopicSpec, replication: int) -> None:
    response: Any = await client.create_topics(
        [
            NewTopic(
                topic.name,
                topic.partitions,
                replication,
                topic_configs={**topic.config, **topic.needed},
            )
        ]
    )
    for _name, code, *message in response.topic_errors:
        error = for_code(code)
        if error is TopicAlreadyExistsError:
            return  # another program has created it meanwhile
        if code and not (error.retriable or error in TEMPORARY):
            raise KafkaUnavailable(f"Kafka refuses to create topic {topic.name}: {message[0]}")
        if code:
            raise error(*message)
    logger.info("Created topic %s with %d partitions", topic.name, topic.partitions)


async def _check_existing(client: AIOKafkaAdminClient, topic: TopicSpec, partitions: int) -> None:
    if partitions != topic.partitions:
        logger.warning(
            "Topic %s has %d partitions, not %d; using it as it is",
            topic.name,
            partitions,
            topic.partitions,
        )
    wanted = {**topic.config, **topic.needed}
    response: Any = await client.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic.name, dict.fromkeys(wanted))]
    )
    ((code, message, _type, _name, entries),) = (it for reply in response for it in reply.resources)
    if code:
        logger.warning(
            "Kafka does not show the configs of topic %s: %s Using it as it is", topic.name, message
        )
    actual = {entry[0]: entry[1] for entry in entries}
    for name, value in wanted.items():
        if actual.get(name, value) == value:
            continue
        if name in topic.needed and await _set_config(client, topic.name, name, value):
            continue
        logger.warning(
            "Topic %s has %s=%s, not %s; using it as it is", topic.name, name, actual[name], value
        )


async def _set_config(client: AIOKafkaAdminClient, topic: str, name: str, value: str) -> bool:
    try:
        await alter_configs(internals.admin_connection(client), topic, {name: value})
    except (KafkaError, TimeoutError) as error:
        logger.warning("Could not set %s=%s on topic %s: %r", name, value, topic, error)
        return False
    logger.info("Set %s=%s on topic %s", name, value, topic)
    return True
