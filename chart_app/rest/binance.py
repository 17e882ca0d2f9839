"""Market data over REST, in the format of Binance's spot API: ``/api/v3/…``, or ``/api/v1/…``."""

from http import HTTPStatus

from aiohttp import web

from chart_app.market.market_data import Endpoint, MarketData
from chart_app.market.parameters import BadRequest
from chart_app.rest.endpoints import NO_STORE, JsonHandler, add_endpoint
from chart_app.storage.errors import StoreUnavailable
from streaming.http.access import Cause, ReadOrigins, Refusal
from streaming.http.responses import json_response

ROOT = "/api/v3"
#: Older clients ask for an older version: what it had is the same in this one.
ROOTS = (ROOT, "/api/v1")
#: Requests have no weight here. Clients slow down when they read that they used up much of it.
HEADERS = {**NO_STORE, "X-MBX-USED-WEIGHT": "0", "X-MBX-USED-WEIGHT-1M": "0"}
#: Binance's UNKNOWN.
UNKNOWN = -1000
#: Binance's UNSUPPORTED_OPERATION, for what there is not.
MISSING = dict.fromkeys((HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED), -1020)
#: Binance's codes for what a request is refused for: UNAUTHORIZED, BAD_API_KEY_FMT and
#: REJECTED_MBX_KEY.
REFUSED = {Cause.ADDRESS: -1002, Cause.NO_KEY: -2014, Cause.KEY: -2015}
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
        paths = [f"{root}/{path}" for root in ROOTS]
        add_endpoint(web_app, paths, _handler(endpoint), origins, HEADERS)


def error_form(_: web.Request, refusal: Refusal) -> web.Response:
    """Return Binance's error response to a request that reached no endpoint, or failed there."""
    code = REFUSED.get(refusal.cause) or MISSING.get(HTTPStatus(refusal.status), UNKNOWN)
    return json_response({"code": code, "msg": refusal.detail}, refusal.status, HEADERS)


def _handler(endpoint: Endpoint) -> JsonHandler:
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
