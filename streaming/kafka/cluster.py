"""The Kafka cluster: how to reach it, whether it answers, and its topics."""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from mode import Service

from settings import Settings
from streaming.kafka.alter_configs import alter_configs
from streaming.service import is_ending

logger = logging.getLogger(__name__)
aiokafka_logger = logging.getLogger("aiokafka")

#: A broker that is there answers a metadata request in milliseconds.
ANSWER_TIMEOUT_S = 2.0
RETRY_INTERVAL_S = 0.5
#: A shorter wait is part of a start, and nothing to tell.
WAITING_LOG_AFTER_S = 1.0
WAITING_LOG_INTERVAL_S = 5.0
#: For all that is asked of the admin client at once: topics listed, made, described.
ADMIN_LIMIT_S = 30.0


class KafkaUnavailable(Exception):
    """Kafka did not answer in time, or does not make our topics."""


@dataclass(frozen=True)
class TopicSpec:
    """A topic as we make it. ``config`` has Kafka's own names and texts for values.

    A topic that is there keeps what it has, but for ``needed``: that it is given as well.
    """

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    needed: Mapping[str, str] = field(default_factory=dict)


def credentials(settings: Settings) -> faust.types.auth.CredentialsT | None:
    """Return Faust's credentials for the TLS and SASL settings, or None for plain text."""
    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return None
    context = None
    if protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=settings.kafka_ssl_cafile)
        if settings.kafka_ssl_certfile:
            context.load_cert_chain(settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile)
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=settings.kafka_sasl_username,
        password=settings.kafka_sasl_password,
        ssl_context=context,
        mechanism=settings.kafka_sasl_mechanism,
    )


@asynccontextmanager
async def admin_client(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open an admin client. Raises KafkaError or TimeoutError when no broker answers."""
    client = AIOKafkaAdminClient(
        bootstrap_servers=settings.kafka_client_bootstrap_server,
        client_id=settings.client_id,
        **credentials_to_aiokafka_auth(credentials(settings)),
    )
    try:
        await asyncio.wait_for(client.start(), ANSWER_TIMEOUT_S)
        yield client
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(client.close(), ANSWER_TIMEOUT_S)


def plain_consumer(settings: Settings, offset_reset: str = "latest") -> AIOKafkaConsumer:
    """Return a consumer without a group, to be started.

    ``offset_reset`` says where it goes on from an offset that there is not (any more): at the
    ``earliest`` record, or with what comes next.
    """
    return AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_client_bootstrap_server,
        client_id=settings.client_id,
        enable_auto_commit=False,
        auto_offset_reset=offset_reset,
        **credentials_to_aiokafka_auth(credentials(settings)),
    )


class _Heard(logging.Handler):
    """Keeps what a library logs, of which its exceptions say less; the last line is enough."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()

    @contextmanager
    def instead_of(self, logger: logging.Logger) -> Iterator[None]:
        """Take a logger's lines and let no other handler have them."""
        logger.addHandler(self)
        logger.propagate = False
        try:
            yield
        finally:
            logger.propagate = True
            logger.removeHandler(self)


class KafkaGate(Service):
    """Lets the services behind it start once Kafka is there and lists the topics.

    And, for a member of a group, its coordinator: Kafka makes the topic that groups keep their
    offsets in when it is first asked for one, and takes a moment to do so.
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self, settings: Settings, topics: list[TopicSpec], group: str | None = None, **kwargs: Any
    ) -> None:
        self.settings = settings
        self.topics = topics
        self.group = group
        super().__init__(**kwargs)

    async def on_start(self) -> None:
        """Wait; end the program if that is in vain."""
        try:
            await self.wait_for_topics()
        except KafkaUnavailable as error:
            logger.critical("%s", error)
            raise SystemExit(1) from None

    async def wait_for_topics(self) -> None:
        """Wait for Kafka, saying so, and make the topics that are missing.

        Raises :exc:`KafkaUnavailable` after ``KAFKA_STARTUP_TIMEOUT`` seconds.
        """
        start = time.monotonic()
        next_log = start + WAITING_LOG_AFTER_S
        while not is_ending(self):
            heard = _Heard(logging.WARNING)
            try:
                with heard.instead_of(aiokafka_logger):
                    async with admin_client(self.settings) as client:
                        if not await ensure_topics(client, self.topics, self.settings):
                            raise UnknownTopicOrPartitionError("it does not list them yet")
                        if self.group is not None:
                            await client.find_coordinator(self.group)
                        return
            except (KafkaError, TimeoutError) as error:
                now = time.monotonic()
                if now - start > self.settings.kafka_startup_timeout:
                    raise KafkaUnavailable(
                        f"Kafka at {self._servers} was not ready within "
                        f"{self.settings.kafka_startup_timeout:g} s (KAFKA_STARTUP_TIMEOUT): "
                        f"{heard.text or error}"
                    ) from error
                if now >= next_log:
                    logger.warning(
                        "Waiting for Kafka at %s: %s", self._servers, heard.text or error
                    )
                    next_log = now + WAITING_LOG_INTERVAL_S
            await asyncio.sleep(RETRY_INTERVAL_S)

    @property
    def _servers(self) -> str:
        return ",".join(self.settings.kafka_client_bootstrap_server)


async def ensure_topics(
    client: AIOKafkaAdminClient, topics: list[TopicSpec], settings: Settings
) -> bool:
    """Make the topics that are missing; give existing ones what they need, say where they differ.

    Return whether all were there: Kafka says that a topic is made before it lists it.

    Raises KafkaError, TimeoutError, and :exc:`KafkaUnavailable` if Kafka will never make one.
    """
    async with asyncio.timeout(ADMIN_LIMIT_S):
        existing = {topic["topic"]: topic for topic in await client.describe_topics()}
        for topic in topics:
            if topic.name in existing:
                await _adopt(client, topic, len(existing[topic.name]["partitions"]))
            else:
                await _create(client, topic, settings.kafka_replication_factor)
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
            return  # the other program was faster
        if code and not error.retriable:
            raise KafkaUnavailable(f"Kafka does not make topic {topic.name}: {message[0]}")
        if code:
            raise error(*message)
    logger.info("Made topic %s with %d partitions", topic.name, topic.partitions)


async def _adopt(client: AIOKafkaAdminClient, topic: TopicSpec, partitions: int) -> None:
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
    actual = {entry[0]: entry[1] for reply in response for entry in reply.resources[0][4]}
    for name, value in wanted.items():
        if actual.get(name, value) == value:
            continue
        if name in topic.needed and await _altered(client, topic.name, name, value):
            continue
        logger.warning(
            "Topic %s has %s=%s, not %s; using it as it is", topic.name, name, actual[name], value
        )


async def _altered(client: AIOKafkaAdminClient, topic: str, name: str, value: str) -> bool:
    try:
        await alter_configs(client._client, topic, {name: value})  # noqa: SLF001 - it has no other
    except (KafkaError, TimeoutError) as error:
        logger.warning("Topic %s could not be given %s=%s: %r", topic, name, value, error)
        return False
    logger.info("Topic %s was given %s=%s", topic, name, value)
    return True
