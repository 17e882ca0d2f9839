"""How to reach the Kafka cluster."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from streaming.settings import KafkaSettings

#: A healthy broker answers a metadata request in milliseconds.
ANSWER_TIMEOUT_S = 2.0


def credentials(settings: KafkaSettings) -> faust.types.auth.CredentialsT | None:
    """Return Faust's credentials for the TLS and SASL settings, None for plaintext."""
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
    password = settings.kafka_sasl_password
    return faust.SASLCredentials(
        username=settings.kafka_sasl_username,
        password=None if password is None else password.get_secret_value(),
        ssl_context=context,
        mechanism=settings.kafka_sasl_mechanism,
    )


@asynccontextmanager
async def admin_client(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open an admin client. Raises KafkaError or TimeoutError when no broker answers."""
    client = AIOKafkaAdminClient(
        bootstrap_servers=list(settings.kafka_client_bootstrap_server),
        client_id=settings.client_id,
        **credentials_to_aiokafka_auth(credentials(settings)),
    )
    try:
        await asyncio.wait_for(client.start(), ANSWER_TIMEOUT_S)
        yield client
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(client.close(), ANSWER_TIMEOUT_S)


def plain_consumer(settings: KafkaSettings, offset_reset: str = "latest") -> AIOKafkaConsumer:
    """Return a consumer without a group, not started yet.

    ``offset_reset`` (``earliest`` or ``latest``) is where it continues if Kafka does not hold
    the offset to read.
    """
    return AIOKafkaConsumer(
        bootstrap_servers=list(settings.kafka_client_bootstrap_server),
        client_id=settings.client_id,
        enable_auto_commit=False,
        auto_offset_reset=offset_reset,
        **credentials_to_aiokafka_auth(credentials(settings)),
    )
