"""The App class of both programs: Faust's configuration, topics, health, shutdown."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
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
from streaming.http import keys as api_keys
from streaming.http.access import LOOPBACK_NAMES, Access
from streaming.http.admission import Admission, DeclaredScopes
from streaming.http.clients import Clients
from streaming.http.files import WatchedFiles
from streaming.http.guard import ErrorForm
from streaming.http.keys import Scope
from streaming.http.server import Web
from streaming.http.tls import CertificateFiles, ServerTLS
from streaming.kafka.cluster import credentials
from streaming.kafka.consumer import Consumer
from streaming.kafka.gate import KafkaGate
from streaming.kafka.producer import MAX_BATCH_BYTES, Producer
from streaming.kafka.rights import Rights
from streaming.kafka.topics import TopicSpec
from streaming.kafka.transport import Transport
from streaming.settings import ProgramSettings

logger = logging.getLogger(__name__)

#: For a graceful shutdown; after that the process exits at once. That is safe: nothing that
#: Kafka does not hold has been acknowledged. A hang would not be safe.
SHUTDOWN_DEADLINE_S = 4.5
#: It is waited for in steps: as long as a busy machine stops the program, no time passes for it.
SHUTDOWN_STEPS = 9
#: For tasks to end that are cancelled because they still run when all services have stopped.
CANCELLED_TASKS_S = 0.05
#: Per fetch and partition. With twice as much a worker under load took 50 MB more memory and
#: was hardly faster.
FETCH_BYTES = 512 * 1024
#: Fetches that may wait for the agent: each has the batches of all partitions.
STREAM_BUFFER_FETCHES = 2
COMMIT_INTERVAL_S = 1.0
#: A worker learns by its heartbeat that the group shares out its partitions anew: the pause
#: between two delays every takeover.
HEARTBEAT_INTERVAL_S = 0.5
#: How soon at the latest a worker reads partitions that are added to a topic: by default after five
#: minutes. It takes a request of less than a kilobyte.
METADATA_MAX_AGE_MS = 10_000
#: How long a request to the broker may take before its connection is given up.
REQUEST_TIMEOUT_S = 30.0

#: The scopes of the pages that both programs have. ``/readyz`` says why to those with OPS.
COMMON_SCOPES: DeclaredScopes = {
    "/healthz": None,
    "/readyz": None,
    "/metrics": Scope.OPS,
    "/openapi.json": Scope.READ,
    "/docs": Scope.READ,
    "/docs/": Scope.READ,
}

StartOffsets = Callable[[set[TP]], Awaitable[Mapping[TP, int]]]


class _FaustSettings(faust.Settings):
    def getenv(self, env_name: str) -> Any:  # noqa: ARG002 - Faust's signature
        """Return None: Faust would let BROKER_URL or WEB_PORT override our settings."""
        return None


class Worker(faust.Worker):
    """Faust's worker with our logging configuration; ``--loglevel`` is ignored."""

    logger = logging.getLogger("faust.worker")

    def say(self, message: str) -> None:
        """Print nothing: all output goes through the log."""

    def on_setup_root_logger(self, *_: Any) -> None:
        """Keep the configured handlers; show no progress spinner."""
        self.spinner = None
        cast(App, self.app).on_logging_set_up()

    def _on_startup_end_spinner(self) -> None:
        app = cast(App, self.app)
        scheme = "https" if app.tls else "http"
        logger.info("Ready: %s://%s:%s", scheme, app.conf.web_bind, app.conf.web_port)

    async def _sentinel_task(self) -> None:
        """Let cancelled tasks end before the loop is closed; mode waits a whole second."""
        await asyncio.sleep(CANCELLED_TASKS_S)


class worker(worker_command.worker):  # noqa: N801 - the name is the command's
    """Start worker instance for given app."""

    def on_worker_created(self, _worker: Any) -> None:
        """Print no banner: all output goes through the log."""


class _NoTables(TableManager):
    """Faust's table manager without its wait of a second at startup: there are no tables."""

    logger = logging.getLogger("faust.tables")

    async def sleep(self, *_: Any, **__: Any) -> None:
        """Yield to the event loop once, instead of sleeping."""
        await asyncio.sleep(0)


class _Boot(BootStrategy):
    """Starts the web server first: ``/readyz`` must be answered while the app waits for Kafka."""

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
            [self.app.pulse, self.app.rights],
            self.app.services,
        )


class App(faust.App):
    """A Faust app on our transport, with health, metrics and documentation pages."""

    logger = logging.getLogger("faust.app")  # at the log level of Faust
    mundane_level = "debug"
    Settings = _FaustSettings
    BootStrategy = _Boot

    def __init__(  # noqa: PLR0913 - keyword arguments, each a property of the program
        self,
        id: str,  # noqa: A002 - Faust's name
        *,
        origin: str,
        settings: ProgramSettings,
        port: int,
        port_setting: str,
        topics: Sequence[TopicSpec],
        route_scopes: DeclaredScopes | None = None,
        producer_only: bool = False,
        services: Iterable[ServiceT] = (),
        start_offsets: StartOffsets | None = None,
        error_forms: Mapping[str, ErrorForm] | None = None,
        on_logging_set_up: Callable[[], None] = lambda: None,
    ) -> None:
        """Configure the app; ``services`` start once Kafka is ready, before the consumer.

        ``port_setting`` is the name of the port's setting, for error messages. ``route_scopes``
        are the scopes that the program's own routes need, if there are keys. ``start_offsets``
        returns the offsets of partitions that are not read from the group's committed ones.
        ``error_forms`` makes responses to requests that are refused or fail, by the first segment
        of the path, instead of a problem+json. ``on_logging_set_up`` is called once a worker can
        log.
        """
        self.on_logging_set_up = on_logging_set_up
        group = None if producer_only else id
        self.rights = Rights(
            {topic.name: topic.rights for topic in topics},
            group,
            lambda: self.kafka_producer.kafka.client,
        )
        self.gate = KafkaGate(settings, topics, self.rights, group)
        self.pulse = health.Pulse(lambda: self.kafka_producer)
        self.producer_only = producer_only
        self.web_reuse_port = settings.http_reuse_port
        self.port_setting = port_setting
        self.access = Access(
            settings.http_allowed_hosts or (*LOOPBACK_NAMES, settings.http_host),
            settings.read_origins,
        )
        self.clients = Clients(settings.http_trusted_proxies)
        self.connections_per_client = settings.http_connections_per_client
        self.error_forms: Mapping[str, ErrorForm] = error_forms or {}
        self.admission = _admission(settings, {**COMMON_SCOPES, **(route_scopes or {})})
        self.allows_anonymous = settings.http_allow_anonymous
        self.tls = _tls(settings)
        self.watched_files = list(self._watched_files(settings))
        self.services = list(services)
        self._start_offsets = start_offsets
        super().__init__(
            id,
            origin=origin,
            autodiscover=False,
            broker=[URL(f"kafka://{server}") for server in settings.kafka_client_bootstrap_server],
            broker_client_id=settings.client_id,
            broker_credentials=credentials(settings),
            broker_session_timeout=settings.kafka_session_timeout,
            broker_heartbeat_interval=HEARTBEAT_INTERVAL_S,
            broker_request_timeout=max(REQUEST_TIMEOUT_S, settings.kafka_session_timeout + 5),
            broker_commit_interval=COMMIT_INTERVAL_S,
            consumer_auto_offset_reset="earliest",
            producer_request_timeout=REQUEST_TIMEOUT_S,
            producer_max_batch_size=MAX_BATCH_BYTES,
            consumer_max_fetch_size=FETCH_BYTES,
            consumer_metadata_max_age_ms=METADATA_MAX_AGE_MS,
            stream_buffer_maxsize=STREAM_BUFFER_FETCHES,
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
        """Add the health, metrics and documentation pages; return the aiohttp application."""
        web_app = cast(Web, self.web).web_app
        checks = [self.pulse.check, self.rights.check, *checks]
        health.add_routes(web_app, checks, warnings, self._may_see_reasons)
        metrics.add_routes(web_app)
        openapi.add_routes(web_app, document)
        return web_app

    def _may_see_reasons(self, request: web.Request) -> bool:
        return self.admission is None or self.admission.has_scope(request, Scope.OPS)

    def _watched_files(self, settings: ProgramSettings) -> Iterator[WatchedFiles]:
        if admission := self.admission:
            assert settings.api_keys_file

            def load(contents: Sequence[bytes]) -> None:
                admission.keys = api_keys.parse(contents[0])

            yield WatchedFiles("API_KEYS_FILE", [settings.api_keys_file], load)
        if self.tls:
            yield WatchedFiles("HTTP_TLS_CERTFILE", self.tls.files.paths, self.tls.load)

    @property
    def client_connections_max(self) -> int:
        """How many connections a client may have."""
        return cast(Web, self.web).connections.client_limit

    async def start_offsets(self, partitions: set[TP]) -> Mapping[TP, int]:
        """Return the offsets to start from, for partitions not read from the committed ones."""
        return await self._start_offsets(partitions) if self._start_offsets else {}

    @property
    def kafka_producer(self) -> Producer:
        """The producer, typed as our class."""
        return cast(Producer, self.producer)

    @property
    def kafka_consumer(self) -> Consumer:
        """The consumer, typed as our class."""
        return cast(Consumer, self.consumer)

    def check_group(self) -> str | None:
        """Return None if the consumer group has assigned this worker its partitions."""
        if self.rebalancing or not internals.has_assignment(self):
            return "the consumer group has not assigned partitions to this worker yet"
        return None

    async def on_stop(self) -> None:
        """Finish the requests in flight, then the current batch, and commit."""
        threading.Thread(target=_end_when_overdue, daemon=True).start()
        await cast(Web, self.web).stop_server()
        await super().on_stop()

    def _new_transport(self) -> TransportT:
        return Transport(self.conf.broker_consumer, self)

    def _new_web(self) -> WebT:
        return Web(self)

    def _create_directories(self) -> None:
        """Create no data folder: a worker keeps no state."""


def _admission(settings: ProgramSettings, scopes: DeclaredScopes) -> Admission | None:
    """Return what checks keys, None if there are none."""
    if settings.api_keys_file is None:
        return None
    return Admission(scopes, public=[Scope.READ] if settings.public_read else [])


def _tls(settings: ProgramSettings) -> ServerTLS | None:
    """Return the certificate of the HTTP server, None if it does without TLS."""
    if settings.http_tls_certfile is None:
        return None
    files = CertificateFiles(
        settings.http_tls_certfile, settings.http_tls_keyfile, settings.http_tls_client_cafile
    )
    return ServerTLS(files)


def _end_when_overdue() -> None:
    """End the process after ``SHUTDOWN_DEADLINE_S``."""
    step_s = SHUTDOWN_DEADLINE_S / SHUTDOWN_STEPS
    for _ in range(SHUTDOWN_STEPS):
        time.sleep(step_s)
    logger.critical(
        "Exiting at once: Kafka has kept the program from shutting down for %.1f s",
        SHUTDOWN_DEADLINE_S,
    )
    os._exit(1)
