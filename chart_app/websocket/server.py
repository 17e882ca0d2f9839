"""The routes of the WebSockets, as in Binance's spot API.

``/ws…`` and ``/stream…`` are for events, ``/ws-api/v3`` for what REST answers.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from aiohttp import WSCloseCode, web

from chart_app.market.market_data import Endpoint
from chart_app.websocket.api import ApiConnection
from chart_app.websocket.connection import Connection
from chart_app.websocket.hub import Hub
from chart_app.websocket.requests import MAX_STREAMS
from streaming.http.responses import problem

#: The interval of pings; a client that does not answer within half of it is cut off.
PING_INTERVAL_S = 20
#: How long a client has to answer a close.
CLOSE_TIMEOUT_S = 1.0
#: Longer for a client that was too slow: to read what it was sent, and why it is cut off.
CUT_OFF_TIMEOUT_S = 5.0
MAX_MESSAGE_BYTES = 64 * 1024
#: Bytes of a connection that may be buffered below the send queue: in aiohttp, the event loop and
#: the operating system each. By default the system buffers 4 MB: for a client of an event a second,
#: hours of candles that are out of date.
MAX_UNSENT_BYTES = 16 * 1024


def _bound_unsent(transport: asyncio.Transport) -> None:
    transport.set_write_buffer_limits(MAX_UNSENT_BYTES)
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)  # not on every system
    if option is not None:
        system_socket = transport.get_extra_info("socket")
        system_socket.setsockopt(socket.IPPROTO_TCP, option, MAX_UNSENT_BYTES)


class AnyConnection(Protocol):
    """What is done with a WebSocket."""

    #: (code, reason) to close it with.
    close_frame: tuple[int, str] | None

    async def run(self) -> None:
        """Serve it until either side ends it."""

    def end(self, code: int, reason: str) -> None:
        """End it."""


class WebSockets:
    """The open connections."""

    def __init__(self, hub: Hub, endpoints: Mapping[str, Endpoint]) -> None:
        """``endpoints`` are those of REST, by path."""
        self._hub = hub
        self._endpoints = endpoints
        self._open: dict[AnyConnection, asyncio.Task[Any]] = {}

    def add_routes(self, web_app: web.Application) -> None:
        """Add the routes, and the close at the end of the program."""
        web_app.router.add_get("/ws", self._serve)
        web_app.router.add_get("/ws/{streams:.*}", self._serve)
        web_app.router.add_get("/stream", self._serve_combined)
        web_app.router.add_get("/ws-api/v3", self._serve_api)
        web_app.on_shutdown.append(self._end_all)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        # ccxt opens /ws/0, /ws/1: a part without @ is not a stream.
        parts = request.match_info.get("streams", "").split("/")
        return await self._serve_streams(request, [it for it in parts if "@" in it], combined=False)

    async def _serve_combined(self, request: web.Request) -> web.StreamResponse:
        names = [it for it in request.query.get("streams", "").split("/") if it]
        return await self._serve_streams(request, names, combined=True)

    async def _serve_streams(
        self, request: web.Request, names: list[str], *, combined: bool
    ) -> web.StreamResponse:
        def connect(socket: web.WebSocketResponse) -> Connection:
            return Connection(socket, self._hub, names[:MAX_STREAMS], combined=combined)

        return await self._run(request, connect)

    async def _serve_api(self, request: web.Request) -> web.StreamResponse:
        return await self._run(request, lambda socket: ApiConnection(socket, self._endpoints))

    async def _run(
        self, request: web.Request, connect: Callable[[web.WebSocketResponse], AnyConnection]
    ) -> web.StreamResponse:
        response = web.WebSocketResponse(
            heartbeat=PING_INTERVAL_S,
            max_msg_size=MAX_MESSAGE_BYTES,
            compress=False,
            writer_limit=MAX_UNSENT_BYTES,
        )
        if not response.can_prepare(request):
            return problem(426, "This is a WebSocket.", headers={"Upgrade": "websocket"})
        await response.prepare(request)
        if request.transport is not None:
            _bound_unsent(request.transport)
        connection = connect(response)
        self._open[connection] = asyncio.current_task()  # type: ignore[assignment]
        try:
            await connection.run()
            code, reason = connection.close_frame or (WSCloseCode.OK, "")
            is_going_away = code == WSCloseCode.GOING_AWAY
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S if is_going_away else CUT_OFF_TIMEOUT_S):
                    # No drain: it is broken if the writing task was cancelled during one.
                    await response.close(code=code, message=reason.encode(), drain=False)
        finally:
            del self._open[connection]
            if request.transport is not None:
                request.transport.abort()  # close() would wait for a client that does not read
        return response

    async def _end_all(self, _: web.Application) -> None:
        for connection in self._open:
            connection.end(WSCloseCode.GOING_AWAY, "the server is shutting down")
        if self._open:
            await asyncio.wait(self._open.values(), timeout=2 * CLOSE_TIMEOUT_S)
