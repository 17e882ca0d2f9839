"""Market data over REST, in the format of Binance's spot API: ``/api/v3/…``."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import web

from chart_app.model import binance_formats
from chart_app.model.coins import Coin
from chart_app.rest import parameters, shapes
from chart_app.rest.endpoints import add_endpoint
from chart_app.rest.listing import Listing
from chart_app.rest.market import Markets
from chart_app.rest.parameters import BadRequest, InvalidSymbol
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.pieces import in_turns
from chart_app.storage.reader import Range, StoreReader
from settings import Settings
from streaming.clock import NowMs
from streaming.http.access import ReadOrigins
from streaming.http.responses import Handler, json_response

ROOT = "/api/v3"
#: Binance's UNAUTHORIZED.
UNAUTHORIZED = -1002
#: Binance's DISCONNECTED.
UNAVAILABLE = (-1001, "The store does not answer; try again later.")

#: Returns the content of a response; a str, or bytes, are JSON already.
Endpoint = Callable[[web.Request], Awaitable[Any]]


def add_routes(
    web_app: web.Application, reader: StoreReader, settings: Settings, now_ms: NowMs
) -> None:
    """Add the routes."""
    rest = Rest(reader, Markets(settings.quote_assets, settings.default_quote_asset), now_ms)
    endpoints: dict[str, Endpoint] = {
        "ping": rest.ping,
        "time": rest.time,
        "exchangeInfo": rest.exchange_info,
        "klines": rest.klines,
        "uiKlines": rest.klines,
        "trades": rest.trades,
        "historicalTrades": rest.historical_trades,
        "aggTrades": rest.agg_trades,
        "ticker/price": rest.ticker_price,
        "ticker/24hr": rest.ticker_24hr,
    }
    web_app.on_cleanup.append(rest.close)
    origins = ReadOrigins(settings.read_origins)
    for path, endpoint in endpoints.items():
        add_endpoint(web_app, f"{ROOT}/{path}", _handler(endpoint), origins)


class Rest:
    """The endpoints. Each returns the content of the response; a str, or bytes, are JSON already.

    They raise :exc:`BadRequest` and :exc:`StoreUnavailable`.
    """

    def __init__(self, reader: StoreReader, markets: Markets, now_ms: NowMs) -> None:
        self._reader = reader
        self._markets = markets
        self._now_ms = now_ms
        #: All coins.
        self._exchange_info = Listing(self._symbols, now_ms, self._about_exchange)
        self._prices = Listing(self._read_prices, now_ms)
        self._tickers = Listing(self._read_tickers, now_ms)

    async def close(self, _: web.Application) -> None:
        """End what is still computed."""
        for listing in (self._exchange_info, self._prices, self._tickers):
            await listing.close()

    async def ping(self, _: web.Request) -> dict[str, Any]:
        """Return an empty object: the server is up."""
        return {}

    async def time(self, _: web.Request) -> dict[str, Any]:
        """Return the time of the server."""
        return {"serverTime": self._now_ms()}

    async def exchange_info(self, request: web.Request) -> Any:
        """Return the coins as symbols."""
        wanted = await self._find_coins(parameters.symbols(request.query))
        if wanted is None:
            return await self._exchange_info.get()
        return self._about_exchange([self._symbol(it) for it in await self._reader.coins(wanted)])

    def _about_exchange(self, symbols: Any) -> dict[str, Any]:
        return {
            "timezone": "UTC",
            "serverTime": self._now_ms(),
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": symbols,
        }

    def _symbol(self, coin: Coin) -> dict[str, Any]:
        return shapes.symbol(coin, self._markets.market(coin.name))

    async def _symbols(self) -> AsyncIterator[list[dict[str, Any]]]:
        async for coins in in_turns(await self._reader.coins()):
            yield [self._symbol(coin) for coin in coins]

    async def klines(self, request: web.Request) -> Any:
        """Return candles."""
        query = request.query
        symbol = parameters.required_symbol(query)
        interval = parameters.interval(query)
        wanted = _range(query)
        filled = parameters.flag(query, "fill")
        coin = await self._find_coin(symbol)
        if not filled:
            return await self._reader.klines(coin, interval, **wanted)
        now = self._now_ms()
        candles = await self._reader.filled_candles(coin, interval, now, **wanted)
        return [binance_formats.kline_row(interval, *it) for it in candles]

    async def trades(self, request: web.Request) -> list[dict[str, Any]]:
        """Return the newest trades."""
        symbol = parameters.required_symbol(request.query)
        limit = parameters.limit(request.query)
        found = await self._reader.trades(await self._find_coin(symbol), limit=limit)
        return [binance_formats.trade_row(it) for it in found]

    async def historical_trades(self, request: web.Request) -> list[dict[str, Any]]:
        """Return the newest trades, or those from an id on."""
        symbol = parameters.required_symbol(request.query)
        from_id = parameters.integer(request.query, "fromId")
        limit = parameters.limit(request.query)
        coin = await self._find_coin(symbol)
        found = await self._reader.trades(coin, from_id=from_id, limit=limit)
        return [binance_formats.trade_row(it) for it in found]

    async def agg_trades(self, request: web.Request) -> list[dict[str, Any]]:
        """Return the newest trades, those from an id on, or those of a range of time."""
        query = request.query
        symbol = parameters.required_symbol(query)
        from_id = parameters.integer(query, "fromId")
        wanted = _range(query)
        if from_id is not None and (wanted["start"], wanted["end"]) != (None, None):
            raise BadRequest(-1128, "Combination of optional parameters invalid.")
        found = await self._reader.trades(await self._find_coin(symbol), from_id=from_id, **wanted)
        return [binance_formats.agg_trade_row(it) for it in found]

    async def ticker_price(self, request: web.Request) -> Any:
        """Return the last price of a coin, of some, or of all."""
        symbols = parameters.symbols(request.query)
        wanted = await self._find_coins(symbols)
        if wanted is None:
            return await self._prices.get()
        prices = [shapes.price(*it) for it in await self._reader.prices(wanted)]
        return _only(prices) if parameters.symbol(request.query) else prices

    async def _read_prices(self) -> AsyncIterator[list[dict[str, Any]]]:
        async for prices in in_turns(await self._reader.prices()):
            yield [shapes.price(*it) for it in prices]

    async def ticker_24hr(self, request: web.Request) -> Any:
        """Return the last 24 hours of a coin, of some, or of all."""
        symbols = parameters.symbols(request.query)
        wanted = await self._find_coins(symbols)
        if wanted is None:
            return await self._tickers.get()
        tickers = [shapes.ticker(it) for it in await self._reader.days(self._now_ms(), wanted)]
        return _only(tickers) if parameters.symbol(request.query) else tickers

    async def _read_tickers(self) -> AsyncIterator[list[dict[str, Any]]]:
        names = [coin.name for coin in await self._reader.coins()]
        async for days in self._reader.days_in_pieces(self._now_ms(), names):
            yield [shapes.ticker(day) for day in days]

    async def _find_coin(self, symbol: str) -> str:
        name = await self._reader.find_coin(symbol)
        if name is None:
            raise InvalidSymbol
        return name

    async def _find_coins(self, symbols: list[str] | None) -> set[str] | None:
        if symbols is None:
            return None
        found = await self._reader.find_coins(symbols)
        if not found.keys() >= set(symbols):
            raise InvalidSymbol
        return set(found.values())


def _only(items: list[dict[str, Any]]) -> dict[str, Any]:
    if not items:
        raise InvalidSymbol
    return items[0]


def _range(query: parameters.Query) -> Range:
    return {
        "start": parameters.integer(query, "startTime"),
        "end": parameters.integer(query, "endTime"),
        "limit": parameters.limit(query),
    }


def refused(status: int, reason: str) -> web.Response:
    """Return Binance's error response to a request that was refused."""
    return json_response({"code": UNAUTHORIZED, "msg": reason}, status)


def _handler(endpoint: Endpoint) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        try:
            return json_response(await endpoint(request))
        except BadRequest as error:
            return json_response({"code": error.code, "msg": error.message}, 400)
        except StoreUnavailable:
            code, message = UNAVAILABLE
            return json_response({"code": code, "msg": message}, 503)

    return handle
