"""Whoever reads is told of voids and of their undo, while workers go on."""

import asyncio
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import make_url

from chart_app.market.listing import MAX_AGE_MS
from chart_app.storage.database import Database
from chart_app.storage.errors import WrongStore
from chart_app.storage.voids import NothingToVoid, Outcome, Reason, Selection, Voids
from tests.conftest import Cluster, StartProgram
from tests.integration.databases import TestedDatabase
from tests.integration.happenings import let_happen
from tests.integration.onlooker import WATCHED, Onlooker, check_told
from tests.integration.scene import Scene, scene
from tests.integration.sockets import Viewer, watch
from tests.integration.test_exactly_once import (
    check_rebuild_finds_nothing,
    check_same,
    database,
    stop,
)
from tests.integration.trades import SPAN_MS, START_MS, count_candles, make_records, read_topic
from tests.programs import Program
from tests.waiting import eventually, in_time, wait_for

__all__ = ["database"]  # the fixture

MINUTE_MS = 60_000
COIN = "BTC"
KLINES, MONTHS, TICKERS = f"{COIN}@kline_1m", f"{COIN}@kline_1M", "!miniTicker@arr"
#: Pages of REST, of which each is to be as it was before the wrong trades came.
PAGES = [
    *(f"klines?symbol={COIN}&interval={interval}" for interval in ("1m", "15m", "1d", "1M")),
    *(f"klines?symbol={COIN}&interval=1m&fill=true&endTime=1700000000000", f"trades?symbol={COIN}"),
    *(f"ticker/price?symbol={COIN}", "ticker/price", f"aggTrades?symbol={COIN}&fromId=0"),
]


class Site:
    """Both programs, with two workers of chart_app."""

    def __init__(self, cluster: Cluster, url: str, start: StartProgram) -> None:
        self.topic = cluster.topic
        self.start = start
        self.settings = {**cluster.settings, "DATABASE_URL": url}
        self.trading = start("trading_app", self.settings)
        self.charts = [start("chart_app", self.settings) for _ in range(2)]
        for program in (self.trading, *self.charts):
            wait_for(program.is_ready, "the program is ready")

    async def post(self, time_ms: int, price: str, trade_id: str) -> None:
        """Post a trade."""
        trade = {"topic": self.topic, "coinName": COIN, "price": price, "numOfCoin": "1"}
        trade |= {"timestamp": str(time_ms), "tradeId": trade_id}
        async with aiohttp.ClientSession(self.trading.url, raise_for_status=True) as http:
            await http.post("/send-trading-data", json=trade)

    async def pages(self, chart: Program) -> dict[str, Any]:
        """Return what a worker answers."""
        found = {}
        async with aiohttp.ClientSession(chart.url) as http:
            for path in PAGES:
                async with http.get(f"/api/v3/{path}") as answer:
                    found[path] = answer.status, await answer.json()
        return found

    async def run(self, *arguments: str) -> None:
        """Run a command of chart_app that ends well."""
        program = self.start("chart_app", self.settings, *arguments)
        assert await asyncio.to_thread(program.wait) == 0, program.log()


async def test_who_reads_is_told_of_a_void_and_of_its_undo_within_a_second(
    cluster: Cluster, database_url: str, start: StartProgram
) -> None:
    site = Site(cluster, database_url, start)
    begin = (int(time.time() * 1000) // MINUTE_MS - 60) * MINUTE_MS
    minutes = [begin + number * MINUTE_MS for number in range(4)]
    for number, minute in enumerate(minutes[:2]):
        await site.post(minute, "100", f"good{number}")
    async with watch(site.charts[0], KLINES, MONTHS, TICKERS) as one:
        await one.wait(KLINES, t=minutes[1], n=1)
        right = await site.pages(site.charts[0])
        for number, minute in enumerate(minutes):
            await site.post(minute + 1, "1000000", f"bad{number}")
        await one.wait(KLINES, t=minutes[3], n=1)
        async with watch(site.charts[1], KLINES, MONTHS, TICKERS) as other:
            await other.wait(KLINES, t=minutes[3], n=1)
            await asyncio.sleep(MAX_AGE_MS / 1000)  # answers about all coins are kept as long
            wrong = await site.pages(site.charts[0])
            assert wrong != right
            ids = [it for number in range(4) for it in ("--id", f"bad{number}")]
            states = [
                (right, ["void", "--coin", COIN, *ids, "--why", "wrong"], [1, 1, 0, 0]),
                (wrong, ["void", "--why", "right", "--undo"], [2, 2, 1, 1]),
            ]
            for number, (expected, command, counts) in enumerate(states):
                revision = number + 1
                await site.run(*command, *([str(number)] if number else []))
                for viewer in (one, other):
                    await check_events(viewer, revision, dict(zip(minutes, counts, strict=True)))
                for chart in site.charts:
                    assert await site.pages(chart) == expected
                await site.run("rebuild", "--check")
            await check_in_time(site, one)


async def check_events(viewer: Viewer, revision: int, counts: dict[int, int]) -> None:
    """Wait for the events of a revision: these candles with so many trades, and tickers."""

    async def told() -> bool:
        events = [it for _, name, it in viewer.events if name == KLINES]
        return counts == {it["k"]["t"]: it["k"]["n"] for it in events if it["revision"] == revision}

    await eventually(told, f"the candles are corrected: {counts}")
    price = "100" if revision % 2 else "1000000"
    closes = [data["k"] for _, name, data in viewer.events if name == KLINES][-4:]
    assert all(it["o"] == it["c"] == "100" for it in closes if not it["n"]), closes
    since = told_at(viewer, revision)

    async def is_ticker_told() -> bool:
        return any(
            (it["s"], it["c"]) == (COIN, price)
            for at, name, tickers in viewer.events
            if name == TICKERS and at >= since
            for it in tickers
        )

    await eventually(is_ticker_told, f"the ticker says {price}")

    async def is_month_told() -> bool:
        last = [data for _, name, data in viewer.events if name == MONTHS][-1]
        return (last["revision"], last["k"]["c"]) == (revision, price)

    await eventually(is_month_told, f"the month's candle says {price}")


def told_at(viewer: Viewer, revision: int) -> float:
    """Return when the first event of a revision came."""
    return next(at for at, _, it in viewer.events if "k" in it and it["revision"] == revision)


async def check_in_time(site: Site, viewer: Viewer) -> None:
    """Check that it takes less than a second from the command's end to the event."""
    revision = 2

    async def attempt() -> float:
        nonlocal revision
        await site.run("void", "--coin", COIN, "--id", "bad3", "--why", "wrong")
        done = time.time()
        revision += 1
        await eventually(
            partial(is_told, viewer, revision), f"an event of revision {revision} comes"
        )
        duration = told_at(viewer, revision) - done
        await site.run("void", "--undo", str(revision), "--why", "right")
        revision += 1
        return duration

    await in_time(1, attempt)


async def is_told(viewer: Viewer, revision: int) -> bool:
    return any("k" in it and it["revision"] == revision for _, _, it in viewer.events)


#: As many as are sent at full speed while trades are voided; and more than are sent after that.
AT_ONCE = 16_000
RECORDS = 60_000
VOIDS = 12


@pytest.mark.timeout(1200)
async def test_voids_while_workers_consume_leave_all_right(
    cluster: Cluster, database: TestedDatabase, tmp_path: Path
) -> None:
    records = make_records(RECORDS, repeat_ids=False)
    async with scene(cluster, database, folder=tmp_path, records=records) as it:
        onlookers = [Onlooker(it, number) for number in (0, 1)]
        async with onlookers[0], onlookers[1]:
            await let_happen(it, [void_and_undo], AT_ONCE)
            topic = await read_topic(cluster.broker, cluster.topic)
            await it.wait_consumed({partition: len(read) for partition, read in topic.items()})
            trades = await it.stored_trades()
            assert len(trades) > AT_ONCE / 2
            check_same(await it.stored_candles(), count_candles(trades))
            await check_told(it, onlookers, trades=False)
        assert [it.connections for it in onlookers] == [1, 1]
        await stop(it)
        check_rebuild_finds_nothing(it)


async def void_and_undo(it: Scene) -> None:
    """Void trades of coins, and undo every other void."""
    database = Database(make_url(it.database.url))
    voids, reason = Voids(database), Reason("root", "it was wrong", START_MS)
    chance = random.Random(7)
    try:
        for number in range(VOIDS):

            def select(coin: str = WATCHED[number % 4]) -> Selection:
                return Selection(coin, times=(0, START_MS + chance.randrange(SPAN_MS)))

            made = await eventually(partial(void, voids, select, reason), "there are trades")
            assert made
            if number % 2:
                await voids.undo(made.void.id, reason)
    finally:
        await database.close()


async def void(voids: Voids, select: Callable[[], Selection], reason: Reason) -> Outcome | None:
    try:
        return await voids.void(select(), reason)
    except (NothingToVoid, WrongStore):  # there are no trades yet, or all of these are void
        return None
