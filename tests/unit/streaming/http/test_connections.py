"""The real server on real sockets, with short times."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_network
from typing import NamedTuple

import pytest
from aiohttp import ClientSession, WSMsgType, web

from streaming.http.access import SECURITY_HEADERS, Access
from streaming.http.clients import Clients, Network
from streaming.http.connections import (
    CONNECTIONS_MAX,
    RESERVED_FILES,
    TOO_SLOW,
    Connections,
    connections_max,
    raise_file_limit,
)
from streaming.http.guard import Guard
from streaming.http.server import Runner
from tests.waiting import PATIENCE_S, eventually

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHost: lo"
SHORT_S = 0.5
#: Longer than a busy machine stalls.
LONG_S = 60.0
LIMIT = 5


class Served(NamedTuple):
    """A server and its connections."""

    port: int
    connections: Connections


class Client(NamedTuple):
    """A connection to it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self) -> bytes:
        """Send a request; return the head of the answer."""
        self.writer.write(REQUEST)
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        await self.reader.readexactly(2)
        return head

    async def end(self) -> bytes:
        """Read up to the end of the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE_S)
        except ConnectionResetError:
            return b""


async def answer(_: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


@asynccontextmanager
async def serve(
    limit: int = LIMIT,
    *,
    client_limit: int = LIMIT,
    trusted_proxies: Iterable[Network] = (),
    head_timeout_s: float = LONG_S,
    idle_timeout_s: float = LONG_S,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] = answer,
) -> AsyncIterator[Served]:
    """Run the server that both programs have."""
    web_app = web.Application()
    web_app.router.add_get("/", handler)
    web_app.router.add_post("/", handler)
    clients = Clients(trusted_proxies)
    connections = Connections(limit, client_limit, clients, head_timeout_s, idle_timeout_s)
    guard = Guard(Access(["localhost"], ["*"]), clients, {})
    runner = Runner(
        web_app, guard, connections, shutdown_timeout=0.1, keepalive_timeout=idle_timeout_s
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Served(runner.addresses[0][1], connections)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connect(
    served: Served, address: str = "127.0.0.1", *, counted: bool = True
) -> AsyncIterator[Client]:
    """Open a connection from an address of this machine, and wait until the server has it."""
    before = len(served.connections)
    local = (address, 0)
    client = Client(*await asyncio.open_connection("127.0.0.1", served.port, local_addr=local))

    async def is_counted() -> bool:
        return len(served.connections) > before

    try:
        if counted:
            await eventually(is_counted, "the server has the connection")
        yield client
    finally:
        client.writer.close()


async def has_connections(served: Served, count: int) -> None:
    """Wait until the server has so many connections."""

    async def reached() -> bool:
        return len(served.connections) == count

    await eventually(reached, f"{count} connections are open")


async def test_who_says_nothing_is_cut_off_without_a_word() -> None:
    async with serve(idle_timeout_s=SHORT_S) as served, connect(served) as client:
        assert await client.end() == b""
        await has_connections(served, 0)


async def test_half_a_head_is_answered_408() -> None:
    async with serve(head_timeout_s=SHORT_S) as served, connect(served) as client:
        client.writer.write(HALF)
        head = await client.end()
        assert head.startswith(b"HTTP/1.1 408 ")
        for name, value in SECURITY_HEADERS.items():
            assert f"\r\n{name}: {value}\r\n".encode() in head
        await has_connections(served, 0)


@pytest.mark.parametrize("first", [b"", REQUEST], ids=["first request", "second request"])
async def test_a_head_that_drips_has_no_more_time(first: bytes) -> None:
    async with serve(head_timeout_s=1) as served, connect(served) as client:
        if first:
            await client.ask()
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        ending = asyncio.create_task(client.end())
        client.writer.write(HALF)
        while not ending.done():
            client.writer.write(b"o")
            await asyncio.wait([ending], timeout=0.05)
            assert asyncio.get_running_loop().time() < deadline
        assert ending.result() in {b"", TOO_SLOW}  # a reset may overtake the answer


async def test_a_connection_between_requests_has_the_longer_time() -> None:
    async with serve(head_timeout_s=SHORT_S) as served, connect(served) as client:
        for _ in range(3):
            assert (await client.ask()).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(2 * SHORT_S)
        assert len(served.connections) == 1


async def test_a_connection_between_requests_ends_too() -> None:
    async with serve(idle_timeout_s=SHORT_S) as served, connect(served) as client:
        await client.ask()
        assert await client.end() == b""
        await has_connections(served, 0)


async def test_a_head_in_two_parts_is_a_request() -> None:
    async with serve() as served, connect(served) as client:

        async def is_pending() -> bool:
            return len(served.connections.heads) == 1

        for _ in range(3):
            client.writer.write(REQUEST[:7])
            await eventually(is_pending, "the head is waited for")
            client.writer.write(REQUEST[7:])
            head = await client.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            await client.reader.readexactly(2)
            assert not len(served.connections.heads)


async def test_a_body_and_an_answer_may_take_longer() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        await asyncio.sleep(2 * SHORT_S)
        return web.Response(body=body)

    async with (
        serve(head_timeout_s=SHORT_S, idle_timeout_s=SHORT_S, handler=slow) as served,
        connect(served) as client,
    ):
        client.writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n")
        for part in (b"ab", b"cd", b"ef"):
            await asyncio.sleep(SHORT_S)
            client.writer.write(part)
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert await client.reader.readexactly(6) == b"abcdef"


async def test_a_websocket_may_be_silent_and_counts() -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        async for message in response:
            await response.send_str(message.data)
        return response

    async with (
        serve(head_timeout_s=SHORT_S, idle_timeout_s=SHORT_S, handler=echo) as served,
        ClientSession(f"http://localhost:{served.port}") as http,
        http.ws_connect("/") as socket,
    ):
        for _ in range(3):
            await asyncio.sleep(2 * SHORT_S)
            await socket.send_str("still here")
            message = await socket.receive(PATIENCE_S)
            assert (message.type, message.data) == (WSMsgType.TEXT, "still here")
        assert len(served.connections) == 1
        for name, value in SECURITY_HEADERS.items():
            assert socket._response.headers[name] == value
    assert len(served.connections) == 0


async def test_one_more_than_there_may_be_takes_the_place_of_the_longest_silent() -> None:
    async with serve() as served, AsyncExitStack() as stack:
        user = await stack.enter_async_context(connect(served))
        await user.ask()
        silent = [await stack.enter_async_context(connect(served)) for _ in range(LIMIT - 1)]
        for client in silent:
            newcomer = await stack.enter_async_context(connect(served, counted=False))
            assert (await newcomer.ask()).startswith(b"HTTP/1.1 200 ")
            assert await client.end() == b""
        await has_connections(served, LIMIT)
        assert (await user.ask()).startswith(b"HTTP/1.1 200 ")


async def test_where_all_have_asked_one_more_is_answered_503() -> None:
    async with serve() as served, AsyncExitStack() as stack:
        users = [await stack.enter_async_context(connect(served)) for _ in range(LIMIT)]
        for user in users:
            await user.ask()
        refused = await stack.enter_async_context(connect(served, counted=False))
        head = await refused.end()
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in head
        for user in users:
            assert (await user.ask()).startswith(b"HTTP/1.1 200 ")
        users[0].writer.close()
        await has_connections(served, LIMIT - 1)
        newcomer = await stack.enter_async_context(connect(served))
        assert (await newcomer.ask()).startswith(b"HTTP/1.1 200 ")


async def test_a_client_at_its_limit_loses_its_own_silent_connections_and_no_others() -> None:
    async with serve(limit=10, client_limit=2) as served, AsyncExitStack() as stack:
        other = await stack.enter_async_context(connect(served, "127.0.0.2"))
        silent = [await stack.enter_async_context(connect(served)) for _ in range(2)]
        for client, sent in ((silent[0], REQUEST), (silent[1], HALF)):
            newcomer = await stack.enter_async_context(connect(served, counted=False))
            newcomer.writer.write(sent)
            assert await client.end() == b""
        await has_connections(served, 3)
        last = await stack.enter_async_context(connect(served, counted=False))
        assert (await last.ask()).startswith(b"HTTP/1.1 200 ")  # in the place of the half head
        refused = await stack.enter_async_context(connect(served, counted=False))
        head = await refused.end()
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in head
        for client in (other, last):
            assert (await client.ask()).startswith(b"HTTP/1.1 200 ")
        last.writer.close()
        await has_connections(served, 2)
        again = await stack.enter_async_context(connect(served))
        assert (await again.ask()).startswith(b"HTTP/1.1 200 ")


async def test_a_trusted_proxy_has_no_limit_of_a_client() -> None:
    proxy = ip_network("127.0.0.9/32")
    async with (
        serve(limit=4, client_limit=1, trusted_proxies=[proxy]) as served,
        AsyncExitStack() as stack,
    ):
        for _ in range(4):
            client = await stack.enter_async_context(connect(served, "127.0.0.9"))
            assert (await client.ask()).startswith(b"HTTP/1.1 200 ")
        refused = await stack.enter_async_context(connect(served, "127.0.0.9", counted=False))
        assert (await refused.end()).startswith(b"HTTP/1.1 503 ")


def test_without_a_setting_a_client_has_a_quarter() -> None:
    clients = Clients()
    assert Connections(10_000, None, clients).client_limit == 2500
    assert Connections(2, None, clients).client_limit == 1
    assert Connections(10_000, 7, clients).client_limit == 7


async def test_connections_that_are_gone_are_not_counted() -> None:
    async with serve() as served:
        for _ in range(3):
            async with AsyncExitStack() as stack:
                for sent in (b"", HALF, REQUEST, b"NONSENSE\r\n\r\n"):
                    client = await stack.enter_async_context(connect(served, counted=False))
                    client.writer.write(sent)
                last = await stack.enter_async_context(connect(served, counted=False))
                await last.ask()  # so the server has all of them
            await has_connections(served, 0)
            assert not served.connections.heads
            assert served.connections.heads.oldest("127.0.0.1") is None
            assert served.connections.silent.oldest("127.0.0.1") is None


@pytest.mark.parametrize(
    ("files", "connections"),
    [
        *((1024, 1024 - RESERVED_FILES), (256, 128), (4, 2)),
        *((1_048_576, CONNECTIONS_MAX), (resource.RLIM_INFINITY, CONNECTIONS_MAX)),
    ],
)
def test_connections_leave_files_for_others(files: int, connections: int) -> None:
    assert connections_max(files) == connections


def test_the_limit_of_open_files_is_raised_as_far_as_may_be() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(200, before[1]), before[1]))
        assert raise_file_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
