"""The HTTP server of both programs: Faust's, with our guard, our connections and our limits."""

import asyncio
import logging
import os
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol, cast

from aiohttp import web
from aiohttp.log import server_logger
from faust.types import AppT
from faust.web.drivers import aiohttp as driver

from streaming.http.access import Access
from streaming.http.body import CLIENT_FAULTS
from streaming.http.connections import (
    IDLE_TIMEOUT_S,
    Connections,
    Server,
    connections_max,
    raise_file_limit,
)
from streaming.http.guard import Guard, RefusalForm, Request

logger = logging.getLogger(__name__)

#: What requests in flight get at the end of the program; open sockets are closed then.
SHUTDOWN_TIMEOUT_S = 2.0
#: After an early answer, how long the rest of a body is thrown away. Closing at once would
#: reset the connection, and the client would not see the answer.
LINGERING_TIME_S = 0.5


def _no_client_faults(record: logging.LogRecord) -> bool:
    """Keep what aiohttp logs of :data:`CLIENT_FAULTS`, with a traceback each, to DEBUG."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, CLIENT_FAULTS):
        return True
    logger.debug("A client broke the protocol: %r", error)
    return False


class Runner(web.AppRunner):
    """Serves an application; each request passes the guard, each connection is counted."""

    def __init__(
        self, web_app: web.Application, guard: Guard, connections: Connections, **options: Any
    ) -> None:
        super().__init__(web_app, access_log=None, **options)
        self._guard = guard
        self._connections = connections

    async def _make_server(self) -> Server:
        made = await super()._make_server()
        return Server(
            self._guard(made.request_handler),
            self._connections,
            request_factory=partial(made.request_factory, _cls=Request),  # type: ignore[call-arg]
            loop=asyncio.get_running_loop(),
            **self._kwargs,
        )


class ServedApp(Protocol):
    """What is asked of the app that is served, beside what Faust's have."""

    access: Access
    refusal_forms: Mapping[str, RefusalForm]
    port_setting: str
    web_reuse_port: bool


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
        server_logger.addFilter(_no_client_faults)
        served = cast(ServedApp, app)
        self._runner = Runner(
            self.web_app,
            Guard(served.access, served.refusal_forms),
            Connections(connections_max(raise_file_limit())),
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
            lingering_time=LINGERING_TIME_S,
            keepalive_timeout=IDLE_TIMEOUT_S,
        )

    async def on_start(self) -> None:
        """Start the server, without the CORS hook that Faust sets up for every answer."""
        self.init_server()
        self._thread = driver.Server(self, loop=self.loop, beacon=self.beacon)
        self.add_dependency(self._thread)

    async def start_server(self) -> None:
        """Start to listen; end the program if it cannot."""
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
        return web.TCPSite(
            self._runner,
            self.app.conf.web_bind,
            self.app.conf.web_port,
            reuse_port=cast(ServedApp, self.app).web_reuse_port,
        )
