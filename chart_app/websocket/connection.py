"""The WebSocket: ``/ws…`` and ``/stream…``, as Binance's spot API has it."""

import asyncio
import contextlib
import logging
import socket
from typing import Any, NamedTuple

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from prometheus_client import Gauge

from chart_app.websocket import streams
from chart_app.websocket.hub import Hub
from chart_app.websocket.send_queue import Outbox
from chart_app.websocket.streams import Burst, Event, InvalidStream, Stream
from streaming.http.responses import problem

logger = logging.getLogger(__name__)

OPEN = Gauge("chart_websockets_open", "WebSocket connections.")
#: A ping so often; who does not answer within half of it is gone.
PING_INTERVAL_S = 20
#: How long a reader has to answer our goodbye.
CLOSE_TIMEOUT_S = 1.0
#: A reader that was too slow has longer, to read what it was sent and why it is cut off.
CUT_OFF_TIMEOUT_S = 5.0
MAX_MESSAGE_BYTES = 64 * 1024
#: Bytes of a connection that may wait below the outbox: in aiohttp, the event loop and the
#: system each. Left to itself the system holds 4 MB: for a reader of an event a second, hours
#: of candles that are out of date.
MAX_UNSENT_BYTES = 16 * 1024
MAX_STREAMS = 1024
TOO_MANY_STREAMS = f"At most {MAX_STREAMS} streams"
#: Of an id: what JSON can be made of again.
ID_MIN, ID_END = -(2**63), 2**64
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
        self._streams: dict[str, Stream] = {}
        self._outbox = Outbox(combined=combined)
        self._has_mail = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self.farewell: tuple[int, str] | None = None

    def push(self, event: Event) -> None:
        """Take an event; cut the reader off if it has fallen too far behind."""
        if self.farewell is None:
            self._outbox.push(event)
            self._wake_up()

    def push_all(self, burst: Burst) -> None:
        """Take many events at once."""
        if self.farewell is None:
            self._outbox.push_all(burst)
            self._wake_up()

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
            done, _ = await asyncio.wait({writing, self._reading})
            for task in done:
                self._note_error(task)

    def _note_error(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, ConnectionError):
            logger.error("A WebSocket is closed, which should not be", exc_info=error)
            self.farewell = (WSCloseCode.INTERNAL_ERROR, "the server failed")

    async def _read(self, names: list[str]) -> None:
        wanted = []
        for name in names:
            try:
                wanted.append(streams.parse(name))
            except InvalidStream as error:
                self._reply(_error(INVALID_REQUEST, str(error), None))
        await self._subscribe(wanted)
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
        ack = {"result": None, "id": request.id}
        if request.method == "SUBSCRIBE":
            if len({*self._streams, *(it.name for it in request.streams)}) > MAX_STREAMS:
                raise _BadRequest(INVALID_REQUEST, TOO_MANY_STREAMS, request.id)
            await self._subscribe(request.streams, ack)
        else:
            self._unsubscribe(request.streams)
            self._reply(ack)

    async def _subscribe(self, wanted: list[Stream], ack: dict[str, Any] | None = None) -> None:
        """Subscribe to all, then tell so, then send what they stand at.

        Who asks by REST once it is told so has no hole between that and the first event.
        """
        new = {it.name: it for it in wanted if it.name not in self._streams}
        coins = await self._hub.find_coins(new.values())
        for stream in new.values():
            self._hub.subscribe(self, stream, coins.get(stream.symbol))
        self._streams |= new
        if ack:
            self._reply(ack)
        for stream in new.values():
            await self._hub.greet(self, stream)

    def _unsubscribe(self, unwanted: list[Stream]) -> None:
        for name in (it.name for it in unwanted):
            if self._streams.pop(name, None):
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
        self._wake_up()

    def _wake_up(self) -> None:
        self._has_mail.set()
        if self._outbox.is_full:
            self.end(WSCloseCode.POLICY_VIOLATION, "too slow: too much waits to be sent")


class _Request(NamedTuple):
    id: str | int | None
    method: str
    streams: list[Stream]


def _parse(text: str | bytes) -> _Request:
    try:
        content = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _BadRequest(INVALID_JSON, f"Invalid JSON: {error}") from None
    if not isinstance(content, dict):
        raise _BadRequest(INVALID_REQUEST, "Invalid request: not an object")
    request_id = content.get("id")
    if not _is_id(request_id):
        raise _BadRequest(INVALID_REQUEST, "Invalid request: id must be a number or text")
    method = content.get("method")
    if method not in METHODS:
        expected = ", ".join(METHODS)
        raise _BadRequest(
            INVALID_REQUEST, f"Invalid request: unknown method, not {expected}", request_id
        )
    names = content.get("params", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _BadRequest(INVALID_REQUEST, "Invalid request: params must be streams", request_id)
    if len(names) > MAX_STREAMS:
        raise _BadRequest(INVALID_REQUEST, TOO_MANY_STREAMS, request_id)
    try:
        return _Request(request_id, method, [streams.parse(name) for name in names])
    except InvalidStream as error:
        raise _BadRequest(INVALID_REQUEST, str(error), request_id) from None


def _is_id(value: Any) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and ID_MIN <= value < ID_END
    return value is None or isinstance(value, str)


def _error(code: int, detail: str, request_id: Any) -> dict[str, Any]:
    return {"error": {"code": code, "msg": detail}, "id": request_id}


def _bound_unsent(transport: asyncio.Transport) -> None:
    transport.set_write_buffer_limits(MAX_UNSENT_BYTES)
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)  # not on every system
    if option is not None:
        system_socket = transport.get_extra_info("socket")
        system_socket.setsockopt(socket.IPPROTO_TCP, option, MAX_UNSENT_BYTES)


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
        try:
            await connection.run(names[:MAX_STREAMS])
            code, reason = connection.farewell or (WSCloseCode.OK, "")
            going = code == WSCloseCode.GOING_AWAY
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S if going else CUT_OFF_TIMEOUT_S):
                    # Without drain: our writing, which was cancelled in one, has left it broken.
                    await response.close(code=code, message=reason.encode(), drain=False)
        finally:
            del self._open[connection]
            if request.transport is not None:
                request.transport.abort()  # close() would wait for one who does not read
        return response

    async def _end_all(self, _: web.Application) -> None:
        for connection in self._open:
            connection.end(WSCloseCode.GOING_AWAY, "the server ends")
        if self._open:
            await asyncio.wait(self._open.values(), timeout=2 * CLOSE_TIMEOUT_S)
