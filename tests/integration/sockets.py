"""Clients of the WebSocket: one that reads all it is sent, and one that reads nothing."""

import asyncio
import base64
import json
import os
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp

from tests.programs import Program
from tests.waiting import PATIENCE_S, eventually

#: Small, so that what is not read soon waits in the server.
RECEIVE_BUFFER_BYTES = 4096

TEXT, CLOSE, PING = 0x1, 0x8, 0x9


class Viewer:
    """Reads ``/stream``, and keeps the events with the times (s) of their arrival."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self.connection = connection
        self.events: list[tuple[float, str, Any]] = []
        self._answers: asyncio.Queue[Any] = asyncio.Queue()
        self._last_id = 0

    async def read(self) -> None:
        """Read until the connection ends."""
        async for message in self.connection:
            content = json.loads(message.data)
            if "stream" in content:
                self.events.append((time.time(), content["stream"], content["data"]))
            else:
                await self._answers.put(content)

    async def ask(self, method: str, *names: str) -> Any:
        """Send a request; return its result."""
        self._last_id += 1
        request = {"method": method, "params": names, "id": self._last_id}
        await self.connection.send_json(request)
        answer = await asyncio.wait_for(self._answers.get(), PATIENCE_S)
        assert answer.keys() == {"result", "id"}, answer
        assert answer["id"] == self._last_id
        return answer["result"]

    def of(self, stream: str) -> list[Any]:
        """Return the events of a stream; of klines, the klines."""
        return [data.get("k", data) for _, name, data in self.events if name == stream]

    async def wait(self, stream: str, **fields: Any) -> Any:
        """Return the first event of a stream with these fields."""

        async def found() -> list[Any]:
            return [it for it in self.of(stream) if fields.items() <= it.items()]

        return (await eventually(found, f"{stream} says {fields}"))[0]


@asynccontextmanager
async def watch(program: Program, *names: str) -> AsyncIterator[Viewer]:
    """Have a viewer read streams."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{program.url}/stream") as connection,
    ):
        viewer = Viewer(connection)
        reading = asyncio.create_task(viewer.read())
        try:
            if names:
                await viewer.ask("SUBSCRIBE", *names)
            yield viewer
        finally:
            reading.cancel()
            await asyncio.wait([reading])


class Frame(NamedTuple):
    """What a WebSocket is sent."""

    opcode: int
    payload: bytes


class SilentReader:
    """Subscribes, and reads only when it is told to. Blocks."""

    def __init__(self, program: Program, path: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect(("127.0.0.1", program.port))
        headers = {
            "Host": "localhost",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        }
        lines = [f"GET {path} HTTP/1.1", *map(": ".join, headers.items()), "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._read(1)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def send(self, content: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(content)

    def frames(self) -> Iterator[Frame]:
        """Read until the end of the connection."""
        while head := self._read(2):
            length = head[1]
            if length == 126:
                (length,) = struct.unpack("!H", self._read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self._read(8))
            yield Frame(head[0] & 0x0F, self._read(length))

    def _read(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            try:
                part = self._socket.recv(count - len(content))
            except ConnectionError:
                return b""
            if not part:
                return b""
            content += part
        return content

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()
