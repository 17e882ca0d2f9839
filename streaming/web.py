"""HTTP: errors as problem+json (RFC 9457), body limits, and the server both programs use."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from faust.web.drivers import aiohttp as driver

from streaming.logs import escape

logger = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
#: What requests in flight get at the end of the program; open sockets are closed then.
SHUTDOWN_TIMEOUT_S = 2.0
#: After an early answer, how long the rest of a body is thrown away. Closing at once would
#: reset the connection, and the client would not see the answer.
LINGERING_TIME_S = 0.5

#: What aiohttp raises where a client breaks the protocol, or has gone.
CLIENT_FAULTS = (web.RequestPayloadError, HttpProcessingError, ConnectionError)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _NoClientFaults(logging.Filter):
    """Keeps what aiohttp logs of :data:`CLIENT_FAULTS`, with a traceback each, to DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to log the record."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, CLIENT_FAULTS):
            return True
        logger.debug("A client broke the protocol: %r", error)
        return False


server_logger.addFilter(_NoClientFaults())


class Web(driver.Web):
    """Faust's web server, without Faust's own pages, and with our time limits."""

    logger = logging.getLogger("faust.web")
    mundane_level = "debug"
    default_blueprints = ()
    production_blueprints = ()
    debug_blueprints = ()
    optional_blueprints = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._runner = web.AppRunner(
            self.web_app,
            access_log=None,
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
            lingering_time=LINGERING_TIME_S,
        )

    async def on_start(self) -> None:
        """Start the server, without the CORS hook that Faust sets up for every answer."""
        self.init_server()
        self._thread = driver.Server(self, loop=self.loop, beacon=self.beacon)
        self.add_dependency(self._thread)

    def _new_transport_tcp(self) -> web.BaseSite:
        return web.TCPSite(
            self._runner,
            self.app.conf.web_bind,
            self.app.conf.web_port,
            reuse_port=self.app.web_reuse_port,  # type: ignore[attr-defined]
        )

    async def start_server(self) -> None:
        """Start to listen; what no route takes is answered 404. End the program if it cannot."""
        self.web_app.router.add_route("*", "/{path:.*}", _not_found)
        try:
            await super().start_server()
        except OSError as error:
            logger.critical(
                "Cannot listen on port %d (%s) of %s (HTTP_HOST): %s",
                self.app.conf.web_port,
                self.app.port_setting,  # type: ignore[attr-defined]
                self.app.conf.web_bind,
                os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror,
            )
            raise SystemExit(1) from None


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return ``content`` as JSON."""
    return web.Response(
        body=msgspec.json.encode(content),
        status=status,
        content_type="application/json",
        headers=headers,
    )


def problem(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> web.Response:
    """Return a problem+json answer. ``members`` are added to it, as ``errors=[…]``."""
    return web.Response(
        body=msgspec.json.encode(
            {
                "type": "about:blank",
                "title": HTTPStatus(status).phrase,
                "status": status,
                "detail": detail,
                **members,
            }
        ),
        status=status,
        content_type=PROBLEM_JSON,
        headers=headers,
    )


def add_route(web_app: web.Application, method: str, path: str, handler: Handler) -> None:
    """Add a route; other methods there are answered 405, and what it raises 500.

    Not a middleware: that took 4 % of a request's time.
    """

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return problem(500, "The server failed; its log says more.")

    async def wrong_method(request: web.Request) -> web.Response:
        return problem(
            405,
            f"{request.method} is not possible here, {method} is.",
            headers={"Allow": method},
        )

    if method == "GET":
        web_app.router.add_get(path, guarded)  # and HEAD
    else:
        web_app.router.add_route(method, path, guarded)
    web_app.router.add_route("*", path, wrong_method)


async def _not_found(request: web.Request) -> web.Response:
    return problem(404, f"There is nothing at {escape(request.path)}.")


class BodyError(Exception):
    """The body could not be read; ``answer`` says why."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.answer = problem(status, detail, headers=headers)
        # What has not been read of the body would be taken for the next request.
        self.answer.force_close()
        super().__init__(detail)


class BodyBudget:
    """How many bytes of bodies may be in memory at once, whoever sends them."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def take(self, size: int) -> None:
        """Count bytes that have arrived. Raises :exc:`BodyError` if they are too many."""
        if size > self._left:
            raise BodyError(503, "Too many large bodies arrive at once.", {"Retry-After": "1"})
        self._left -= size

    def give_back(self, size: int) -> None:
        """Count bytes that are no longer in memory."""
        self._left += size


async def read_body(
    request: web.Request, limit: int, timeout_s: float, budget: BodyBudget | None = None
) -> bytes:
    """Return the body of at most ``limit`` bytes, unpacked if it came packed.

    Its size has been taken from the ``budget``, and is the caller's to give back.
    Raises :exc:`BodyError`: 413 as soon as the limit is passed, 408 after ``timeout_s``,
    400 for a body that is broken, 503 if the budget does not suffice.
    """
    _check_size(request.content_length or 0, limit)
    if request.content.is_eof() and budget is None:  # it came with the headers, as small ones do
        body = request.content.read_nowait()
        _check_size(len(body), limit)
        return body
    try:
        async with asyncio.timeout(timeout_s):
            return await _receive(request, limit, budget or BodyBudget(limit))
    except TimeoutError:
        raise BodyError(408, f"The body did not arrive within {timeout_s:g} s.") from None
    except CLIENT_FAULTS as error:  # one who has gone is not reached by the answer
        raise BodyError(400, f"The body is broken: {escape(str(error))}") from None


async def _receive(request: web.Request, limit: int, budget: BodyBudget) -> bytes:
    body = bytearray()
    try:
        while chunk := await request.content.readany():
            _check_size(len(body) + len(chunk), limit)
            budget.take(len(chunk))
            body += chunk
    except BaseException:
        budget.give_back(len(body))
        raise
    return bytes(body)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise BodyError(413, f"The body is larger than {limit} bytes.")
