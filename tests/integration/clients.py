"""ccxt and python-binance, given nothing but our addresses."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import ccxt.pro  # type: ignore[import-untyped]

from tests.integration.live_market import NO_SETTINGS, LiveMarket
from tests.waiting import PATIENCE_S

with warnings.catch_warnings(action="ignore"):  # of its age
    from binance import (  # type: ignore[import-untyped]
        AsyncClient,
        BinanceSocketManager,
        ReconnectingWebsocket,
    )
    from binance.ws.constants import WSListenerState  # type: ignore[import-untyped]
    from binance.ws.websocket_api import WebsocketAPI  # type: ignore[import-untyped]

__all__ = ["AsyncClient", "BinanceSocketManager", "arrives", "open_ccxt", "open_python_binance"]

#: Where nobody listens: of what ccxt is not given our address of.
NOWHERE = "http://127.0.0.1:9"


@asynccontextmanager
async def open_ccxt(
    live: LiveMarket, headers: Mapping[str, str] = NO_SETTINGS
) -> AsyncIterator[Any]:
    """Open ccxt's client, REST and WebSocket, that sends these headers, too."""
    others = {name: NOWHERE for name, url in ccxt.pro.binance().urls["api"].items() if name != "ws"}
    websockets = {"spot": f"{live.websocket}/ws", "ws-api": {"spot": f"{live.websocket}/ws-api/v3"}}
    api = {**others, "public": f"{live.http}/api/v3", "v1": f"{live.http}/api/v1", "ws": websockets}
    exchange = ccxt.pro.binance(
        {
            "headers": dict(headers),
            "timeout": PATIENCE_S * 1000,
            "options": {
                "fetchMarkets": {"types": ["spot"]},
                "ws": {"options": {"headers": dict(headers)}},
            },
            "urls": {"api": api},
        }
    )
    try:
        yield exchange
    finally:
        await exchange.close()


@asynccontextmanager
async def open_python_binance(live: LiveMarket) -> AsyncIterator[Any]:
    """Open python-binance's client."""
    with (
        patch.object(AsyncClient, "API_URL", f"{live.http}/api"),
        patch.object(AsyncClient, "WS_API_URL", f"{live.websocket}/ws-api/v3"),
        patch.object(BinanceSocketManager, "STREAM_URL", f"{live.websocket}/"),
        patch.object(AsyncClient, "REQUEST_TIMEOUT", PATIENCE_S),
        # Seconds that it reads on before it sees that it is to close.
        patch.object(ReconnectingWebsocket, "TIMEOUT", 0.1),
        # Of this one, also how long an answer may take.
        patch.object(WebsocketAPI, "TIMEOUT", PATIENCE_S),
    ):
        client = await AsyncClient.create()
        try:
            yield client
        finally:
            if socket := client.ws_api.ws:
                client.ws_api.ws_state = WSListenerState.EXITING
                await socket.close()  # it reads no more
            await client.close_connection()


async def arrives(read: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool]) -> Any:
    """Return the first thing read that is wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while not wanted(found := await read()):
            pass
    return found
