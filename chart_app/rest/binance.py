"""Market data over REST, in the format of Binance's spot API: ``/api/v3/…``."""

from aiohttp import web

from chart_app.market.market_data import Endpoint, MarketData
from chart_app.market.parameters import BadRequest
from chart_app.rest.endpoints import add_endpoint
from chart_app.storage.errors import StoreUnavailable
from streaming.http.access import ReadOrigins
from streaming.http.responses import Handler, json_response

ROOT = "/api/v3"
#: Binance's UNAUTHORIZED.
UNAUTHORIZED = -1002
#: Binance's DISCONNECTED.
UNAVAILABLE = (-1001, "The store does not answer; try again later.")
#: A header that says the same as the parameter ``timeUnit``.
TIME_UNIT = "X-MBX-TIME-UNIT"


def add_routes(web_app: web.Application, market_data: MarketData, origins: ReadOrigins) -> None:
    """Add the routes, and the end of what is still computed at the end of the program."""

    async def close(_: web.Application) -> None:
        await market_data.close()

    web_app.on_cleanup.append(close)
    for path, endpoint in market_data.endpoints.items():
        add_endpoint(web_app, f"{ROOT}/{path}", _handler(endpoint), origins)


def refused(status: int, reason: str) -> web.Response:
    """Return Binance's error response to a request that was refused."""
    return json_response({"code": UNAUTHORIZED, "msg": reason}, status)


def _handler(endpoint: Endpoint) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        unit = request.headers.get(TIME_UNIT)
        query = {"timeUnit": unit, **request.query} if unit else request.query
        try:
            return json_response(await endpoint(query))
        except BadRequest as error:
            return json_response({"code": error.code, "msg": error.message}, 400)
        except StoreUnavailable:
            code, message = UNAVAILABLE
            return json_response({"code": code, "msg": message}, 503)

    return handle
