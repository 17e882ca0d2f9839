"""What Kafka's authorizer lets this program do with its topics and its group.

aiokafka 0.14 has no method that asks for it: without a right, its producer does not start, and its
consumer waits for its group in silence.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from enum import IntEnum

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request
from faust.exceptions import NotReady
from mode import Service

from streaming.kafka.topic_ids import topic_operations
from streaming.trouble import Trouble

logger = logging.getLogger(__name__)

INTERVAL_S = 2.0
#: For all requests of a check together.
TIMEOUT_S = 5.0


class Right(IntEnum):
    """An operation that a program needs, by its code in Kafka's protocol."""

    READ = 3
    WRITE = 4
    #: Implied by each of the others.
    DESCRIBE = 8


class _DescribeGroupsRequest_v3(DescribeGroupsRequest_v3):  # noqa: N801 - aiokafka's way to name versions
    #: aiokafka names that of version 2, which has no operations.
    RESPONSE_TYPE = DescribeGroupsResponse_v3  # type: ignore[assignment]


class _DescribeGroupRequest(Request[_DescribeGroupsRequest_v3]):
    API_KEY = _DescribeGroupsRequest_v3.API_KEY

    def __init__(self, group: str) -> None:
        self._group = group

    def build(
        self, request_struct_class: type[_DescribeGroupsRequest_v3]
    ) -> _DescribeGroupsRequest_v3:
        return request_struct_class([self._group], True)


async def missing_rights(
    client: AIOKafkaClient, topics: Mapping[str, Collection[Right]], group: str | None
) -> list[str]:
    """Return which rights are missing, as ``Write on topic tradeData``; a group must be read.

    A topic that does not exist lacks none. Raises KafkaError or TimeoutError if no broker answers.
    """
    async with asyncio.timeout(TIMEOUT_S):
        operations = await topic_operations(client, topics)
        missing = [
            f"{right.name.capitalize()} on topic {name}"
            for name, rights in topics.items()
            for right in rights
            if name in operations and not allows(operations[name], right)
        ]
        if group is not None and not allows(await _group_operations(client, group), Right.READ):
            missing.append(f"Read on group {group}")
    return missing


async def _group_operations(client: AIOKafkaClient, group: str) -> int:
    try:
        node = await client.coordinator_lookup(CoordinationType.GROUP, group)
        response = await client.send(node, _DescribeGroupRequest(group))
        ((code, *_, operations),) = response.groups
        if code:
            raise for_code(code)
    except GroupAuthorizationFailedError:
        return 0
    return int(operations)


def allows(operations: int, right: Right) -> bool:
    """Return whether a right is among operations, a bit for each code.

    A broker that describes something without the right to describe it does not know operations.
    """
    is_known = not operations or operations & (1 << Right.DESCRIBE)
    return not is_known or bool(operations & (1 << right))


class RightsMissing(Exception):
    """Kafka's ACLs do not give this program what it needs."""


class Rights(Service):
    """Checks regularly that Kafka gives this program the rights it needs.

    ``topics`` are the rights on each. A ``group``, if there is one, must be read.
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        topics: Mapping[str, Collection[Right]],
        group: str | None,
        client: Callable[[], AIOKafkaClient],
    ) -> None:
        super().__init__()
        self._topics = topics
        self._group = group
        self._client = client
        self._trouble = Trouble(logger, "Kafka's ACLs give this program what it needs")

    def check(self) -> str | None:
        """Return None if no right is missing, else which are."""
        return self._trouble.check()

    async def require(self, client: AIOKafkaClient) -> None:
        """Raise :exc:`RightsMissing` if a right is missing, and log it if it was not known.

        Raises KafkaError or TimeoutError when no broker answers.
        """
        missing = ", ".join(await missing_rights(client, self._topics, self._group))
        reason = f"Kafka's ACLs do not give this program {missing}" if missing else None
        self._trouble.note(reason)
        if reason:
            raise RightsMissing(reason)

    @Service.task
    async def _check_periodically(self) -> None:
        while not self.should_stop:
            await self.sleep(INTERVAL_S)
            with suppress(RightsMissing, KafkaError, NotReady, TimeoutError, OSError):
                await self.require(self._client())  # health reports if Kafka does not answer
