"""What one client may take, on the running programs: others go on, and health is answered.

The clients are addresses of this machine: Linux has all of 127.0.0.0/8.
"""

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from typing import Any

import aiohttp
import pytest

from chart_app.websocket.message_limit import BURST
from chart_app.websocket.requests import MAX_STREAMS
from chart_app.websocket.server import STREAMS_MAX
from tests.conftest import Cluster, StartProgram
from tests.integration.test_access import UPGRADE
from tests.programs import Program
from tests.waiting import PATIENCE_S, eventually, in_time
from trading_app.endpoints.bulk import BODIES_LIMIT, BODY_LIMIT

GREEDY, OTHER, PROXY, SECOND_PROXY = (f"127.0.0.{it}" for it in (2, 3, 9, 10))
MB = 1024 * 1024
CONNECTIONS = 20
STALLED_BODIES = 9
HELD_BODIES = BODIES_LIMIT // 4 // BODY_LIMIT
#: What is asked for is 0.1; measured are 0.01 to 0.02, and a busy machine stalls for longer.
#: Without a bound on messages a flood of pings kept others waiting for 0.8.
HEALTH_LIMIT_S = 0.5
TRADE = {"coinName": "BTC", "price": 1, "numOfCoin": 2}


@pytest.fixture(scope="module")
def bounded(shared: Cluster) -> dict[str, str]:
    """Return settings with few connections a client, and two proxies."""
    return {
        **shared.settings,
        "HTTP_CONNECTIONS_PER_CLIENT": str(CONNECTIONS),
        "HTTP_TRUSTED_PROXIES": f"{PROXY}, {SECOND_PROXY}/32",
    }


@pytest.fixture(scope="module")
def trading(bounded: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Run trading_app once for all tests that leave it as it was."""
    with Program("trading_app", tmp_path_factory.mktemp("bounds"), bounded) as program:
        yield program.wait_ready()


@pytest.fixture(scope="module")
def chart(bounded: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Run chart_app once."""
    with Program("chart_app", tmp_path_factory.mktemp("bounds"), bounded) as program:
        yield program.wait_ready()


@pytest.fixture(params=["trading", "chart"])
def program(request: pytest.FixtureRequest) -> Program:
    """Return the one program and the other."""
    program: Program = request.getfixturevalue(request.param)
    return program


@asynccontextmanager
async def client(
    program: Program, address: str, forwarded_for: str | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open an HTTP client with an address."""
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    connector = aiohttp.TCPConnector(local_addr=(address, 0), limit=0)
    async with aiohttp.ClientSession(program.url, connector=connector, headers=headers) as http:
        yield http


async def health_takes(program: Program) -> float:
    """Return how long it took (s) to answer another client's ``/healthz``."""
    begin = time.monotonic()
    async with client(program, OTHER) as http, http.get("/healthz") as answer:
        assert answer.status == 200
    return time.monotonic() - begin


async def check_health(program: Program) -> None:
    """Fail the test if a new client's ``/healthz`` is not answered at once."""
    await in_time(HEALTH_LIMIT_S, lambda: health_takes(program))


async def post(http: aiohttp.ClientSession, path: str, body: Any) -> int:
    """Return the status of a POST of JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    async with http.post(path, data=content, headers=headers) as answer:
        await answer.read()
        if answer.status in {429, 503}:
            assert int(answer.headers["Retry-After"]) >= 1
        return answer.status


# ----- connections


def connect(program: Program, address: str) -> socket.socket:
    """Open a connection."""
    opened = socket.create_connection(("127.0.0.1", program.port), PATIENCE_S, (address, 0))
    opened.settimeout(PATIENCE_S)
    return opened


def ask(opened: socket.socket) -> bytes:
    """Send a request; return the answer."""
    opened.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return opened.recv(4096)


@contextmanager
def in_use(program: Program, address: str) -> Iterator[list[socket.socket]]:
    """Hold as many connections as one client may, each of which has asked once."""
    with ExitStack() as stack:
        opened = [stack.enter_context(connect(program, address)) for _ in range(CONNECTIONS)]
        for it in opened:
            assert ask(it).startswith(b"HTTP/1.1 200 ")
        yield opened


async def test_more_connections_than_a_client_may_have_are_refused_and_no_others(
    program: Program,
) -> None:
    with in_use(program, GREEDY) as held, connect(program, OTHER) as other:
        assert ask(other).startswith(b"HTTP/1.1 200 ")
        for _ in range(3 * CONNECTIONS):
            with connect(program, GREEDY) as refused:
                answer = refused.recv(4096)
                assert answer.startswith(b"HTTP/1.1 503 ")
                assert b"\r\nRetry-After: 1\r\n" in answer
                assert refused.recv(4096) == b""
        await check_health(program)
        for it in (other, *held):
            assert ask(it).startswith(b"HTTP/1.1 200 ")
    lines = [it for it in program.log().split("\n") if "HTTP_CONNECTIONS_PER_CLIENT" in it]
    assert 1 <= len(lines) <= 5
    assert (
        f" WARNING streaming.http.connections Client {GREEDY} uses all {CONNECTIONS} " in lines[0]
    )


async def test_a_client_that_is_silent_makes_room_for_itself(program: Program) -> None:
    with ExitStack() as stack:
        for _ in range(3 * CONNECTIONS):
            stack.enter_context(connect(program, GREEDY))
        last = stack.enter_context(connect(program, GREEDY))
        assert ask(last).startswith(b"HTTP/1.1 200 ")


async def test_a_proxy_has_the_connections_of_all_its_clients(program: Program) -> None:
    with ExitStack() as stack:
        for _ in range(3 * CONNECTIONS):
            assert ask(stack.enter_context(connect(program, PROXY))).startswith(b"HTTP/1.1 200 ")


# ----- bodies


async def test_stalled_bodies_of_one_client_stop_no_other(
    cluster: Cluster, start: StartProgram
) -> None:
    settings = {**cluster.settings, "HTTP_READ_TIMEOUT": str(PATIENCE_S)}
    trading = start("trading_app", settings).wait_ready()
    head = "POST /trades HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {4 * MB}\r\n\r\n"

    async def stall() -> bytes:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", trading.port, local_addr=(GREEDY, 0)
        )
        try:
            writer.write(head.encode() + b" " * (4 * MB - 1))
            return await reader.readline()  # at once: who goes on sending is cut off in the end
        finally:
            writer.close()

    stalled = [asyncio.create_task(stall()) for _ in range(STALLED_BODIES)]
    trades = [TRADE] * (40_000 // len(json.dumps(TRADE)))
    async with client(trading, OTHER) as http:

        async def are_refused() -> bool:
            return sum(it.done() for it in stalled) == STALLED_BODIES - HELD_BODIES

        await eventually(are_refused, "all are refused but those that one client may send")
        assert await post(http, "/trades", trades) == 201
        await check_health(trading)
    for task in stalled:
        if task.done():
            assert task.result().startswith(b"HTTP/1.1 503 ")
        task.cancel()


# ----- the rate limit


@pytest.fixture
def limited(bounded: dict[str, str], start: StartProgram) -> Program:
    """Run trading_app with a limit of one trade, and the next one after 100 s."""
    return start("trading_app", {**bounded, "HTTP_RATE_LIMIT": "0.01"}).wait_ready()


BAD_BODIES = {
    "/send-trading-data": [b"{", b'{"topic":"x"}', b"\xff" * 70_000, b""],
    "/trades": [b"{", b"[]", b'[{"price":-1}]', b""],
}


async def test_the_second_bad_body_is_429(limited: Program) -> None:
    number = 20
    for path, bodies in BAD_BODIES.items():
        for body in bodies:
            number += 1
            async with client(limited, f"127.0.0.{number}") as http:
                assert await post(http, path, body) in {400, 413, 422}
                assert await post(http, path, body) == 429
    async with client(limited, f"127.0.0.{number + 1}") as http:
        headers = {"Content-Type": "text/html"}
        for status in (415, 429):
            async with http.post("/trades", data=b"", headers=headers) as answer:
                assert answer.status == status


async def statuses(
    program: Program, clients: list[tuple[str, str | None]], shared: Cluster
) -> list[int]:
    """Return the statuses of POSTs, one after the other, of clients (peer, X-Forwarded-For)."""
    found = []
    for address, forwarded_for in clients:
        async with client(program, address, forwarded_for) as http:
            found.append(await post(http, "/send-trading-data", {**TRADE, "topic": shared.topic}))
    return found


async def test_a_forged_address_changes_nothing(limited: Program, shared: Cluster) -> None:
    asked = [(GREEDY, None), (GREEDY, "198.51.100.1"), (GREEDY, f"198.51.100.2, {PROXY}")]
    assert await statuses(limited, [*asked, (OTHER, None)], shared) == [201, 429, 429, 201]
    behind: list[tuple[str, str | None]] = [
        (PROXY, "203.0.113.1"),
        (PROXY, "198.51.100.1, 203.0.113.1"),
        (SECOND_PROXY, f"198.51.100.9, 203.0.113.1, {PROXY}"),
        (PROXY, "203.0.113.2"),
    ]
    assert await statuses(limited, behind, shared) == [201, 429, 429, 201]


async def test_two_addresses_of_one_network_share(limited: Program, shared: Cluster) -> None:
    asked: list[tuple[str, str | None]] = [
        (PROXY, "2001:db8:1:2::1"),
        (PROXY, "2001:db8:1:2:ffff::9"),
        (PROXY, "2001:db8:1:3::1"),
        (PROXY, "203.0.113.3"),
        (PROXY, "::ffff:203.0.113.3"),
    ]
    assert await statuses(limited, asked, shared) == [201, 429, 201, 201, 429]


async def test_a_refused_request_is_logged_with_its_client(
    limited: Program,
) -> None:
    async with client(limited, PROXY, "2001:db8:9:9::9") as http:
        async with http.get("/healthz", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 421

        async def is_logged() -> bool:
            return 'origin="" client=2001:db8:9:9::/64\n' in limited.log()

        await eventually(is_logged, "it is logged")


# ----- WebSockets


async def test_a_foreign_page_opens_no_websocket_while_reading_is_not_public(
    cluster: Cluster, start: StartProgram
) -> None:
    settings = {**cluster.settings, "READ_ORIGINS": "https://page.example"}
    chart = start("chart_app", settings).wait_ready()
    async with client(chart, OTHER) as http:
        for path in ("/ws", "/ws/btc@trade", "/stream?streams=btc@trade"):
            for origin, status in {
                "https://evil.example": 403,
                "https://page.example": 101,
            }.items():
                headers = {**UPGRADE, "Origin": origin}
                async with http.get(path, headers=headers) as answer:
                    assert answer.status == status


async def test_a_client_behind_a_proxy_has_no_more_websockets_than_connections(
    chart: Program,
) -> None:
    async with AsyncExitStack() as stack:
        greedy = await stack.enter_async_context(client(chart, PROXY, "203.0.113.5"))
        other = await stack.enter_async_context(client(chart, PROXY, "203.0.113.6"))
        for _ in range(CONNECTIONS):
            await stack.enter_async_context(greedy.ws_connect("/ws"))
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await greedy.ws_connect("/ws")
        assert caught.value.status == 503
        assert caught.value.headers is not None
        assert caught.value.headers["Retry-After"] == "1"
        await stack.enter_async_context(other.ws_connect("/ws"))
        await check_health(chart)


async def subscribe(socket: aiohttp.ClientWebSocketResponse[bool], names: list[str]) -> Any:
    """Subscribe to streams without events; return the reply."""
    await socket.send_json({"method": "SUBSCRIBE", "params": names, "id": 1})
    return await socket.receive_json(timeout=PATIENCE_S)


async def test_a_client_has_a_quarter_of_all_streams(cluster: Cluster, start: StartProgram) -> None:
    chart = start("chart_app", cluster.settings).wait_ready()
    names = [f"{number}@trade" for number in range(MAX_STREAMS)]
    full, rest = divmod(STREAMS_MAX // 4, MAX_STREAMS)
    async with AsyncExitStack() as stack:
        greedy = await stack.enter_async_context(client(chart, GREEDY))
        sockets = [await stack.enter_async_context(greedy.ws_connect("/ws")) for _ in range(full)]
        for it in sockets:
            assert await subscribe(it, names) == {"result": None, "id": 1}
        last = await stack.enter_async_context(greedy.ws_connect("/ws"))
        error = {"code": 2, "msg": "Too many streams of your address"}
        assert await subscribe(last, names[: rest + 1]) == {"error": error, "id": 1}
        assert await subscribe(last, names[:rest]) == {"result": None, "id": 1}
        await check_health(chart)
        other = await stack.enter_async_context(client(chart, OTHER))
        newcomer = await stack.enter_async_context(other.ws_connect("/ws"))
        assert await subscribe(newcomer, names) == {"result": None, "id": 1}
    assert "Traceback" not in chart.log()


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a frame as a client sends it; the mask is 0."""
    length = bytes([len(payload)]) if len(payload) < 126 else struct.pack("!BH", 126, len(payload))
    return bytes([0x80 | opcode, 0x80 | length[0]]) + length[1:] + bytes(4) + payload


def request(method: str) -> bytes:
    """Return the frame of a request of as many streams as there may be."""
    params = [f"{number}@trade" for number in range(MAX_STREAMS)]
    return frame(1, json.dumps({"method": method, "params": params, "id": 1}).encode())


FLOODS = {
    "pings": frame(9, b"") * 20_000,
    "pongs": frame(10, b"") * 20_000,
    "what is no request": frame(1, b"{}") * 20_000,
}


@asynccontextmanager
async def flooded(chart: Program, sent: bytes) -> AsyncIterator[list[bytes]]:
    """Have a client send bytes on WebSockets, one after the other; keep how each ended."""
    ends: list[bytes] = []

    async def flood() -> None:
        while True:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", chart.port, local_addr=(GREEDY, 0)
            )
            lines = ["GET /ws HTTP/1.1", "Host: localhost", *map(": ".join, UPGRADE.items())]
            writer.write("\r\n".join([*lines, "", ""]).encode() + sent)
            received = b""
            try:
                while part := await reader.read(MB):
                    received = (received + part)[-4096:]
            except ConnectionError:
                pass
            finally:
                writer.transport.abort()
            ends.append(received)

    flooding = [asyncio.create_task(flood()) for _ in range(4)]
    try:
        yield ends
    finally:
        for task in flooding:
            task.cancel()
        await asyncio.wait(flooding)


@pytest.mark.parametrize("name", FLOODS)
async def test_too_many_messages_close_a_websocket_and_delay_no_other(
    chart: Program, name: str
) -> None:
    async with flooded(chart, FLOODS[name]) as ends:

        async def are_closed() -> bool:
            await check_health(chart)
            return len(ends) >= 8

        await eventually(are_closed, "the WebSockets are closed")
    for end in ends:
        assert struct.pack("!H", 1008) + b"too many messages: at most 10 a second" in end
    assert "Traceback" not in chart.log()


async def test_subscriptions_without_end_delay_no_other_client(chart: Program) -> None:
    async with flooded(chart, (request("SUBSCRIBE") + request("UNSUBSCRIBE")) * BURST):
        for _ in range(10):
            await check_health(chart)
            await asyncio.sleep(0.1)
    assert "Traceback" not in chart.log()
