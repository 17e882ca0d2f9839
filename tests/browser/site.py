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
from tests.programs import FAUST, ROOT, Program
from tests.waiting import PATIENCE_S, eventually

MINUTE_MS = 60_000


class Trade(NamedTuple):
    """What is posted."""

    coin: str
    time: int
    price: str
    amount: str = "1"


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

    async def post(self, *trades: Trade) -> None:
        """Post trades, one after the other."""
        async with aiohttp.ClientSession(self.trading.url, raise_for_status=True) as http:
            for coin, time, price, amount in trades:
                fields = {
                    "topic": self.topic,
                    "coinName": coin,
                    "timestamp": time,
                    "price": price,
                    "numOfCoin": amount,
                }
                await http.post("/send-trading-data", json=fields)

    async def replay(self, trades: Iterable[Trade]) -> None:
        """Send many trades through a file; return once ``chart_app`` has them all."""
        file = self.folder / "trades.csv"
        lines = [f"{coin},{time},{price},{amount}" for coin, time, price, amount in trades]
        file.write_text("\n".join(["coinName,timestamp,price,numOfCoin", *lines]))
        await self.replay_file(file, len(lines))

    async def replay_file(self, file: Path, count: int) -> None:
        """Do as :meth:`replay` with a file that has so many trades."""
        before = len(self.chart.trades())
        await self._run("trading_app", "replay", str(file), "--speed", "max")

        async def arrived() -> bool:
            return len(self.chart.trades()) >= before + count

        await eventually(arrived, "chart_app has the trades")

    async def run(self, *arguments: str) -> None:
        """Run a command of ``chart_app`` that ends well."""
        await self._run("chart_app", *arguments)

    async def _run(self, *arguments: str) -> None:
        program = await asyncio.create_subprocess_exec(
            *(*FAUST, "-A", *arguments), cwd=ROOT, env={**clean_environment(), **self.settings}
        )
        assert await asyncio.wait_for(program.wait(), PATIENCE_S) == 0

    async def candles(self, coin: str, interval: str = "1m", limit: int = 1000) -> list[Candle]:
        """Return the newest candles by REST, oldest first."""
        query = {"symbol": coin, "interval": interval, "limit": str(limit)}
        async with (
            aiohttp.ClientSession(self.chart.url, raise_for_status=True) as http,
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
