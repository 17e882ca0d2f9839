"""A store that is filled as chart_app fills it, but without Kafka."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, NamedTuple, Self

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from faust.types import TP
from sqlalchemy import make_url

from chart_app.model.candles import sequence
from chart_app.model.trades import StoredTrade, Trades
from chart_app.rest import binance, udf
from chart_app.storage.database import Database
from chart_app.storage.reader import History
from chart_app.storage.schema import plain, trade_id
from chart_app.storage.write_batch import Change, Portion, Progress, fold_trades
from chart_app.storage.writer import Store
from settings import Settings

TRADE_DATA = TP("tradeData", 0)
DEFAULTS = Settings(_env_file=None)  # type: ignore[call-arg]
TOPIC_ID = "id-of-tradeData"


class Given(NamedTuple):
    """A trade as it comes: its time in ms, its numbers as text."""

    coin: str
    time: int
    price: str
    amount: str = "1"
    id: str | None = None


@asynccontextmanager
async def serve(history: History, now_ms: int) -> AsyncIterator[TestClient[web.Request, Any]]:
    """Serve a store over HTTP during the ``async with`` block; the clock stands still."""
    web_app = web.Application()
    binance.add_routes(web_app, history, DEFAULTS, lambda: now_ms)
    udf.add_routes(web_app, history, DEFAULTS, lambda: now_ms)
    async with TestClient(TestServer(web_app)) as client:
        yield client


class FilledStore:
    """A store with one partition, and its reading side. Open it with ``async with``."""

    def __init__(self, url: str, tp: TP = TRADE_DATA) -> None:
        self.database = Database(make_url(url))
        self.store = Store(self.database, store_trades=True)
        self.history = History(self.database)
        self.tp = tp
        self.progress = Progress(0, "", 0)

    async def __aenter__(self) -> Self:
        await self.store.open()
        self.progress = (await self.store.progress({self.tp: TOPIC_ID}))[self.tp]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.database.close()

    def portion(self, trades: Sequence[Given]) -> Portion:
        """Return what is to be stored next."""
        first = self.progress.next_offset
        stored = Trades.of(self._stored(given, first + place) for place, given in enumerate(trades))
        return Portion(self.tp, self.progress, first + len(trades), stored, fold_trades(stored))

    def _stored(self, given: Given, offset: int) -> StoredTrade:
        price, amount = Decimal(given.price), Decimal(given.amount)
        return StoredTrade(
            given.coin,
            given.time,
            sequence(given.id, offset),
            trade_id(self.progress.log, offset),
            price,
            amount,
            given.id,
            offset,
            plain(price),
            plain(amount),
        )

    async def feed(self, *trades: Given) -> Change:
        """Store trades as one batch."""
        portion = self.portion(trades)
        change = await self.store.apply(portion)
        self.progress = self.progress._replace(next_offset=portion.next_offset)
        return change
