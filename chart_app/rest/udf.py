"""TradingView's Universal Data Feed: ``/udf/…``."""

from typing import Any

from aiohttp import web

from chart_app.market import parameters
from chart_app.market.parameters import BadRequest
from chart_app.model.coins import Coin
from chart_app.model.intervals import Interval
from chart_app.rest.endpoints import NO_STORE, JsonHandler, add_endpoint
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.reader import StoreReader
from settings import Settings
from streaming.clock import NowMs
from streaming.http.access import ReadOrigins, Refusal
from streaming.http.responses import json_response

ROOT = "/udf"
EXCHANGE = "trade-streaming"
TYPE = "crypto"
RESOLUTIONS = {
    "1": Interval.M1,
    "3": Interval.M3,
    "5": Interval.M5,
    "15": Interval.M15,
    "30": Interval.M30,
    "60": Interval.H1,
    "120": Interval.H2,
    "240": Interval.H4,
    "360": Interval.H6,
    "480": Interval.H8,
    "720": Interval.H12,
    "1D": Interval.D1,
    "3D": Interval.D3,
    "1W": Interval.W1,
    "1M": Interval.MONTH,
}
#: Short forms that the library may send.
SHORT_RESOLUTIONS = {"D": Interval.D1, "W": Interval.W1, "M": Interval.MONTH}
#: Bars in a response: the newest of those requested.
MAX_BARS = 10_000
#: Symbols found by a search, if it has no limit.
DEFAULT_MATCHES = 30
UNAVAILABLE = "the store does not answer"
#: No price is below 10^-18, and no integer of JSON should be above 2^63.
MAX_SCALE = 18

CONFIG = {
    "supports_search": True,
    "supports_group_request": False,
    "supports_time": True,
    "supports_marks": False,
    "supports_timescale_marks": False,
    "supported_resolutions": list(RESOLUTIONS),
}


def add_routes(
    web_app: web.Application, reader: StoreReader, settings: Settings, now_ms: NowMs
) -> None:
    """Add the routes."""
    feed = Feed(reader)
    origins = ReadOrigins(settings.read_origins)

    async def time(_: web.Request) -> web.Response:
        return web.Response(text=str(now_ms() // 1000))

    add_endpoint(web_app, [f"{ROOT}/time"], time, origins)
    for endpoint in (feed.config, feed.symbols, feed.search, feed.history):
        add_endpoint(web_app, [f"{ROOT}/{endpoint.__name__}"], _handler(endpoint), origins)


class UnknownSymbol(BadRequest):
    """There is no such coin."""

    def __init__(self) -> None:
        super().__init__(-1121, "unknown_symbol")


class Feed:
    """The endpoints. Each returns the content of the response; a str is JSON already.

    They raise :exc:`BadRequest` and :exc:`StoreUnavailable`.
    """

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader

    async def config(self, _: web.Request) -> dict[str, Any]:
        """Return the features of this feed."""
        return CONFIG

    async def symbols(self, request: web.Request) -> dict[str, Any]:
        """Return what the chart needs to know of a coin."""
        name = await self._find_coin(request)
        for coin in await self._reader.coins([name]):
            return symbol_info(coin)
        raise UnknownSymbol  # all of its trades are void

    async def search(self, request: web.Request) -> list[dict[str, Any]]:
        """Return the coins whose name contains a text, without regard to case."""
        query = request.query
        part = query.get("query", "").casefold()
        limit = parameters.integer(query, "limit")
        if query.get("type", TYPE) not in {"", TYPE}:
            return []
        if query.get("exchange", EXCHANGE) not in {"", EXCHANGE}:
            return []
        found = [coin.name for coin in await self._reader.coins() if part in coin.name.casefold()]
        count = DEFAULT_MATCHES if limit is None else max(0, limit)
        return [
            {
                "symbol": name,
                "full_name": name,
                "ticker": name,
                "description": name,
                "exchange": EXCHANGE,
                "type": TYPE,
            }
            for name in found[:count]
        ]

    async def history(self, request: web.Request) -> Any:
        """Return bars: the last ``countback`` before ``to``, or all from ``from``."""
        query = request.query
        resolution = query.get("resolution", "")
        interval = RESOLUTIONS.get(resolution) or SHORT_RESOLUTIONS.get(resolution)
        if interval is None:
            raise BadRequest(-1120, "unknown resolution")
        start = parameters.integer(query, "from")
        to = parameters.integer(query, "to")
        countback = parameters.integer(query, "countback")
        coin = await self._find_coin(request)
        end = None if to is None else to * 1000 - 1
        if countback is not None and countback > 0:
            start, limit = None, min(countback, MAX_BARS)
        else:
            start, limit = None if start is None else start * 1000, MAX_BARS
        columns = await self._reader.bars(coin, interval, start=start, end=end, limit=limit)
        if columns:
            return f'{{"s":"ok",{columns}}}'
        earlier = await self._reader.candles(coin, interval, end=end, limit=1)
        return {"s": "no_data", **({"nextTime": earlier[0][0] // 1000} if earlier else {})}

    async def _find_coin(self, request: web.Request) -> str:
        name = await self._reader.find_coin(parameters.required_symbol(request.query))
        if name is None:
            raise UnknownSymbol
        return name


def error_form(_: web.Request, refusal: Refusal) -> web.Response:
    """Return UDF's error response to a request that reached no endpoint, or failed there."""
    return error_response(refusal.detail, refusal.status)


def error_response(reason: str, status: int = 200) -> web.Response:
    """Return UDF's response for an error.

    The library ignores the status; the feeds that it is made for answer 200.
    """
    return json_response({"s": "error", "errmsg": reason}, status, NO_STORE)


def symbol_info(coin: Coin) -> dict[str, Any]:
    """Return what the chart needs to know of a coin. A field ``s`` would mean an error."""
    return {
        "name": coin.name,
        "ticker": coin.name,
        "description": coin.name,
        "type": TYPE,
        "session": "24x7",
        "timezone": "Etc/UTC",
        "exchange": EXCHANGE,
        "listed_exchange": EXCHANGE,
        "minmov": 1,
        "pricescale": 10 ** min(coin.price_scale, MAX_SCALE),
        "volume_precision": coin.amount_scale,
        "format": "price",
        "has_intraday": True,
        "has_daily": True,
        "has_weekly_and_monthly": True,
        "supported_resolutions": list(RESOLUTIONS),
        "data_status": "streaming",
    }


def _handler(endpoint: Any) -> JsonHandler:
    async def handle(request: web.Request) -> web.Response:
        try:
            return json_response(await endpoint(request))
        except BadRequest as error:
            return error_response(error.message)
        except StoreUnavailable:
            return error_response(UNAVAILABLE, 503)

    return handle
