"""Both programs, as the page's tests use them: trades go in, candles come out."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, Self

import aiohttp
from playwright.async_api import Page

from dev.environment import clean_environment
from tests.conftest import Cluster, StartProgram
from tests.integration.filled_store import Given
from tests.programs import FAUST, ROOT, Program
from tests.waiting import PATIENCE_S, eventually

MINUTE_MS = 60_000


class Candle(NamedTuple):
    """What both the page and REST can say of one."""

    opened: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int

    @classmethod
    def read(cls, opened: str, figures: list[str], trades: int) -> Self:
        """Make one of text: the prices, then the volume."""
        open_, high, low, close, volume = map(Decimal, figures)
        return cls(opened, open_, high, low, close, volume, trades)


class Site:
    """``trading_app`` and ``chart_app``, with a database of their own."""

    def __init__(self, cluster: Cluster, start: StartProgram, folder: Path) -> None:
        self.topic = cluster.topic
        self.settings = {**cluster.settings, "DATA_DIR": str(folder / "data")}
        self.folder = folder
        self.trading: Program = start("trading_app", self.settings).wait_ready()
        self.chart: Program = start("chart_app", self.settings).wait_ready()

    @property
    def url(self) -> str:
        """Return the page's address."""
        return f"{self.chart.url}/"

    async def post(self, *trades: Given) -> None:
        """Post trades, one after the other."""
        async with aiohttp.ClientSession(self.trading.url, raise_for_status=True) as http:
            for coin, time, price, amount, _ in trades:
                fields = {
                    "topic": self.topic,
                    "coinName": coin,
                    "timestamp": time,
                    "price": price,
                    "numOfCoin": amount,
                }
                await http.post("/send-trading-data", json=fields)

    async def replay(self, trades: Iterable[Given]) -> None:
        """Send many trades through a file; return once ``chart_app`` has logged them all."""
        file = self.folder / "trades.csv"
        lines = [f"{coin},{time},{price},{amount}" for coin, time, price, amount, _ in trades]
        file.write_text("\n".join(["coinName,timestamp,price,numOfCoin", *lines]))
        before = len(self.chart.trades())
        program = await asyncio.create_subprocess_exec(
            *(*FAUST, "-A", "trading_app", "replay", str(file), "--speed", "max"),
            cwd=ROOT,
            env={**clean_environment(), **self.settings},
        )
        assert await asyncio.wait_for(program.wait(), PATIENCE_S) == 0

        async def arrived() -> bool:
            return len(self.chart.trades()) >= before + len(lines)

        await eventually(arrived, "chart_app has the trades")

    async def candles(self, coin: str) -> list[Candle]:
        """Return the newest candles by REST, oldest first."""
        return await fetch_candles(self.url, coin)


async def fetch_candles(url: str, coin: str, interval: str = "1m") -> list[Candle]:
    """Return the newest candles, at most 1000, by REST, oldest first."""
    query = {"symbol": coin, "interval": interval, "limit": "1000"}
    async with (
        aiohttp.ClientSession(url, raise_for_status=True) as http,
        http.get("/api/v3/klines", params=query) as answer,
    ):
        rows = await answer.json()
    return [Candle.read(opening(row[0]), row[1:6], row[8]) for row in rows]


def opening(time: int) -> str:
    """Return an open time as the page's table writes it."""
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M")


async def table(page: Page) -> list[Candle]:
    """Return the candles that the page holds, by its own table, oldest first."""
    rows: list[list[str]] = await page.evaluate(
        "[...document.querySelectorAll('#table tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent.replaceAll(',', '')))"
    )
    return [Candle.read(row[0], row[1:6], int(row[6])) for row in reversed(rows)]


async def expect_candles(page: Page, expected: list[Candle]) -> None:
    """Wait until the page's table has these candles and no others."""

    async def same() -> bool:
        return await table(page) == expected

    await eventually(same, f"the page has {len(expected)} candles")
