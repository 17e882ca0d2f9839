"""More connections than there may be open files, and connections that say nothing."""

import asyncio
import resource
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from streaming.http.connections import BACKLOG, HEAD_TIMEOUT_S
from tests.conftest import Cluster, StartProgram
from tests.programs import Program
from tests.waiting import PATIENCE_S, eventually, wait_for

FILES = 1024
FLOOD = 1100
BURST = BACKLOG - 24
HALF_HEADS = 900
#: So many that none of them has more connections than a client may have.
CLIENTS = 8
HALF_HEAD = b"GET /healthz HTTP/1.1\r\nHost: loc"
PACKAGES = ["trading_app", "chart_app"]


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    """Let the test itself have as many files open as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def many(program: Program, count: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """Open connections of some clients as fast as it goes, and send something on each."""
    with ExitStack() as stack:
        sockets = []
        for number in range(count):
            local = (f"127.0.0.{2 + number % CLIENTS}", 0)
            address = ("127.0.0.1", program.port)
            client = stack.enter_context(socket.create_connection(address, None, local))
            client.settimeout(PATIENCE_S)
            sockets.append(client)
            if sent:
                client.sendall(sent)
        yield sockets


def is_closed(client: socket.socket) -> bool:
    """Wait for the end of a connection."""
    try:
        while client.recv(1024):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def open_files(program: Program) -> int:
    """Return how many files a program has open."""
    assert program.process is not None
    return len(list(Path(f"/proc/{program.process.pid}/fd").iterdir()))


async def get(http: aiohttp.ClientSession, url: str) -> int:
    """Return the status of a page."""
    async with http.get(url) as answer:
        await answer.read()
        return answer.status


def check_log(program: Program) -> None:
    """Fail the test if something went wrong."""
    log = program.log()
    assert "Traceback" not in log
    assert "Too many open files" not in log
    assert "EMFILE" not in log


async def test_a_flood_of_connections_stops_nothing(cluster: Cluster, start: StartProgram) -> None:
    programs = [start(package, cluster.settings, open_files=FILES) for package in PACKAGES]
    for program in programs:
        program.wait_ready()
    trading, chart = programs
    trade: dict[str, Any] = {"topic": cluster.topic, "coinName": "BTC", "price": 1, "numOfCoin": 2}
    async with aiohttp.ClientSession() as user:
        for program in programs:
            assert await get(user, f"{program.url}/healthz") == 200

        async def check_service(trades: int) -> None:
            async with user.post(f"{trading.url}/send-trading-data", json=trade) as answer:
                assert answer.status == 201
            wait_for(lambda: len(chart.trades()) == trades, "the trade is logged")
            async with aiohttp.ClientSession() as newcomer:
                for program in programs:
                    for client in (newcomer, user):
                        assert await get(client, f"{program.url}/healthz") == 200
                    wait_for(program.is_ready, "it is ready")

                async def has_the_trade() -> bool:
                    url = f"{chart.url}/api/v3/trades?symbol=BTC"
                    async with newcomer.get(url) as answer:
                        return answer.status == 200 and len(await answer.json()) == trades

                await eventually(has_the_trade, "the trade is stored")

        await check_service(1)
        with many(trading, FLOOD), many(chart, FLOOD):
            await check_service(2)
            for program in programs:
                assert open_files(program) < FILES - 100
                assert "connections that are allowed are in use" in program.log()
        await check_service(3)
    for program in programs:
        check_log(program)


@pytest.mark.parametrize("package", PACKAGES)
async def test_a_burst_that_meets_a_program_held_up_keeps_nobody_out(
    cluster: Cluster, start: StartProgram, package: str
) -> None:
    program = start(package, cluster.settings, open_files=FILES).wait_ready()
    program.signal(signal.SIGSTOP)
    with many(program, BURST):
        program.signal(signal.SIGCONT)
        async with aiohttp.ClientSession() as newcomer:
            assert await get(newcomer, f"{program.url}/healthz") == 200
        assert open_files(program) < FILES - 100
    check_log(program)


@pytest.mark.parametrize("package", PACKAGES)
async def test_half_a_head_has_ten_seconds(
    cluster: Cluster, start: StartProgram, package: str
) -> None:
    program = start(package, cluster.settings, open_files=FILES).wait_ready()
    before = open_files(program)
    with many(program, HALF_HEADS, HALF_HEAD) as clients:
        begin = time.monotonic()
        async with aiohttp.ClientSession() as http:
            assert await get(http, f"{program.url}/healthz") == 200
        assert await asyncio.to_thread(lambda: all(map(is_closed, clients)))
        assert time.monotonic() - begin > HEAD_TIMEOUT_S / 2
        wait_for(lambda: open_files(program) < before + 20, "their files are closed")
    check_log(program)
