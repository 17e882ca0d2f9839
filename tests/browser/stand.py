"""chart_app's side of HTTP over a store that a test fills: a page in a second, without Kafka."""

import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import make_url

from chart_app.live import messages
from chart_app.live.corrections import Corrections
from chart_app.live.gaps import LiveGaps
from chart_app.market.assets import Markets
from chart_app.market.market_data import MarketData
from chart_app.rest import binance
from chart_app.storage.database import Database
from chart_app.storage.voids import Voids
from chart_app.web import login, routes
from chart_app.websocket.hub import Hub
from chart_app.websocket.server import WebSockets
from streaming.http.access import ReadOrigins
from streaming.http.admission import Admission
from streaming.http.clients import Clients
from tests.integration.filled_store import DEFAULTS, FilledStore, Given
from tests.waiting import eventually

#: Of a client.
WEBSOCKETS = 100


class Stand:
    """The page, the market data and the streams of one store. Open it with ``async with``.

    ``now_ms`` stops the store's clock where it is set. What a page does while Kafka or a program
    is away is for :class:`tests.browser.site.Site`.
    """

    def __init__(self, folder: Path) -> None:
        self.now_ms: int | None = None
        self.is_ready = True
        url = f"sqlite+aiosqlite:///{folder}/candles.sqlite"
        self._store = FilledStore(url)
        self._void_database = Database(make_url(url))
        self.voids = Voids(self._void_database)
        gaps = LiveGaps()
        gaps.start({})
        self._hub = Hub(self._store.reader, gaps, self._now)
        self._corrections = Corrections(self._store.reader, self._hub)
        self._server = TestServer(self._web_app())

    def _now(self) -> int:
        return int(time.time() * 1000) if self.now_ms is None else self.now_ms

    def _web_app(self) -> web.Application:
        web_app = web.Application()
        markets = Markets(DEFAULTS.quote_assets, DEFAULTS.default_quote_asset)
        market_data = MarketData(self._store.reader, markets, self._now)
        binance.add_routes(web_app, market_data, ReadOrigins(DEFAULTS.read_origins))
        WebSockets(self._hub, market_data.endpoints, Clients(), WEBSOCKETS).add_routes(web_app)
        routes.add_routes(web_app, routes.TradingApp())
        login.add_routes(web_app, Admission({}, public=[]), Clients())
        web_app.router.add_get("/readyz", self._readyz)
        return web_app

    async def _readyz(self, _: web.Request) -> web.Response:
        return web.json_response({}, status=200 if self.is_ready else 503)

    async def __aenter__(self) -> Self:
        await self._store.__aenter__()
        await self._hub.start()
        await self._corrections.start()
        await self._server.start_server()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.close()
        await self._corrections.stop()
        await self._hub.stop()
        await self._void_database.close()
        await self._store.__aexit__(kind, error, traceback)

    @property
    def url(self) -> str:
        """Return the page's address."""
        return str(self._server.make_url("/"))

    async def feed(self, trades: Iterable[Given]) -> None:
        """Store trades as one transaction, and hand them to the streams."""
        change = await self._store.feed(*trades)
        for coin, part in messages.by_coin(change, self._hub.note_traded(change.coins)):
            self._hub.handle_change(coin, part)

    async def wait_for_tickers(self) -> None:
        """Wait until the tickers of what was traded go to all who read them by now."""

        async def go_out() -> bool:
            return not self._hub._traded

        await eventually(go_out, "the next tickers go out")
