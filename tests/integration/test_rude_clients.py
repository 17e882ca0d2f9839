"""Clients that break the protocols: each is told so or let go, and the log stays readable."""

import asyncio
import gzip
import re
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import aiohttp
import pytest

from tests import logs
from tests.conftest import Cluster
from tests.integration.sockets import CLOSE, TEXT, SilentReader
from tests.programs import Program
from tests.waiting import PATIENCE_S

#: A program that waits for the rest of a request does not answer.
GIVE_UP_AFTER_S = 3
CONTROL_CHARACTERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


@pytest.fixture(scope="module")
def chart(shared: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Run chart_app once for all tests."""
    with Program("chart_app", tmp_path_factory.mktemp("chart"), shared.settings) as program:
        yield program.wait_ready()


@pytest.fixture(params=["trading", "chart"])
def program(request: pytest.FixtureRequest) -> Program:
    """Return the one program and the other."""
    program: Program = request.getfixturevalue(request.param)
    return program


async def send(program: Program, *parts: bytes) -> bytes:
    """Send parts, the last of which may be the end of the connection; return the status line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.05)
        return await asyncio.wait_for(reader.readline(), PATIENCE_S)
    finally:
        writer.close()


async def give_up(program: Program, *parts: bytes) -> None:
    """Send parts and close the connection, once there is an answer or after a while."""
    with suppress(ConnectionError, TimeoutError):
        await asyncio.wait_for(send(program, *parts), GIVE_UP_AFTER_S)


async def go_away(program: Program, *parts: bytes) -> None:
    """Send parts and reset the connection."""
    _, writer = await asyncio.open_connection("127.0.0.1", program.port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.05)
    writer.transport.abort()


@asynccontextmanager
async def unharmed(program: Program) -> AsyncIterator[None]:
    """Check that a program answers afterwards, and has logged nothing that is not for reading."""
    before = len(program.log())
    yield
    async with aiohttp.ClientSession() as http, http.get(f"{program.url}/healthz") as answer:
        assert answer.status == 200
    log = program.log()[before:]
    assert logs.trouble(log) == []
    assert not CONTROL_CHARACTERS.search(log)


HEAD = b"Host: localhost\r\n"
MALFORMED = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x1b[2J\r\n\r\n",
    b"GET / HTTP/9.9\r\n" + HEAD + b"\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon \x1b[31m\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\x1b\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\n" + HEAD + b"\r\n",
    b"CONNECT  \r\n" + HEAD + b"\r\n",
]


@pytest.mark.parametrize("request_", MALFORMED)
async def test_what_is_not_http_is_400_and_no_traceback(program: Program, request_: bytes) -> None:
    async with unharmed(program):
        answer = await send(program, request_)
        assert answer.split(b" ")[1] in {b"400", b"404", b"421"}, answer


NO_HANDSHAKE = {
    b"Upgrade": b"websocket\xff",
    b"Sec-WebSocket-Key": b"MTIzNDU2Nzg5MDEyMzQ1N\xff==",
    b"Sec-WebSocket-Version": b"\xff",
}


@pytest.mark.parametrize("name", NO_HANDSHAKE)
async def test_a_handshake_of_any_bytes_is_426(chart: Program, name: bytes) -> None:
    headers = {
        b"Connection": b"Upgrade, close",
        b"Upgrade": b"websocket",
        b"Sec-WebSocket-Key": b"MTIzNDU2Nzg5MDEyMzQ1Ng==",
        b"Sec-WebSocket-Version": b"13",
        name: NO_HANDSHAKE[name],
    }
    lines = b"".join(b"%b: %b\r\n" % it for it in headers.items())
    async with unharmed(chart):
        answer = await send(chart, b"GET /ws HTTP/1.1\r\n" + HEAD + lines + b"\r\n")
        assert answer.split(b" ")[1] in {b"400", b"426"}, answer


async def test_who_goes_during_the_upgrade_leaves_no_traceback(chart: Program) -> None:
    head = b"GET /ws HTTP/1.1\r\n" + HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    head += b"Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    async with unharmed(chart):
        for _ in range(100):
            _, writer = await asyncio.open_connection("127.0.0.1", chart.port)
            writer.write(head)
            writer.transport.abort()


@pytest.mark.parametrize("path", [b"/%1b%5b2J%0d%0a", b"/\xff\xfe", b"/%ff%c2%9b", b"/%ed%a0%80"])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_a_path_of_any_bytes_is_404(program: Program, path: bytes, method: bytes) -> None:
    async with unharmed(program):
        answer = await send(
            program, method + b" " + path + b" HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
        )
        assert answer.split()[1] in {b"404", b"400"}, answer


def post(path: bytes, *headers: bytes) -> bytes:
    """Return the head of a POST."""
    return b"\r\n".join([b"POST " + path + b" HTTP/1.1", b"Host: localhost", *headers, b"", b""])


JSON = b"Content-Type: application/json"
CHUNKED = b"Transfer-Encoding: chunked"
PACKED = gzip.compress(b"[" + b"0," * 300_000 + b"0]")


@pytest.mark.parametrize("path", [b"/send-trading-data", b"/trades"])
async def test_who_goes_in_mid_body_leaves_no_traceback(trading: Program, path: bytes) -> None:
    packed = post(path, JSON, b"Content-Encoding: gzip", b"Content-Length: 9999")
    async with unharmed(trading):
        for leave in (give_up, go_away):
            await asyncio.gather(
                leave(trading, post(path, JSON, b"Content-Length: 1000"), b'{"a":'),
                leave(trading, post(path, JSON, CHUNKED), b"5\r\n[1,2,\r\n", b"5\r\n"),
                leave(trading, post(path, JSON, CHUNKED), b"zz\r\n"),
                leave(trading, packed, PACKED[:50]),
                leave(trading, packed, b"\x1b not packed"),
                # Answered early, and gone while the rest is thrown away.
                leave(trading, post(path, JSON, b"Content-Length: 99999999"), b"[" * 100_000),
                leave(trading, post(path, b"Content-Type: a/b", CHUNKED), b"5\r\n[1,2,\r\n"),
            )
        await asyncio.sleep(1)  # until the time for the rest is over, too


def frame(opcode: int, payload: bytes, *, first: int = 0x80, mask: bool = True) -> bytes:
    """Return a frame as a client sends it; the mask is 0."""
    head = bytes([first | opcode])
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    else:
        head += struct.pack("!BQ", bit | 127, len(payload))
    return head + (bytes(4) if mask else b"") + payload


class Broken(NamedTuple):
    """A frame, and the code that RFC 6455 closes the connection with for it."""

    frame: bytes
    code: int


BROKEN = {
    "text that is no UTF-8": Broken(frame(TEXT, b'{"id":"\xff"}'), 1007),
    "a reserved bit": Broken(frame(TEXT, b"{}", first=0xC0), 1002),
    "a reserved opcode": Broken(frame(3, b"{}"), 1002),
    "a continuation of nothing": Broken(frame(0, b"{}"), 1002),
    "a control frame in fragments": Broken(frame(9, b"{}", first=0), 1002),
    "a long control frame": Broken(frame(9, b"x" * 126), 1002),
    "a code that may not be sent": Broken(frame(CLOSE, struct.pack("!H", 1005)), 1002),
    "a reason that is no UTF-8": Broken(frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), 1007),
    "a large message": Broken(frame(TEXT, b"x" * 70_000), 1009),
    "a larger one than there can be": Broken(b"\x81\xff" + b"\xff" * 8 + bytes(4), 1009),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_frame_closes_the_connection_with_its_code(
    chart: Program, name: str
) -> None:
    def codes() -> list[int]:
        with SilentReader(chart, "/ws") as reader:
            reader.send(BROKEN[name].frame)
            return [
                struct.unpack("!H", it.payload[:2])[0]
                for it in reader.frames()
                if it.opcode == CLOSE
            ]

    async with unharmed(chart):
        found = await asyncio.wait_for(asyncio.to_thread(codes), PATIENCE_S)
        assert found == [BROKEN[name].code]


async def test_who_goes_in_mid_frame_leaves_no_traceback(chart: Program) -> None:
    async with unharmed(chart):
        for part in (b"", b"\x81", frame(TEXT, b"x" * 1000)[:100], frame(CLOSE, b"")):
            for _ in range(3):
                with SilentReader(chart, "/stream?streams=btc@trade/%1b@trade") as reader:
                    reader.send(part)
        await asyncio.sleep(1)
