"""The routes of the WebSockets, as in Binance's spot API.

``/ws…`` and ``/stream…`` are for events, ``/ws-api/v3`` for what REST answers.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from aiohttp import ClientConnectionResetError, WSMsgType, web
from prometheus_client import Gauge

from chart_app.market.market_data import Endpoint
from chart_app.websocket.api import ApiConnection
from chart_app.websocket.client import Client
from chart_app.websocket.connection import Connection
from chart_app.websocket.ending import GOING_AWAY, KEY_INVALID, Ending
from chart_app.websocket.hub import Hub
from chart_app.websocket.requests import MAX_STREAMS
from streaming.http.admission import Admission
from streaming.http.clients import Clients
from streaming.http.keys import Key, Scope
from streaming.http.request import key_of
from streaming.http.responses import problem
from streaming.http.shares import Shares

OPEN = Gauge("chart_websockets_open", "WebSocket connections.")

#: The interval of pings; a client that does not answer within half of it is cut off.
PING_INTERVAL_S = 20
MAX_MESSAGE_BYTES = 64 * 1024
#: How often it is checked whether the keys of connections are still valid.
KEY_CHECK_INTERVAL_S = 1.0
#: Over all connections: a subscription takes 1.3 kB. A client has a quarter of them at most, which
#: is three for each of 10,000 coins.
STREAMS_MAX = 120_000
RETRY_AFTER = {"Retry-After": "1"}
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


#: The plus of a zone, as in ``@kline_1d@+08:00``: in a query an unescaped one reads as a blank.
_ZONE_PLUS = re.compile("@ (?=[0-9:]+$)")


def _is_upgrade(request: web.Request, response: web.WebSocketResponse) -> bool:
    try:
        return bool(response.can_prepare(request))
    except ValueError:  # of aiohttp, for headers that are not ASCII or not UTF-8
        return False


async def _close(response: web.WebSocketResponse, ending: Ending) -> None:
    """Send a close frame, and wait until the client answers it."""
    frame = struct.pack("!H", ending.code) + ending.reason.encode()
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(ending.timeout_s):
            await response.send_frame(frame, WSMsgType.CLOSE)
            async for _ in response:
                # What has arrived is read without waiting: aiohttp's close() would do so at once.
                await asyncio.sleep(0)


class AnyConnection(Protocol):
    """What is done with a WebSocket."""

    #: Set once the server closes it.
    ending: Ending | None

    async def run(self, accept: Callable[[], Awaitable[None]]) -> None:
        """Answer the handshake by ``accept``; serve it until either side ends it."""

    def end(self, ending: Ending) -> None:
        """End it: the server closes it."""


#: Returns what is done with a WebSocket of a client.
Connect = Callable[[web.WebSocketResponse, Client], AnyConnection]


class WebSockets:
    """The open connections, of which a client has ``client_limit`` at most."""

    def __init__(
        self,
        hub: Hub,
        endpoints: Mapping[str, Endpoint],
        clients: Clients,
        client_limit: int,
        admission: Admission | None = None,
    ) -> None:
        """``endpoints`` are those of REST, by path."""
        self._admission = admission
        self._hub = hub
        self._endpoints = endpoints
        self._clients = clients
        self._client_limit = client_limit
        self._streams = Shares(STREAMS_MAX)
        self._connected: dict[str, Client] = {}
        self._open: dict[AnyConnection, asyncio.Task[Any]] = {}
        #: The keys of those that needed one.
        self._keys: dict[AnyConnection, Key] = {}
        self._key_timer: asyncio.TimerHandle | None = None

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
        names = [_ZONE_PLUS.sub("@+", it) for it in names]
        return await self._serve_streams(request, names, combined=True)

    async def _serve_streams(
        self, request: web.Request, names: list[str], *, combined: bool
    ) -> web.StreamResponse:
        def connect(socket: web.WebSocketResponse, client: Client) -> Connection:
            return Connection(socket, self._hub, client, names[:MAX_STREAMS], combined=combined)

        return await self._run(request, connect)

    async def _serve_api(self, request: web.Request) -> web.StreamResponse:
        def connect(socket: web.WebSocketResponse, client: Client) -> ApiConnection:
            return ApiConnection(socket, client, self._endpoints)

        return await self._run(request, connect)

    async def _run(self, request: web.Request, connect: Connect) -> web.StreamResponse:
        response = web.WebSocketResponse(
            heartbeat=PING_INTERVAL_S,
            max_msg_size=MAX_MESSAGE_BYTES,
            autoping=False,
            autoclose=False,  # to a close frame of ours, the client's is an answer, not a question
            compress=False,
            writer_limit=MAX_UNSENT_BYTES,
        )
        if not _is_upgrade(request, response):
            return problem(426, "This is a WebSocket.", headers={"Upgrade": "websocket"})
        address = self._clients.of(request)
        client = self._connected.get(address) or Client(self._streams.of(address))
        if client.connections >= self._client_limit:
            return problem(503, "Your address has too many WebSockets.", headers=RETRY_AFTER)

        async def accept() -> None:
            if request.transport is None:
                raise ClientConnectionResetError("The client has gone.")
            await response.prepare(request)
            _bound_unsent(request.transport)

        self._connected[address] = client
        client.connections += 1
        try:
            await self._converse(connect(response, client), response, accept, key_of(request))
        finally:
            client.connections -= 1
            if not client.connections:
                del self._connected[address]
            if request.transport is not None:
                request.transport.abort()  # close() would wait for a client that does not read
        return response

    def _check_keys_later(self) -> None:
        if self._keys and self._key_timer is None:
            loop = asyncio.get_running_loop()
            self._key_timer = loop.call_later(KEY_CHECK_INTERVAL_S, self._check_keys)

    def _check_keys(self) -> None:
        """End the connections whose keys were removed or have expired."""
        self._key_timer = None
        for connection, key in self._keys.items():
            if self._admission is None or not self._admission.is_valid(key, Scope.READ):
                connection.end(KEY_INVALID)
        self._check_keys_later()

    async def _converse(
        self,
        connection: AnyConnection,
        response: web.WebSocketResponse,
        accept: Callable[[], Awaitable[None]],
        key: Key | None,
    ) -> None:
        self._open[connection] = asyncio.current_task()  # type: ignore[assignment]
        if key:
            self._keys[connection] = key
            self._check_keys_later()
        OPEN.inc()
        try:
            await connection.run(accept)
            if connection.ending is None:
                await response.close()  # the answer to the client's
            elif not response.closed:
                await _close(response, connection.ending)
        finally:
            OPEN.dec()
            del self._open[connection]
            self._keys.pop(connection, None)

    async def _end_all(self, _: web.Application) -> None:
        for connection in self._open:
            connection.end(GOING_AWAY)
        if self._open:
            await asyncio.wait(self._open.values(), timeout=2 * GOING_AWAY.timeout_s)
