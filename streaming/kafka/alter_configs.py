"""Sets single configs of a topic and leaves its other configs unchanged.

aiokafka 0.14 has only AlterConfigs, which resets all configs that it does not name; this is
IncrementalAlterConfigs, version 0, as in
https://kafka.apache.org/protocol#The_Messages_IncrementalAlterConfigs.
"""

import asyncio
from collections.abc import Mapping

from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

TIMEOUT_S = 10.0
_SET = 0

_TEXT = String("utf-8")


class _IncrementalAlterConfigsResponse_v0(Response):  # noqa: N801 - aiokafka's way to name versions
    API_KEY = 44
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "responses",
            Array(
                ("error_code", Int16),
                ("error_message", _TEXT),
                ("resource_type", Int8),
                ("resource_name", _TEXT),
            ),
        ),
    )


class _IncrementalAlterConfigsRequest_v0(RequestStruct):  # noqa: N801
    API_KEY = 44
    API_VERSION = 0
    RESPONSE_TYPE = _IncrementalAlterConfigsResponse_v0
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("resource_name", _TEXT),
                (
                    "configs",
                    Array(("name", _TEXT), ("config_operation", Int8), ("value", _TEXT)),
                ),
            ),
        ),
        ("validate_only", Boolean),
    )


class _IncrementalAlterConfigsRequest(Request[_IncrementalAlterConfigsRequest_v0]):
    API_KEY = 44

    def __init__(self, topic: str, configs: Mapping[str, str]) -> None:
        changes = [(name, _SET, value) for name, value in configs.items()]
        self._resources = [(ConfigResourceType.TOPIC, topic, changes)]

    def build(
        self, request_struct_class: type[_IncrementalAlterConfigsRequest_v0]
    ) -> _IncrementalAlterConfigsRequest_v0:
        return request_struct_class(self._resources, False)


async def alter_configs(client: AIOKafkaClient, topic: str, configs: Mapping[str, str]) -> None:
    """Set configs of a topic. Raises KafkaError, or TimeoutError when no broker answers."""
    response = await asyncio.wait_for(
        client.send(client.get_random_node(), _IncrementalAlterConfigsRequest(topic, configs)),
        TIMEOUT_S,
    )
    for code, message, *_ in response.responses:
        if code:
            raise for_code(code)(message)
