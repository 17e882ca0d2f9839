"""Answers about all of 10,000 coins, over SQLite and PostgreSQL.

``python -m bench.coins``: what one asks for that nobody else has asked for in the second before,
from the question to the last byte; the same for 50 who ask at once; and how long all others wait
meanwhile: the longest turn of the event loop. Once with a trade a coin, once with eight in 24
hours. The clients run in the same process.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import uvloop
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bench import machine, postgresql, report
from bench.postgresql import running_postgresql, temporary_database
from bench.processes import end_on_signals
from chart_app.market.assets import Markets
from chart_app.market.listing import MAX_AGE_MS
from chart_app.market.market_data import MarketData
from chart_app.model.intervals import DAY_MS, HOUR_MS
from chart_app.rest import binance
from chart_app.storage.reader import StoreReader
from chart_app.websocket.channels import make_channel
from chart_app.websocket.events import TICKERS, Burst, Event
from chart_app.websocket.streams import Kind, Stream
from chart_app.websocket.tickers import TickerRound
from streaming import runtime
from streaming.clock import now_ms
from streaming.http.access import ReadOrigins
from tests.integration.filled_store import DEFAULTS, FilledStore, Given

COINS = 10_000
TRADES_EACH = (1, 8)
ROUNDS = 15
ASKERS = 50
BATCH = 2000
WATCH_INTERVAL_S = 0.001
BAR_MS = 300.0
ENDPOINTS = ("exchangeInfo", "ticker/price", "ticker/24hr")
EVENT = "!miniTicker@arr"

Client = TestClient[web.Request, web.Application]


class Clock:
    """Tells the time, and can be put forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        """Return the time in ms."""
        return now_ms() + self.ahead_ms


class Reader:
    """Counts the bytes that it is sent."""

    def __init__(self) -> None:
        self.bytes = 0

    def push(self, event: Event) -> None:
        """Take an event."""
        self.bytes += len(event.bare)

    def push_all(self, burst: Burst) -> None:
        """Take several events."""
        self.bytes += sum(map(len, burst.bare))


class Figures(NamedTuple):
    """Times in ms, of each round, and the size of the answer."""

    alone: list[float]
    at_once: list[float]
    kept: list[float]
    bytes: int


def main() -> None:
    """Measure, print the table, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--coins", type=int, default=COINS)
    arguments = parser.parse_args()
    end_on_signals()
    runtime.set_up()
    found: dict[str, dict[str, Figures]] = {}
    with running_postgresql() as server:
        facts = {
            "machine": machine.describe(),
            "postgresql": asyncio.run(postgresql.settings(server)),
            "coins": arguments.coins,
        }
        for trades in TRADES_EACH:
            with TemporaryDirectory(prefix="bench-") as folder, temporary_database(server) as url:
                sqlite = f"sqlite:///{Path(folder) / 'chart.sqlite'}"
                for name, address in (("SQLite", sqlite), ("PostgreSQL", url)):
                    case = f"{name}, {trades} a coin"
                    measuring = measure(address, arguments.coins, trades, arguments.rounds)
                    found[case] = uvloop.run(measuring)
                    print(f"{case}: measured", flush=True)
    sys.exit(0 if conclude(found, facts) else 1)


async def measure(url: str, coins: int, trades: int, rounds: int) -> dict[str, Figures]:
    """Return the figures of a new store, by endpoint or stream."""
    async with FilledStore(url) as store:
        names = [f"COIN{number:05}USDT" for number in range(coins)]
        await fill(store, names, trades)
        clock = Clock()
        async with serve(store.reader, clock) as client:
            found = {}
            for endpoint in ENDPOINTS:

                async def ask(path: str = f"/api/v3/{endpoint}") -> int:
                    async with client.get(path) as answer:
                        assert answer.status == 200, await answer.text()
                        return len(await answer.read())

                found[endpoint] = await measure_asking(ask, clock, rounds)
        found[EVENT] = await measure_events(store.reader, names, rounds)
        return found


async def fill(store: FilledStore, names: list[str], trades: int) -> None:
    """Store trades of each coin, the last one now, the others three hours apart."""
    now = now_ms()
    given = [
        Given(name, now - number * 3 * HOUR_MS, f"{1 + index % 9973}.25", f"{1 + index % 97}.125")
        for number in range(trades)
        for index, name in enumerate(names)
    ]
    assert trades * 3 * HOUR_MS <= DAY_MS
    for start in range(0, len(given), BATCH):
        await store.feed(*given[start : start + BATCH])


@asynccontextmanager
async def serve(reader: StoreReader, clock: Clock) -> AsyncIterator[Client]:
    """Serve REST during the ``async with`` block."""
    web_app = web.Application()
    markets = Markets(DEFAULTS.quote_assets, DEFAULTS.default_quote_asset)
    market_data = MarketData(reader, markets, clock)
    binance.add_routes(web_app, market_data, ReadOrigins(DEFAULTS.read_origins))
    async with TestClient(TestServer(web_app)) as client:
        yield client


async def measure_asking(ask: Callable[[], Awaitable[int]], clock: Clock, rounds: int) -> Figures:
    """Return the figures of an endpoint."""
    figures = Figures([], [], [], await ask())
    for _ in range(rounds):
        clock.ahead_ms += MAX_AGE_MS
        took, kept = await timed(ask)
        figures.alone.append(took)
        figures.kept.append(kept)
        clock.ahead_ms += MAX_AGE_MS
        took, _ = await timed(lambda: asyncio.gather(*(ask() for _ in range(ASKERS))))
        figures.at_once.append(took)
    return figures


async def measure_events(reader: StoreReader, names: list[str], rounds: int) -> Figures:
    """Return the figures of a stream of all coins after all were traded, to 1 reader and 50."""
    figures: dict[int, Figures] = {}

    async def send(readers: list[Reader]) -> None:
        channel = make_channel(Stream(EVENT, Kind.MINI_TICKER, ""), now_ms, lambda _: True)
        for it in readers:
            channel.add(it)
        tickers = TickerRound([channel], TICKERS[DAY_MS])
        async for windows in reader.windows_in_pieces(now_ms(), names):
            tickers.send(windows, now_ms())

    for count in (1, ASKERS):
        figures[count] = Figures([], [], [], 0)
        for _ in range(rounds):
            readers = [Reader() for _ in range(count)]
            took, kept = await timed(lambda readers=readers: send(readers))  # type: ignore[misc]
            figures[count].alone.append(took)
            figures[count].kept.append(kept)
    return Figures(figures[1].alone, figures[ASKERS].alone, figures[1].kept, readers[0].bytes)


async def timed(do: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Return how long something takes, and the longest that it keeps the event loop, in ms."""
    longest_s = 0.0

    async def watch() -> None:
        nonlocal longest_s
        while True:
            start = time.perf_counter()
            await asyncio.sleep(WATCH_INTERVAL_S)
            longest_s = max(longest_s, time.perf_counter() - start - WATCH_INTERVAL_S)

    watching = asyncio.create_task(watch())
    start = time.perf_counter()
    await do()
    took_s = time.perf_counter() - start
    watching.cancel()
    return took_s * 1000, longest_s * 1000


def conclude(found: dict[str, dict[str, Figures]], facts: dict[str, Any]) -> bool:
    """Print and save the results; return whether we meet the bars."""
    rows, bars, results = [], [], {}
    for case, by_name in found.items():
        for name, figures in by_name.items():
            ms = {
                "alone": report.of_rounds(figures.alone, 1),
                f"{ASKERS} at once": report.of_rounds(figures.at_once, 1),
                "longest turn": report.of_rounds(figures.kept, 1),
            }
            medians = [f"{it['median']:,.0f}" for it in ms.values()]
            rows.append([f"{name}, {case}", *medians, f"{figures.bytes / 1e6:.1f}"])
            bars.append(report.at_most(f"{name}, {case}, ms", ms["alone"]["median"], BAR_MS))
            results[f"{name}, {case}"] = {"bytes": figures.bytes, "ms": ms}
    header = ["ms, medians", "alone", f"{ASKERS} at once", "longest turn", "MB"]
    print(f"\n{report.table(header, rows)}\n")
    file = report.save("coins", {**facts, "answers": results, "bars": bars})
    return report.print_verdicts(bars, file)


if __name__ == "__main__":
    main()
