"""Readers of the WebSocket that read slowly, or nothing: what they cost, and what others notice."""

import asyncio
import json
import os
import re
import signal
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaProducer

from tests.conftest import Cluster, StartProgram
from tests.integration.sockets import CLOSE, SilentReader, Viewer, watch
from tests.programs import Program
from tests.waiting import eventually

SILENT_READERS = 200
#: As large as a trade's event can be: 64 characters of name, twice 38 digits.
COIN = "BUSY".ljust(64, "x")
NUMBER = "123456789012345678.12345678901234567890"
TRADES, KLINES = f"{COIN}@trade", f"{COIN}@kline_1M"
#: What the silent subscribe to: each trade is 1.6 kB to each of them.
MANY = "/".join(f"{coin}@{kind}" for coin in (COIN, COIN.lower()) for kind in ("trade", "aggTrade"))
#: On a slow machine of two cores, of which Kafka and these readers take their share.
TRADES_PER_SECOND = 300
WARM_UP_S = 3
#: Measured: 45 MB. What waits is 4 MB for each, of events that all of them share.
MEMORY_BOUND_BYTES = 150 * 1024 * 1024
#: Measured: 0.17 s with the silent readers and 0.21 s before they come.
LATENCY_P99_S = 1.0
CUT_OFF_S = 90
STOP_S = 5
#: Updates of a running candle that lie in the buffers of a connection that is not read:
#: measured 73, of 800 bytes, and 367 with the buffers as they are by default.
OUT_OF_DATE = 150


class Tape:
    """Trades of the coin, sent to Kafka past trading_app."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self.count = 0
        self._producer = producer
        self._topic = topic

    async def send(self, count: int) -> None:
        """Send trades at once."""
        for _ in range(count):
            self.count += 1
            trade = f'"coinName":"{COIN}","numOfCoin":{NUMBER},"price":{NUMBER}'
            value = f'{{{trade},"tradeId":{self.count}}}'.encode()
            now = time.time_ns() // 1_000_000
            await self._producer.send(self._topic, value, COIN.encode(), timestamp_ms=now)

    async def flow(self, is_enough: asyncio.Event) -> None:
        """Send trades steadily."""
        begin, before = time.monotonic(), self.count
        while not is_enough.is_set():
            due = int((time.monotonic() - begin) * TRADES_PER_SECOND)
            await self.send(due - (self.count - before))
            await asyncio.sleep(0.02)


@asynccontextmanager
async def tape(cluster: Cluster) -> AsyncIterator[Tape]:
    """Have a tape that ends with the block."""
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.broker.bootstrap_server, linger_ms=5
    ) as producer:
        yield Tape(producer, cluster.topic)


@asynccontextmanager
async def flowing(tape: Tape) -> AsyncIterator[None]:
    """Have trades flow."""
    is_enough = asyncio.Event()
    task = asyncio.create_task(tape.flow(is_enough))
    try:
        yield
    finally:
        is_enough.set()
        await task


def memory(program: Program) -> int:
    """Return the bytes that a program has in memory."""
    assert program.process is not None
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    (kilobytes,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
    return int(kilobytes) * 1024


def open_sockets(program: Program) -> int:
    """Return what the program says of its open WebSockets."""
    with urllib.request.urlopen(f"{program.url}/metrics", timeout=10) as answer:
        (number,) = re.findall(
            r"^chart_websockets_open (\S+)$", answer.read().decode(), re.MULTILINE
        )
    return int(float(number))


def p99_latency(viewer: Viewer, first: int) -> float:
    """Return what 99 of 100 trades took at most (s), from the first of interest on."""
    events = viewer.events[first:]
    waits: list[float] = sorted(arrival - it["T"] / 1000 for arrival, _, it in events)
    return waits[len(waits) * 99 // 100]


class End(NamedTuple):
    """How a connection ended."""

    code: int | None
    reason: str


def read_to_the_end(reader: SilentReader) -> End:
    """Read what is left of a connection."""
    for frame in reader.frames():
        if frame.opcode == CLOSE:
            return End(int.from_bytes(frame.payload[:2]), frame.payload[2:].decode())
    return End(None, "")


def counts_up_to(reader: SilentReader, last: int) -> list[int]:
    """Read klines until one has so many trades; return how many each of them has."""
    counts = []
    for frame in reader.frames():
        counts.append(json.loads(frame.payload)["data"]["k"]["n"])
        if counts[-1] == last:
            break
    return counts


async def silent_readers(
    chart: Program, stream: str, count: int, stack: ExitStack
) -> list[SilentReader]:
    """Open connections that subscribe to a stream and read nothing."""

    def open_all() -> list[SilentReader]:
        path = f"/stream?streams={stream}"
        return [stack.enter_context(SilentReader(chart, path)) for _ in range(count)]

    return await asyncio.to_thread(open_all)


async def has(viewer: Viewer, count: int) -> bool:
    return len(viewer.events) >= count


@pytest.fixture
def chart(cluster: Cluster, start: StartProgram) -> Program:
    """Run a worker."""
    return start("chart_app", cluster.settings).wait_ready()


async def test_who_reads_nothing_is_cut_off_and_nobody_else_notices(
    cluster: Cluster, chart: Program
) -> None:
    async with tape(cluster) as trades, watch(chart, TRADES) as healthy:
        async with flowing(trades):
            await asyncio.sleep(WARM_UP_S)
        await eventually(lambda: has(healthy, trades.count), 60, "the first trades are streamed")
        first, before = trades.count, memory(chart)
        most = before
        with ExitStack() as stack:
            readers = await silent_readers(chart, MANY, SILENT_READERS, stack)
            begin = time.monotonic()
            async with flowing(trades):
                while await asyncio.to_thread(open_sockets, chart) == SILENT_READERS + 1:
                    most = max(most, memory(chart))
                    assert time.monotonic() - begin < CUT_OFF_S, "the silent are cut off"
                    await asyncio.sleep(0.2)
                end = await asyncio.to_thread(read_to_the_end, readers[0])
                most = max(most, memory(chart))
            assert await asyncio.to_thread(open_sockets, chart) == 1
        await eventually(lambda: has(healthy, trades.count), 60, "all trades are streamed")
    assert end == (1008, "too slow: too much waits to be sent")
    ids = [it["t"] for _, _, it in healthy.events]
    assert len(ids) == trades.count
    assert ids == sorted(set(ids)), "each trade once, in their order"
    busyness = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # others may use the machine
    assert p99_latency(healthy, first) < LATENCY_P99_S * busyness
    assert most - before < MEMORY_BOUND_BYTES
    assert "Traceback" not in chart.log()


async def test_who_has_not_read_for_a_while_is_told_how_it_stands_not_all_that_was(
    cluster: Cluster, chart: Program
) -> None:
    updates = 500
    async with tape(cluster) as trades, watch(chart, KLINES) as healthy:
        with ExitStack() as stack:
            (reader,) = await silent_readers(chart, KLINES, 1, stack)
            for _ in range(updates):
                await trades.send(1)
                await asyncio.sleep(0.02)
            await healthy.wait(KLINES, timeout_s=60, n=updates)
            counts = await asyncio.to_thread(counts_up_to, reader, updates)
    assert counts[-1] == updates
    assert counts == sorted(set(counts))
    assert len(counts) < OUT_OF_DATE


async def test_sigterm_ends_the_program_in_time_however_many_do_not_read(
    cluster: Cluster, chart: Program
) -> None:
    async with tape(cluster) as trades, watch(chart, TRADES) as healthy:
        with ExitStack() as stack:
            await silent_readers(chart, "quiet@trade", SILENT_READERS // 2, stack)
            await silent_readers(chart, TRADES, SILENT_READERS // 2, stack)
            await trades.send(1000)  # 400 kB: their buffers are full
            await eventually(lambda: has(healthy, trades.count), 60, "the trades are streamed")
            assert await asyncio.to_thread(open_sockets, chart) == SILENT_READERS + 1
            begin = time.monotonic()
            chart.signal(signal.SIGTERM)
            assert await asyncio.to_thread(chart.wait, 2 * STOP_S) == 0
            assert time.monotonic() - begin < STOP_S
        await eventually(lambda: has_ended(healthy), 5, "the healthy reader is told")
        assert healthy.connection.close_code == 1001
    assert "Traceback" not in chart.log()


async def has_ended(viewer: Viewer) -> bool:
    return viewer.connection.closed
