"""A store that is filled as chart_app fills it, but without Kafka."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, NamedTuple, Self

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from faust.types import TP
from sqlalchemy import insert, make_url

from chart_app.live.gaps import LiveGaps
from chart_app.market.assets import Markets
from chart_app.market.market_data import MarketData
from chart_app.model.candles import sequence
from chart_app.model.decimals import plain
from chart_app.model.folding import fold_trades
from chart_app.model.trade_ids import trade_id
from chart_app.model.trades import StoredTrade, Trades
from chart_app.rest import binance, openbb, udf
from chart_app.storage import schema
from chart_app.storage.database import Database
from chart_app.storage.reader import StoreReader
from chart_app.storage.write_batch import Change, Checkpoint, WriteBatch
from chart_app.storage.writer import StoreWriter
from chart_app.websocket.hub import Hub
from chart_app.websocket.server import WebSockets
from settings import Settings
from streaming.http.access import ReadOrigins
from streaming.http.clients import Clients

TRADE_DATA = TP("tradeData", 0)
DEFAULTS = Settings(_env_file=None)  # type: ignore[call-arg]
TOPIC_ID = "id-of-tradeData"
#: Of a client.
WEBSOCKETS = 10


class Given(NamedTuple):
    """A trade as it comes: its time in ms, its numbers as text."""

    coin: str
    time: int
    price: str
    amount: str = "1"
    id: str | None = None


@asynccontextmanager
async def serve(history: StoreReader, now_ms: int) -> AsyncIterator[TestClient[web.Request, Any]]:
    """Serve a store over HTTP during the ``async with`` block; the clock stands still."""
    web_app = web.Application()
    markets = Markets(DEFAULTS.quote_assets, DEFAULTS.default_quote_asset)
    market_data = MarketData(history, markets, lambda: now_ms)
    binance.add_routes(web_app, market_data, ReadOrigins(DEFAULTS.read_origins))
    udf.add_routes(web_app, history, DEFAULTS, lambda: now_ms)
    openbb.add_routes(web_app, history, ReadOrigins(DEFAULTS.read_origins))
    hub = Hub(history, LiveGaps(), lambda: now_ms)
    WebSockets(hub, market_data.endpoints, Clients(), WEBSOCKETS).add_routes(web_app)
    async with TestClient(TestServer(web_app)) as client:
        yield client


class FilledStore:
    """A store with one partition, and its reading side. Open it with ``async with``."""

    def __init__(self, url: str, tp: TP = TRADE_DATA) -> None:
        self.database = Database(make_url(url))
        self.writer = StoreWriter(self.database, store_trades=True)
        self.reader = StoreReader(self.database)
        self.tp = tp
        self.checkpoint = Checkpoint(0, "", 0)

    async def __aenter__(self) -> Self:
        await self.writer.open()
        self.checkpoint = (await self.writer.checkpoints({self.tp: TOPIC_ID}))[self.tp]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.database.close()

    def write_batch(self, trades: Sequence[Given]) -> WriteBatch:
        """Return what is to be stored next."""
        first = self.checkpoint.next_offset
        stored = Trades.of(self._stored(given, first + index) for index, given in enumerate(trades))
        return WriteBatch(
            self.tp, self.checkpoint, first + len(trades), stored, fold_trades(stored)
        )

    def _stored(self, given: Given, offset: int) -> StoredTrade:
        price, amount = Decimal(given.price), Decimal(given.amount)
        return StoredTrade(
            given.coin,
            given.time,
            sequence(given.id, offset),
            trade_id(self.checkpoint.partition_id, offset),
            price,
            amount,
            given.id,
            offset,
            plain(price),
            plain(amount),
        )

    async def add_old_coins(self, *names: str) -> None:
        """Add coins as versions before 0.3.0 did, whatever their names."""
        rows = [
            {"coin": name, "folded": name.casefold(), "price_scale": 0, "amount_scale": 0}
            for name in names
        ]
        await self.database.write(lambda connection: connection.execute(insert(schema.coins), rows))

    async def feed(self, *trades: Given) -> Change:
        """Store trades as one batch."""
        write_batch = self.write_batch(trades)
        change = await self.writer.apply(write_batch)
        self.checkpoint = self.checkpoint._replace(next_offset=write_batch.next_offset)
        return change
