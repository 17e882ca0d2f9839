"""A WebSocket connection: requests in, replies and events out."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from chart_app.websocket import requests, streams
from chart_app.websocket.client import Client
from chart_app.websocket.ending import FAILED, TOO_SLOW, Ending
from chart_app.websocket.events import Burst, Event
from chart_app.websocket.hub import Hub
from chart_app.websocket.incoming import incoming
from chart_app.websocket.requests import (
    INVALID_REQUEST,
    MAX_STREAMS,
    NO_MORE_STREAMS,
    TOO_MANY_STREAMS,
    BadRequest,
    Request,
    error_reply,
    unknown_streams,
)
from chart_app.websocket.send_queue import SendQueue
from chart_app.websocket.streams import Stream

logger = logging.getLogger(__name__)

#: How long the handshake waits for the first subscriptions: until then the store may not answer.
FIRST_SUBSCRIPTIONS_S = 1.0


class Connection:
    """A connection of a client, with its streams and its send queue."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        hub: Hub,
        client: Client,
        names: Sequence[str],
        *,
        combined: bool,
    ) -> None:
        """``names`` are those of the first streams."""
        self._socket = socket
        self._hub = hub
        self._client = client
        self._names = names
        self._streams: dict[str, Stream] = {}
        self._queue = SendQueue(combined=combined)
        self._has_more = asyncio.Event()
        self._has_subscribed = asyncio.Event()
        self._is_accepted = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        #: Set once the server closes the connection.
        self.ending: Ending | None = None

    def push(self, event: Event) -> None:
        """Queue an event; cut the client off if it has fallen too far behind."""
        if self.ending is None:
            self._queue.push(event)
            self._wake_up()

    def push_all(self, burst: Burst) -> None:
        """Queue many events at once."""
        if self.ending is None:
            self._queue.push_all(burst)
            self._wake_up()

    def end(self, ending: Ending) -> None:
        """End the connection: the server closes it."""
        if self.ending is None:
            self.ending = ending
            if self._reading:
                self._reading.cancel()

    async def run(self, accept: Callable[[], Awaitable[None]]) -> None:
        """Accept the connection; read requests and send events until either side ends it.

        The first streams are subscribed to before: who is connected misses none of their events.
        """
        self._reading = asyncio.create_task(self._read())
        tasks = {self._reading}
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_SUBSCRIPTIONS_S):
                    await self._has_subscribed.wait()
            await accept()
            self._is_accepted.set()
            tasks.add(asyncio.create_task(self._write()))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._unsubscribe(list(self._streams))
            for task in tasks:
                task.cancel()
            done, _ = await asyncio.wait(tasks)
            for task in done:
                self._log_error(task)

    def _log_error(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, ConnectionError):
            logger.error("A WebSocket is closed because of an internal error", exc_info=error)
            self.ending = FAILED

    async def _read(self) -> None:
        await self._subscribe_to_first()
        await self._is_accepted.wait()
        async for message in incoming(self._socket, self.end):
            await self._handle(message)

    async def _subscribe_to_first(self) -> None:
        wanted, unknown = streams.parse_all(self._names)
        if unknown:
            self._reply(error_reply(INVALID_REQUEST, unknown_streams(unknown), None))
        try:
            async with self._client.turns:
                await self._subscribe(wanted, None, self._has_subscribed.set)
        except BadRequest as error:
            self._reply(error_reply(error.code, str(error), None))
        finally:
            self._has_subscribed.set()

    async def _handle(self, message: str | bytes) -> None:
        try:
            async with self._client.turns:
                await self._answer(requests.parse(message))
        except BadRequest as error:
            self._reply(error_reply(error.code, str(error), error.request_id))

    async def _answer(self, request: Request) -> None:
        ack = {"result": None, "id": request.id}
        if request.unknown:  # the other streams of the request are not to suffer for it
            ack = error_reply(INVALID_REQUEST, unknown_streams(request.unknown), request.id)
        match request.method:
            case "SUBSCRIBE":
                if len({*self._streams, *(it.name for it in request.streams)}) > MAX_STREAMS:
                    raise BadRequest(INVALID_REQUEST, TOO_MANY_STREAMS, request.id)
                await self._subscribe(request.streams, request.id, lambda: self._reply(ack))
            case "UNSUBSCRIBE":
                self._unsubscribe(it.name for it in request.streams)
                self._reply(ack)
            case "LIST_SUBSCRIPTIONS":
                self._reply({"result": list(self._streams), "id": request.id})
            case "SET_PROPERTY":
                self._queue.combined = request.combined
                self._reply(ack)
            case "GET_PROPERTY":
                self._reply({"result": self._queue.combined, "id": request.id})

    async def _subscribe(
        self, wanted: Iterable[Stream], request_id: Any, confirm: Callable[[], None]
    ) -> None:
        """Subscribe to streams, then confirm, then send the newest candles.

        A client that reads by REST after the confirmation misses nothing before the first event.
        """
        new = {it.name: it for it in wanted if it.name not in self._streams}
        if not new:
            confirm()
            return
        coins = await self._hub.find_coins(new.values())
        if not self._client.streams.take(len(new)):
            raise BadRequest(INVALID_REQUEST, NO_MORE_STREAMS, request_id)
        self._streams |= new
        for stream in new.values():
            self._hub.subscribe(self, stream, coins.get(stream.symbol))
        confirm()
        for stream in new.values():
            await self._hub.send_snapshot(self, stream)

    def _unsubscribe(self, unwanted: Iterable[str]) -> None:
        for name in unwanted:
            if self._streams.pop(name, None):
                self._client.streams.give_back(1)
                self._hub.unsubscribe(self, name)
                self._queue.drop(name)

    async def _write(self) -> None:
        while True:
            await self._has_more.wait()
            self._has_more.clear()
            while self._queue:
                await self._socket.send_frame(self._queue.pop(), WSMsgType.TEXT)

    def _reply(self, content: dict[str, Any]) -> None:
        self._queue.reply(msgspec.json.encode(content))
        self._wake_up()

    def _wake_up(self) -> None:
        self._has_more.set()
        if self._queue.is_full:
            self.end(TOO_SLOW)
