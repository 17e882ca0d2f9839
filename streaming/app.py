"""The App class of both programs: settings to Faust, topics, health, shutdown."""

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import faust
from aiohttp import web
from faust.app.base import BootStrategy
from faust.cli import worker as worker_command
from faust.tables.manager import TableManager
from faust.types import TP
from faust.types.transports import TransportT
from faust.types.web import Web as WebT
from mode import ServiceT
from yarl import URL

from streaming import internals, logs
from streaming.http import health, metrics, openapi
from streaming.http.access import LOOPBACK_NAMES, Access
from streaming.http.guard import RefusalForm
from streaming.http.server import Web
from streaming.kafka.cluster import credentials
from streaming.kafka.consumer import Consumer
from streaming.kafka.gate import KafkaGate
from streaming.kafka.producer import MAX_BATCH_BYTES, Producer
from streaming.kafka.topics import TopicSpec
from streaming.kafka.transport import Transport
from streaming.settings import ProgramSettings

logger = logging.getLogger(__name__)

#: A program that was told to end has this long for an orderly end. Then it just ends: what
#: Kafka does not hold has not been acknowledged, so a crash is safe, and a hang is not.
SHUTDOWN_DEADLINE_S = 4.5
#: For tasks that still ran when all services had stopped, and are cancelled then.
CANCELLED_TASKS_S = 0.05
#: What is fetched of a partition at once. With twice as much a worker under load took
#: 50 MB more and was hardly faster.
FETCH_BYTES = 512 * 1024
#: Fetched batches that may wait for the agent. With twice as many it was no faster.
STREAM_BUFFER_BATCHES = 8
COMMIT_INTERVAL_S = 1.0
#: How long a request to the broker may take before its connection is given up.
REQUEST_TIMEOUT_S = 30.0

StartOffsets = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]


class _FaustSettings(faust.Settings):
    def getenv(self, env_name: str) -> Any:  # noqa: ARG002 - Faust's signature
        """Return nothing: Faust would let BROKER_URL or WEB_PORT outrank our settings."""
        return None


class Worker(faust.Worker):
    """Faust's worker with our logging at our level, whatever ``--loglevel`` says."""

    logger = logging.getLogger("faust.worker")

    def say(self, message: str) -> None:
        """Print nothing: all output is log lines."""

    def on_setup_root_logger(self, *_: Any) -> None:
        """Leave the handlers as configured; no progress spinner."""
        self.spinner = None
        cast(App, self.app).on_logging_set_up()

    def _on_startup_end_spinner(self) -> None:
        logger.info("Ready: http://%s:%s", self.app.conf.web_bind, self.app.conf.web_port)

    async def _sentinel_task(self) -> None:
        """Let cancelled tasks end, which mode gives a whole second, before the loop is closed."""
        await asyncio.sleep(CANCELLED_TASKS_S)


class worker(worker_command.worker):  # noqa: N801 - the name is the command's
    """Start worker instance for given app."""

    def on_worker_created(self, _worker: Any) -> None:
        """Print no banner: all output is log lines."""


class _NoTables(TableManager):
    """Faust's tables, of which there are none: a start does not wait a second for them."""

    logger = logging.getLogger("faust.tables")

    async def sleep(self, *_: Any, **__: Any) -> None:
        """Let the other services go on."""
        await asyncio.sleep(0)


class _Boot(BootStrategy):
    """Web first, so that health is answered while Kafka is waited for."""

    app: "App"

    def server(self) -> Iterable[ServiceT]:
        return self._chain(
            self.sensors(),
            self.producer_only(),
            self.kafka_consumer(),
            self.agents(),
            self.kafka_conductor(),
            self.tables(),
        )

    def producer_only(self) -> Iterable[ServiceT]:
        return self._chain(
            self.web_server(),
            [self.app.gate],
            self.kafka_producer(),
            [self.app.pulse],
            self.app.services,
        )


class App(faust.App):
    """A Faust app on our transport, with health, metrics and documentation pages."""

    logger = logging.getLogger("faust.app")  # its steps are Faust's, and logged at Faust's level
    mundane_level = "debug"
    Settings = _FaustSettings
    BootStrategy = _Boot

    def __init__(  # noqa: PLR0913 - keyword arguments, each a plain fact about the program
        self,
        id: str,  # noqa: A002 - Faust's name
        *,
        origin: str,
        settings: ProgramSettings,
        port: int,
        port_setting: str,
        topics: Sequence[TopicSpec],
        producer_only: bool = False,
        services: Iterable[ServiceT] = (),
        start_offsets: StartOffsets | None = None,
        refusal_forms: Mapping[str, RefusalForm] | None = None,
        on_logging_set_up: Callable[[], None] = lambda: None,
    ) -> None:
        """Set the app up; ``services`` start as soon as Kafka is there, before the consumer.

        ``port_setting`` names the setting of the port, for error messages.

        ``start_offsets`` says where to read partitions from, if not from the offsets that the
        group has committed. ``refusal_forms`` say how to refuse a request, by the first part of
        its path, if not by a problem. ``on_logging_set_up`` is called once a worker can log.
        """
        self.on_logging_set_up = on_logging_set_up
        self.gate = KafkaGate(settings, topics, None if producer_only else id)
        self.pulse = health.Pulse(lambda: self.kafka_producer)
        self.producer_only = producer_only
        self.web_reuse_port = settings.http_reuse_port
        self.port_setting = port_setting
        self.access = Access(
            settings.http_allowed_hosts or (*LOOPBACK_NAMES, settings.http_host),
            settings.read_origins,
        )
        self.refusal_forms: Mapping[str, RefusalForm] = refusal_forms or {}
        self.services = list(services)
        self._start_offsets = start_offsets
        super().__init__(
            id,
            origin=origin,
            autodiscover=False,
            broker=[URL(f"kafka://{it}") for it in settings.kafka_client_bootstrap_server],
            broker_client_id=settings.client_id,
            broker_credentials=credentials(settings),
            broker_session_timeout=settings.kafka_session_timeout,
            broker_heartbeat_interval=settings.kafka_session_timeout / 3,
            broker_request_timeout=max(REQUEST_TIMEOUT_S, settings.kafka_session_timeout + 5),
            broker_commit_interval=COMMIT_INTERVAL_S,
            consumer_auto_offset_reset="earliest",
            producer_request_timeout=REQUEST_TIMEOUT_S,
            producer_max_batch_size=MAX_BATCH_BYTES,
            consumer_max_fetch_size=FETCH_BYTES,
            stream_buffer_maxsize=STREAM_BUFFER_BATCHES,
            topic_disable_leader=True,
            store="memory://",
            web_bind=settings.http_host,
            web_port=port,
            logging_config=logs.config(settings.log_level, settings.log_format),
            worker_redirect_stdouts=False,
            Worker=Worker,
            TableManager=_NoTables,
        )

    def add_pages(
        self,
        document: dict[str, Any],
        checks: list[health.Check],
        warnings: Sequence[health.Check] = (),
    ) -> web.Application:
        """Add health, metrics and documentation; return the aiohttp application."""
        web_app = cast(Web, self.web).web_app
        health.add_routes(web_app, [self.pulse.check, *checks], warnings)
        metrics.add_routes(web_app)
        openapi.add_routes(web_app, document)
        return web_app

    async def start_offsets(self, partitions: set[TP]) -> Mapping[TP, int]:
        """Return the offsets to start from of those partitions that have one of our own."""
        return await self._start_offsets(partitions) if self._start_offsets else {}

    @property
    def kafka_producer(self) -> Producer:
        """The producer, as the class of ours that it is."""
        return cast(Producer, self.producer)

    @property
    def kafka_consumer(self) -> Consumer:
        """The consumer, as the class of ours that it is."""
        return cast(Consumer, self.consumer)

    def check_group(self) -> str | None:
        """Return None if this worker has its place in the consumer group."""
        if self.rebalancing or not internals.has_assignment(self):
            return "the consumer group has not given this worker its partitions yet"
        return None

    async def on_stop(self) -> None:
        """Answer the requests in flight, then finish the batch in hand and commit."""
        deadline = threading.Timer(SHUTDOWN_DEADLINE_S, _end_now)
        deadline.daemon = True
        deadline.start()
        await cast(Web, self.web).stop_server()
        await super().on_stop()

    def _new_transport(self) -> TransportT:
        return Transport(self.conf.broker_consumer, self)

    def _new_web(self) -> WebT:
        return Web(self)

    def _create_directories(self) -> None:
        """Make no data folder: no state lives in a worker."""


def _end_now() -> None:
    logger.critical(
        "Ending after %.1f s: Kafka did not let the program end in order", SHUTDOWN_DEADLINE_S
    )
    os._exit(1)
