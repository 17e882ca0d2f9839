"""The HTTP server of both programs: Faust's, with our guard and connection limits."""

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol, cast

from aiohttp import web
from aiohttp.log import server_logger
from faust.types import AppT
from faust.web.drivers import aiohttp as driver

from streaming.http.access import Access, is_loopback
from streaming.http.admission import Admission
from streaming.http.body import CLIENT_FAULTS
from streaming.http.clients import Clients
from streaming.http.connections import (
    BACKLOG,
    IDLE_TIMEOUT_S,
    Connections,
    Server,
    connections_max,
    raise_file_limit,
)
from streaming.http.files import InvalidFile, WatchedFiles
from streaming.http.guard import ErrorForm, Guard
from streaming.http.request import Request
from streaming.http.tls import ServerTLS, TLSSite

logger = logging.getLogger(__name__)

#: For requests in flight when the program ends; then open sockets are closed.
SHUTDOWN_TIMEOUT_S = 2.0
#: How long the rest of a body is read and discarded after an early response. To close at once
#: would reset the connection, and the client would not see the response.
LINGERING_TIME_S = 0.5


def _demote_client_faults(record: logging.LogRecord) -> bool:
    """Log :data:`CLIENT_FAULTS` at DEBUG only, without aiohttp's traceback for each."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, CLIENT_FAULTS):
        return True
    # Shortened: aiohttp quotes all that the client sent.
    logger.debug("A client violated the protocol or disconnected: %.200r", error)
    return False


class Runner(web.AppRunner):
    """Serves an application: each request passes the guard, each connection is counted."""

    def __init__(
        self, web_app: web.Application, guard: Guard, connections: Connections, **options: Any
    ) -> None:
        super().__init__(web_app, access_log=None, **options)
        self._guard = guard
        self._connections = connections

    async def _make_server(self) -> Server:
        server = await super()._make_server()
        return Server(
            self._guard(server.request_handler),
            self._connections,
            request_factory=partial(server.request_factory, _cls=Request),  # type: ignore[call-arg]
            loop=asyncio.get_running_loop(),
            **self._kwargs,
        )


class ServedApp(Protocol):
    """The attributes that the server needs of the app, in addition to Faust's."""

    access: Access
    admission: Admission | None
    allows_anonymous: bool
    clients: Clients
    connections_per_client: int | None
    error_forms: Mapping[str, ErrorForm]
    port_setting: str
    web_reuse_port: bool
    tls: ServerTLS | None
    watched_files: Sequence[WatchedFiles]


class Web(driver.Web):
    """Faust's web server, without Faust's own pages."""

    logger = logging.getLogger("faust.web")
    mundane_level = "debug"
    default_blueprints = ()
    production_blueprints = ()
    debug_blueprints = ()
    optional_blueprints = ()

    def __init__(self, app: AppT, **kwargs: Any) -> None:
        super().__init__(app, **kwargs)
        server_logger.addFilter(_demote_client_faults)
        served = cast(ServedApp, app)
        self.connections = Connections(
            connections_max(raise_file_limit()), served.connections_per_client, served.clients
        )
        self._runner = Runner(
            self.web_app,
            Guard(served.access, served.clients, served.error_forms, served.admission),
            self.connections,
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
            lingering_time=LINGERING_TIME_S,
            keepalive_timeout=IDLE_TIMEOUT_S,
        )

    async def on_start(self) -> None:
        """Start the server, without the CORS hook that Faust adds to every response.

        It does not start without the files that it needs, nor open to others by mistake.
        """
        served = cast(ServedApp, self.app)
        host = self.app.conf.web_bind
        if served.admission is None and not served.allows_anonymous and not is_loopback(host):
            logger.critical(
                "HTTP_HOST=%s lets other machines in, and without keys anybody may do anything: "
                "set API_KEYS_FILE, or HTTP_ALLOW_ANONYMOUS=true",
                host,
            )
            raise SystemExit(1)
        for files in served.watched_files:
            try:
                files.load_first()
            except InvalidFile as error:
                logger.critical("%s", error)
                raise SystemExit(1) from None
            self.add_dependency(files)
        self.init_server()
        self._thread = driver.Server(self, loop=self.loop, beacon=self.beacon)
        self.add_dependency(self._thread)

    async def start_server(self) -> None:
        """Start listening; exit if the address cannot be bound."""
        try:
            await super().start_server()
        except OSError as error:
            logger.critical(
                "Cannot listen on port %d (%s) of %s (HTTP_HOST): %s",
                self.app.conf.web_port,
                cast(ServedApp, self.app).port_setting,
                self.app.conf.web_bind,
                os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror,
            )
            raise SystemExit(1) from None

    def _new_transport_tcp(self) -> web.BaseSite:
        served = cast(ServedApp, self.app)
        host, port = self.app.conf.web_bind, self.app.conf.web_port
        if served.tls:
            return TLSSite(self._runner, host, port, served.tls, reuse_port=served.web_reuse_port)
        return web.TCPSite(
            self._runner, host, port, backlog=BACKLOG, reuse_port=served.web_reuse_port
        )
