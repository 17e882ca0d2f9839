"""The WebSocket API, ``/ws-api/v3``: the market data of REST, asked for over a WebSocket.

https://developers.binance.com/docs/binance-spot-api-docs/websocket-api
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from aiohttp import WSMsgType, web

from chart_app.market.market_data import Endpoint
from chart_app.market.parameters import BadRequest, Query
from chart_app.storage.errors import StoreUnavailable
from chart_app.websocket.client import Client
from chart_app.websocket.ending import FAILED, Ending
from chart_app.websocket.incoming import incoming
from chart_app.websocket.requests import is_id

logger = logging.getLogger(__name__)

#: By method, the path in REST that answers the same.
METHODS = {
    "ping": "ping",
    "time": "time",
    "exchangeInfo": "exchangeInfo",
    "depth": "depth",
    "trades.recent": "trades",
    "trades.historical": "historicalTrades",
    "trades.aggregate": "aggTrades",
    "klines": "klines",
    "uiKlines": "uiKlines",
    "avgPrice": "avgPrice",
    "ticker": "ticker",
    "ticker.24hr": "ticker/24hr",
    "ticker.tradingDay": "ticker/tradingDay",
    "ticker.price": "ticker/price",
    "ticker.book": "ticker/bookTicker",
}
#: Binance's codes of errors.
UNAVAILABLE = -1001
UNKNOWN_METHOD = -1020
ILLEGAL_PARAMETER = -1100
INVALID_JSON = -1135


class ApiRequest(NamedTuple):
    """A request: its id, the path of its endpoint in REST, and the parameters as texts."""

    id: str | int | None
    path: str
    query: Query


class Refused(Exception):
    """A message is not a request; ``reply`` says why."""

    def __init__(self, code: int, message: str, request_id: Any = None) -> None:
        self.reply = error_reply(request_id, 400, code, message)
        super().__init__(message)


def parse(text: str | bytes) -> ApiRequest:
    """Return the request of a message. Raises :exc:`Refused`."""
    try:
        content = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refused(INVALID_JSON, "JSON Request is invalid") from None
    if not isinstance(content, dict) or not is_id(content.get("id")):
        raise Refused(INVALID_JSON, "The request must be an object, its id a number or text")
    request_id, method = content.get("id"), content.get("method")
    if not isinstance(method, str) or method not in METHODS:
        raise Refused(UNKNOWN_METHOD, f"The methods here are {', '.join(METHODS)}.", request_id)
    parameters = content.get("params") or {}
    if not isinstance(parameters, dict):
        raise Refused(ILLEGAL_PARAMETER, "params must be an object.", request_id)
    query = {name: _text(value) for name, value in parameters.items() if value is not None}
    return ApiRequest(request_id, METHODS[method], query)


def _text(value: Any) -> str:
    """Return a parameter as REST has it: an array of symbols is JSON there, too."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def error_reply(request_id: Any, status: int, code: int, message: str) -> bytes:
    """Return the reply to a request that is not met."""
    error = {"code": code, "msg": message}
    return msgspec.json.encode({"id": request_id, "status": status, "error": error})


class ApiConnection:
    """The connection of a client: one request after the other is answered."""

    def __init__(
        self, socket: web.WebSocketResponse, client: Client, endpoints: Mapping[str, Endpoint]
    ) -> None:
        self._socket = socket
        self._client = client
        self._endpoints = endpoints
        self._answering: asyncio.Task[None] | None = None
        #: Set once the server closes the connection.
        self.ending: Ending | None = None

    def end(self, ending: Ending) -> None:
        """End the connection: the server closes it."""
        if self.ending is None:
            self.ending = ending
            if self._answering:
                self._answering.cancel()

    async def run(self, accept: Callable[[], Awaitable[None]]) -> None:
        """Accept the connection; answer requests until either side ends it."""
        await accept()
        self._answering = asyncio.create_task(self._answer_all())
        try:
            await asyncio.wait({self._answering})
        finally:
            self._answering.cancel()
        error = None if self._answering.cancelled() else self._answering.exception()
        if error and not isinstance(error, ConnectionError):
            logger.error("A WebSocket is closed because of an internal error", exc_info=error)
            self.ending = FAILED

    async def _answer_all(self) -> None:
        async for message in incoming(self._socket, self.end):
            async with self._client.turns:
                reply = await self._answer(message)
            # The next one is read when this is sent: who does not read asks nothing more.
            await self._socket.send_frame(reply, WSMsgType.TEXT)

    async def _answer(self, text: str | bytes) -> bytes:
        try:
            request = parse(text)
        except Refused as error:
            return error.reply
        try:
            result = await self._endpoints[request.path](request.query)
        except BadRequest as error:
            return error_reply(request.id, 400, error.code, error.message)
        except StoreUnavailable:
            return error_reply(request.id, 503, UNAVAILABLE, "The store does not answer.")
        if isinstance(result, str | bytes):
            result = msgspec.Raw(result)
        return msgspec.json.encode(
            {"id": request.id, "status": 200, "result": result, "rateLimits": []}
        )
