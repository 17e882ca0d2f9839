"""Kafka's topic ids, and what it lets this program do with a topic.

An id distinguishes a topic from a deleted one of the same name.
aiokafka 0.14 requests metadata in version 5, which has neither; this is version 10, as in
https://kafka.apache.org/protocol#The_Messages_Metadata.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

TIMEOUT_S = 3.0


class _Uuid(AbstractType[UUID]):
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: object) -> UUID:
        return UUID(bytes=data.read(16))  # type: ignore[attr-defined]


_TEXT = CompactString("utf-8")
_TAGS = ("tags", TaggedFields)


class _MetadataResponse_v10(Response):  # noqa: N801 - aiokafka's way to name versions
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), _TAGS
            ),
        ),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _TEXT),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        _TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                _TAGS,
            ),
        ),
        ("cluster_authorized_operations", Int32),
        _TAGS,
    )


class _MetadataRequest_v10(RequestStruct):  # noqa: N801
    API_KEY = 3
    API_VERSION = 10
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse_v10
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _TEXT), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class _MetadataRequest(Request[_MetadataRequest_v10]):
    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        no_tags: dict[int, bytes] = {}
        self._topics = [(UUID(int=0), topic, no_tags) for topic in topics]

    def build(self, request_struct_class: type[_MetadataRequest_v10]) -> _MetadataRequest_v10:
        return request_struct_class(self._topics, False, False, True, {})


class TopicState(NamedTuple):
    """What changes when a topic is recreated or gets more partitions."""

    id: str
    partitions: int


async def topic_states(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, TopicState]:
    """Return the states of the topics that exist, by name.

    Raises KafkaError or TimeoutError when no broker answers, and TopicAuthorizationFailedError
    for a topic that Kafka does not show: it may exist.
    """
    states = {}
    for error_code, name, topic_id, _is_internal, partitions, *_ in await _metadata(client, topics):
        if error_code == TopicAuthorizationFailedError.errno:
            raise TopicAuthorizationFailedError(name)
        if not error_code:
            states[name] = TopicState(str(topic_id), len(partitions))
    return states


async def topic_ids(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, str]:
    """Return the ids of the topics that exist, by name; raises as :func:`topic_states` does."""
    return {name: state.id for name, state in (await topic_states(client, topics)).items()}


async def topic_operations(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, int]:
    """Return what Kafka lets this program do, by the name of a topic: a bit for each operation.

    Nothing (0) on a topic that it does not show; those that do not exist are not there. Raises
    KafkaError or TimeoutError when no broker answers.
    """
    operations = {}
    for error_code, name, *_, allowed, _tags in await _metadata(client, topics):
        if error_code == TopicAuthorizationFailedError.errno:
            operations[name] = 0
        elif not error_code:
            operations[name] = allowed
    return operations


async def _metadata(client: AIOKafkaClient, topics: Iterable[str]) -> list[tuple[Any, ...]]:
    response = await asyncio.wait_for(
        client.send(client.get_random_node(), _MetadataRequest(topics)), TIMEOUT_S
    )
    found: list[tuple[Any, ...]] = response.topics
    return found
