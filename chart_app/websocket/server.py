"""The routes of the WebSocket, ``/ws…`` and ``/stream…``, as in Binance's spot API."""

import asyncio
import contextlib
import socket
from typing import Any

from aiohttp import WSCloseCode, web

from chart_app.websocket.connection import Connection
from chart_app.websocket.hub import Hub
from chart_app.websocket.requests import MAX_STREAMS
from streaming.http.admission import Admission
from streaming.http.keys import Key, Scope
from streaming.http.request import key_of
from streaming.http.responses import problem

#: The interval of pings; a client that does not answer within half of it is cut off.
PING_INTERVAL_S = 20
#: How long a client has to answer a close.
CLOSE_TIMEOUT_S = 1.0
#: Longer for a client that was too slow: to read what it was sent, and why it is cut off.
CUT_OFF_TIMEOUT_S = 5.0
MAX_MESSAGE_BYTES = 64 * 1024
#: How often it is checked whether the keys of connections are still valid.
KEY_CHECK_INTERVAL_S = 1.0
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


class WebSockets:
    """The open connections."""

    def __init__(self, hub: Hub, admission: Admission | None = None) -> None:
        self._hub = hub
        self._admission = admission
        self._open: dict[Connection, asyncio.Task[Any]] = {}
        #: The keys of those that needed one.
        self._keys: dict[Connection, Key] = {}
        self._key_timer: asyncio.TimerHandle | None = None

    def add_routes(self, web_app: web.Application) -> None:
        """Add the routes, and the close at the end of the program."""
        web_app.router.add_get("/ws", self._serve)
        web_app.router.add_get("/ws/{streams:.*}", self._serve)
        web_app.router.add_get("/stream", self._serve_combined)
        web_app.on_shutdown.append(self._end_all)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        # ccxt opens /ws/0, /ws/1: a part without @ is not a stream.
        parts = request.match_info.get("streams", "").split("/")
        return await self._run(request, [it for it in parts if "@" in it], combined=False)

    async def _serve_combined(self, request: web.Request) -> web.StreamResponse:
        names = [it for it in request.query.get("streams", "").split("/") if it]
        return await self._run(request, names, combined=True)

    async def _run(
        self, request: web.Request, names: list[str], *, combined: bool
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
        connection = Connection(response, self._hub, combined=combined)
        self._open[connection] = asyncio.current_task()  # type: ignore[assignment]
        if key := key_of(request):
            self._keys[connection] = key
            self._check_keys_later()
        try:
            await connection.run(names[:MAX_STREAMS])
            code, reason = connection.close_frame or (WSCloseCode.OK, "")
            is_going_away = code == WSCloseCode.GOING_AWAY
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S if is_going_away else CUT_OFF_TIMEOUT_S):
                    # No drain: it is broken if the writing task was cancelled during one.
                    await response.close(code=code, message=reason.encode(), drain=False)
        finally:
            del self._open[connection]
            self._keys.pop(connection, None)
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
                connection.end(WSCloseCode.POLICY_VIOLATION, "the key is no longer valid")
        self._check_keys_later()

    async def _end_all(self, _: web.Application) -> None:
        for connection in self._open:
            connection.end(WSCloseCode.GOING_AWAY, "the server is shutting down")
        if self._open:
            await asyncio.wait(self._open.values(), timeout=2 * CLOSE_TIMEOUT_S)
