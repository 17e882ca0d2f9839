"""Readers of the WebSocket that read slowly, or nothing: what they cost, and what others notice."""

import asyncio
import itertools
import json
import re
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from statistics import median

import pytest
from aiokafka import AIOKafkaProducer

from tests.conftest import Cluster, StartProgram
from tests.integration.sockets import TEXT, SilentReader, Viewer, watch
from tests.programs import Program
from tests.waiting import PATIENCE_S, eventually, in_time

SILENT_READERS = 200
#: As large as a trade's event can be: 64 characters of name, twice 38 digits.
COIN = "BUSY".ljust(64, "x")
NUMBER = "123456789012345678.12345678901234567890"
TRADES, KLINES = f"{COIN}@trade", f"{COIN}@kline_1M"
#: What the silent subscribe to: each trade is 1.6 kB to each of them.
MANY = "/".join(f"{coin}@{kind}" for coin in (COIN, COIN.lower()) for kind in ("trade", "aggTrade"))
#: Trades under way at once: as many as the machine can take, it gets.
TRADES_UNDER_WAY = 20
WARM_UP_S = 3
#: Measured: 45 MB. What waits is 4 MB for each, of events that all of them share.
MEMORY_BOUND_BYTES = 150 * 1024 * 1024
#: Measured: 0.08 s, with the silent readers and before they come; 0.6 s beside a load of 9. Who
#: waited for the silent would wait until those are cut off, more than 20 s.
LATENCY_S = 5
CUT_OFF_S = 300
STOP_S = 5
#: Updates of a running candle that lie in the buffers of a connection that is not read:
#: measured 73, of 800 bytes, and 367 with the buffers as they are by default.
OUT_OF_DATE = 150


_ids = itertools.count(1)


class Tape:
    """Trades of the coin, each with another id, sent to Kafka past trading_app."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self.count = 0
        self._producer = producer
        self._topic = topic

    async def send(self, count: int) -> None:
        """Send trades at once."""
        for _ in range(count):
            self.count += 1
            trade = f'"coinName":"{COIN}","numOfCoin":{NUMBER},"price":{NUMBER}'
            value = f'{{{trade},"tradeId":{next(_ids)}}}'.encode()
            now = time.time_ns() // 1_000_000
            await self._producer.send(self._topic, value, COIN.encode(), timestamp_ms=now)

    async def flow(self, viewer: Viewer, is_enough: asyncio.Event) -> None:
        """Send trades as fast as a viewer is streamed them."""
        while not is_enough.is_set():
            await self.send(TRADES_UNDER_WAY - (self.count - len(viewer.events)))
            await asyncio.sleep(0.02)


@asynccontextmanager
async def tape(cluster: Cluster) -> AsyncIterator[Tape]:
    """Have a tape that ends with the block."""
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.broker.bootstrap_server, linger_ms=5
    ) as producer:
        yield Tape(producer, cluster.topic)


@asynccontextmanager
async def flowing(tape: Tape, viewer: Viewer) -> AsyncIterator[None]:
    """Have trades flow to a viewer."""
    is_enough = asyncio.Event()
    task = asyncio.create_task(tape.flow(viewer, is_enough))
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
    with urllib.request.urlopen(f"{program.url}/metrics", timeout=PATIENCE_S) as answer:
        (number,) = re.findall(
            r"^chart_websockets_open (\S+)$", answer.read().decode(), re.MULTILINE
        )
    return int(float(number))


def latency(viewer: Viewer, first: int) -> float:
    """Return the median of what trades took (s), from the first of interest on.

    The silent would delay them all; when the machine stalls, only some come late.
    """
    waits: list[float] = [arrival - it["T"] / 1000 for arrival, _, it in viewer.events[first:]]
    return median(waits)


def counts_up_to(reader: SilentReader, last: int) -> list[int]:
    """Read klines until one has so many trades; return how many each of them has."""
    counts = []
    for frame in reader.frames():
        if frame.opcode != TEXT:
            continue
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
        async with flowing(trades, healthy):
            await asyncio.sleep(WARM_UP_S)
        await eventually(lambda: has(healthy, trades.count), "the first trades are streamed")
        first, before = trades.count, memory(chart)
        most = before
        with ExitStack() as stack:
            await silent_readers(chart, MANY, SILENT_READERS, stack)
            begin = time.monotonic()
            async with flowing(trades, healthy):
                while await asyncio.to_thread(open_sockets, chart) > 1:
                    most = max(most, memory(chart))
                    assert time.monotonic() - begin < CUT_OFF_S, "the silent are cut off"
                    await asyncio.sleep(0.2)
                most = max(most, memory(chart))
        await eventually(lambda: has(healthy, trades.count), "all trades are streamed")
    ids = [it["t"] for _, _, it in healthy.events]
    assert len(ids) == trades.count
    assert ids == sorted(set(ids)), "each trade once, in their order"
    assert latency(healthy, first) < LATENCY_S
    assert most - before < MEMORY_BOUND_BYTES
    assert "Traceback" not in chart.log()


async def test_who_has_not_read_for_a_while_is_told_how_it_stands_not_all_that_was(
    cluster: Cluster, chart: Program
) -> None:
    updates = 250
    async with tape(cluster) as trades, watch(chart, KLINES) as healthy:
        with ExitStack() as stack:
            (reader,) = await silent_readers(chart, KLINES, 1, stack)
            for _ in range(updates):
                await trades.send(1)
                await asyncio.sleep(0.02)
            await healthy.wait(KLINES, n=updates)
            counts = await asyncio.to_thread(counts_up_to, reader, updates)
    assert counts[-1] == updates
    assert counts == sorted(set(counts))
    assert len(counts) < OUT_OF_DATE


async def test_sigterm_ends_the_program_in_time_however_many_do_not_read(
    cluster: Cluster, start: StartProgram
) -> None:
    async def attempt() -> float:
        chart = start("chart_app", cluster.settings).wait_ready()
        async with tape(cluster) as trades, watch(chart, TRADES) as healthy:
            with ExitStack() as stack:
                await silent_readers(chart, "quiet@trade", SILENT_READERS // 2, stack)
                await silent_readers(chart, TRADES, SILENT_READERS // 2, stack)
                await trades.send(1000)  # 400 kB: their buffers are full
                await eventually(lambda: has(healthy, trades.count), "the trades are streamed")
                assert await asyncio.to_thread(open_sockets, chart) == SILENT_READERS + 1
                duration = await asyncio.to_thread(chart.time_to_end)
            await eventually(lambda: has_ended(healthy), "the healthy reader is told")
            assert healthy.connection.close_code == 1001
        assert "Traceback" not in chart.log()
        return duration

    await in_time(STOP_S, attempt)


async def has_ended(viewer: Viewer) -> bool:
    return viewer.connection.closed
