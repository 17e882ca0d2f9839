"""The WebSocket: ``/ws…`` and ``/stream…``, as Binance's spot API has it."""

import asyncio
import contextlib
from typing import Any, NamedTuple

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from prometheus_client import Gauge

from chart_app import streams
from chart_app.hub import Hub
from chart_app.outbox import Outbox
from chart_app.streams import Event, InvalidStream
from streaming.web import problem

OPEN = Gauge("chart_websockets_open", "WebSocket connections.")
#: A ping so often; who does not answer within half of it is gone.
PING_INTERVAL_S = 20
#: How long a reader has to answer our goodbye.
CLOSE_TIMEOUT_S = 1.0
#: A reader that was too slow has longer, to read what it was sent and why it is cut off.
CUT_OFF_TIMEOUT_S = 5.0
MAX_MESSAGE_BYTES = 64 * 1024
MAX_STREAMS = 1024
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS")
#: Binance's codes of errors.
INVALID_REQUEST = 2
INVALID_JSON = 3


class _BadRequest(Exception):
    """The reader's message is not a request."""

    def __init__(self, code: int, detail: str, request_id: Any = None) -> None:
        self.code = code
        self.request_id = request_id
        super().__init__(detail)


class Connection:
    """One reader: the streams it reads, and what waits to be sent to it."""

    def __init__(self, socket: web.WebSocketResponse, hub: Hub, *, combined: bool) -> None:
        self._socket = socket
        self._hub = hub
        self._streams: dict[str, None] = {}
        self._outbox = Outbox(combined=combined)
        self._has_mail = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self.farewell: tuple[int, str] | None = None

    def push(self, event: Event) -> None:
        """Take an event; cut the reader off if it has fallen too far behind."""
        self._outbox.push(event)
        self._has_mail.set()
        if self._outbox.is_full:
            self.end(WSCloseCode.POLICY_VIOLATION, "too slow: too much waits to be sent")

    def end(self, code: int, reason: str) -> None:
        """Have the connection closed."""
        if self.farewell is None:
            self.farewell = (code, reason)
            if self._reading:
                self._reading.cancel()

    async def run(self, names: list[str]) -> None:
        """Read requests and send events until either side ends it."""
        writing = asyncio.create_task(self._write())
        self._reading = asyncio.create_task(self._read(names))
        OPEN.inc()
        try:
            await asyncio.wait({writing, self._reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            OPEN.dec()
            for name in self._streams:
                self._hub.unsubscribe(self, name)
            for task in (writing, self._reading):
                task.cancel()
            await asyncio.wait({writing, self._reading})

    async def _read(self, names: list[str]) -> None:
        for name in names:
            try:
                await self._subscribe([streams.parse(name).name])
            except InvalidStream as error:
                self._reply(_error(INVALID_REQUEST, str(error), None))
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            try:
                request = _parse(message.data)
                await self._answer(request)
            except _BadRequest as error:
                self._reply(_error(error.code, str(error), error.request_id))

    async def _answer(self, request: "_Request") -> None:
        if request.method == "LIST_SUBSCRIPTIONS":
            self._reply({"result": list(self._streams), "id": request.id})
            return
        new = dict.fromkeys(request.streams) if request.method == "SUBSCRIBE" else {}
        if len(self._streams | new) > MAX_STREAMS:
            raise _BadRequest(INVALID_REQUEST, f"At most {MAX_STREAMS} streams", request.id)
        self._reply({"result": None, "id": request.id})
        if new:
            await self._subscribe(request.streams)
        else:
            self._unsubscribe(request.streams)

    async def _subscribe(self, names: list[str]) -> None:
        for name in names:
            self._streams[name] = None
            await self._hub.subscribe(self, name)

    def _unsubscribe(self, names: list[str]) -> None:
        for name in names:
            if name in self._streams:
                del self._streams[name]
                self._hub.unsubscribe(self, name)
                self._outbox.drop(name)

    async def _write(self) -> None:
        while True:
            await self._has_mail.wait()
            self._has_mail.clear()
            while self._outbox:
                await self._socket.send_frame(self._outbox.pop(), WSMsgType.TEXT)

    def _reply(self, content: dict[str, Any]) -> None:
        self._outbox.reply(msgspec.json.encode(content))
        self._has_mail.set()


class _Request(NamedTuple):
    id: str | int | None
    method: str
    streams: list[str]


def _parse(text: str | bytes) -> _Request:
    try:
        content = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _BadRequest(INVALID_JSON, f"Invalid JSON: {error}") from None
    if not isinstance(content, dict):
        raise _BadRequest(INVALID_REQUEST, "Invalid request: not an object")
    request_id = content.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, str | int | None):
        raise _BadRequest(INVALID_REQUEST, "Invalid request: id must be a number or text")
    method = content.get("method")
    if method not in METHODS:
        raise _BadRequest(INVALID_REQUEST, f"Invalid request: unknown method {method}", request_id)
    names = content.get("params", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _BadRequest(INVALID_REQUEST, "Invalid request: params must be streams", request_id)
    try:
        return _Request(request_id, method, [streams.parse(name).name for name in names])
    except InvalidStream as error:
        raise _BadRequest(INVALID_REQUEST, str(error), request_id) from None


def _error(code: int, detail: str, request_id: Any) -> dict[str, Any]:
    return {"error": {"code": code, "msg": detail}, "id": request_id}


class WebSockets:
    """The open connections."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._open: dict[Connection, asyncio.Task[Any]] = {}

    def add_routes(self, web_app: web.Application) -> None:
        """Add the routes, and the goodbye at the end of the program."""
        web_app.router.add_get("/ws", self._serve)
        web_app.router.add_get("/ws/{streams:.*}", self._serve)
        web_app.router.add_get("/stream", self._serve_combined)
        web_app.on_shutdown.append(self._end_all)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        # ccxt opens /ws/0, /ws/1: what has no @ is not meant as a stream.
        parts = request.match_info.get("streams", "").split("/")
        return await self._run(request, [it for it in parts if "@" in it], combined=False)

    async def _serve_combined(self, request: web.Request) -> web.StreamResponse:
        names = [it for it in request.query.get("streams", "").split("/") if it]
        return await self._run(request, names, combined=True)

    async def _run(
        self, request: web.Request, names: list[str], *, combined: bool
    ) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            heartbeat=PING_INTERVAL_S, max_msg_size=MAX_MESSAGE_BYTES, compress=False
        )
        if not socket.can_prepare(request):
            return problem(426, "This is a WebSocket.", headers={"Upgrade": "websocket"})
        await socket.prepare(request)
        connection = Connection(socket, self._hub, combined=combined)
        self._open[connection] = asyncio.current_task()  # type: ignore[assignment]
        try:
            await connection.run(names[:MAX_STREAMS])
            code, reason = connection.farewell or (WSCloseCode.OK, "")
            going = code == WSCloseCode.GOING_AWAY
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S if going else CUT_OFF_TIMEOUT_S):
                    await socket.close(code=code, message=reason.encode())
        finally:
            del self._open[connection]
            if request.transport is not None:
                request.transport.abort()  # close() would wait for one who does not read
        return socket

    async def _end_all(self, _: web.Application) -> None:
        for connection in self._open:
            connection.end(WSCloseCode.GOING_AWAY, "the server ends")
        if self._open:
            await asyncio.wait(self._open.values(), timeout=2 * CLOSE_TIMEOUT_S)
