"""ccxt and python-binance through all that they offer of public market data on the spot market.

A method that a new version of theirs brings fails here until it is called, or said why not.
"""

import asyncio
import inspect
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
import ccxt.pro  # type: ignore[import-untyped]

from chart_app.websocket.api import METHODS
from tests.integration.clients import (
    AsyncClient,
    BinanceSocketManager,
    arrives,
    open_ccxt,
    open_python_binance,
)
from tests.integration.live_market import LIVE_COIN, LiveMarket

COIN, MARKET, LIVE_MARKET = "BTCUSDT", "BTC/USDT", "SOL/USDT"
KLINE = {"symbol": COIN, "interval": "1h"}

#: What each method of ccxt is called with.
CCXT_CALLS: dict[str, list[Any]] = {
    "fetchBidsAsks": [],
    "fetchCurrencies": [],
    "fetchL2OrderBook": [MARKET],
    "fetchLastPrices": [],
    "fetchMarkets": [],
    "fetchOHLCV": [MARKET, "1h"],
    "fetchOHLCVWs": [MARKET, "1h"],
    "fetchOrderBook": [MARKET],
    "fetchTicker": [MARKET],
    "fetchTickers": [],
    "fetchTime": [],
    "fetchTrades": [MARKET],
    "fetchTradesWs": [MARKET],
    "watchOHLCV": [LIVE_MARKET, "1m"],
    "watchOHLCVForSymbols": [[[LIVE_MARKET, "1m"]]],
    "watchTrades": [LIVE_MARKET],
    "watchTradesForSymbols": [[LIVE_MARKET]],
    "watchTickers": [[LIVE_MARKET]],
    "watchTicker": [LIVE_MARKET],
    "watchBidsAsks": [[LIVE_MARKET]],
}
#: Methods of ccxt that are not called, and why.
CCXT_OTHERS = {
    "derivatives": "ADL|Funding|Greeks|Index|Premium|Leverage|Liquidation|LongShort|Mark(Price|OH)"
    "|OpenInterest|Option|Position|Settlement",
    "of an account": "Balance|Borrow|Convert|Deposit|Ledger|Margin|My|Order(?!Book)|Transaction"
    "|Transfer|TradingFee|TradingLimits|Withdraw",
    "the state of the exchange's wallet": "fetchStatus",
    "refused by ccxt itself, but for swaps": "fetchOrderBookWs|fetchTickerWs",
    "named, but not there": "fetchCurrenciesWs",
    "an order book that changes: there is none": "watchOrderBook",
}
#: What python-binance's methods are called with, where it is not one coin.
PYTHON_BINANCE_CALLS: dict[str, dict[str, Any]] = {
    "aggregate_trade_iter": {"symbol": COIN},
    "get_all_tickers": {},
    "get_exchange_info": {},
    "get_historical_klines": {**KLINE, "start_str": 0},
    "get_historical_klines_generator": {**KLINE, "start_str": 0},
    "get_klines": {**KLINE, "timeZone": "+9:00"},
    "get_orderbook_tickers": {},
    "get_server_time": {},
    "get_ui_klines": KLINE,
    "ping": {},
    "ws_get_exchange_info": {"symbol": COIN},
    "ws_get_klines": {**KLINE, "timeZone": "+9:00"},
    "ws_get_time": {},
    "ws_get_uiKlines": KLINE,
    "ws_ping": {},
}
#: What python-binance's sockets are opened for.
SOCKETS: dict[str, dict[str, Any]] = {
    "aggtrade_socket": {"symbol": LIVE_COIN},
    "kline_socket": {"symbol": LIVE_COIN},
    "miniticker_socket": {},
    "multiplex_socket": {"streams": [f"{LIVE_COIN.lower()}@kline_1M"]},
    "symbol_book_ticker_socket": {"symbol": LIVE_COIN},
    "symbol_miniticker_socket": {"symbol": LIVE_COIN},
    "symbol_ticker_socket": {"symbol": LIVE_COIN},
    "ticker_socket": {},
    "trade_socket": {"symbol": LIVE_COIN},
}
OTHER_SOCKETS = {
    "derivatives": "futures|options|coin|mark_price|index_price|portfolio",
    "of an account": "user|margin",
    "an order book that changes: there is none": "depth",
    "a stream that Binance has withdrawn": "^book_ticker",
}


def other_than(names: set[str], patterns: dict[str, str]) -> set[str]:
    """Return the names that none of the patterns is found in."""
    return {it for it in names if not any(re.search(text, it) for text in patterns.values())}


def test_each_method_of_ccxt_is_called() -> None:
    has = ccxt.pro.binance().has
    names = {name for name in has if has[name] and re.match("fetch|watch", name)}
    assert other_than(names, CCXT_OTHERS) == CCXT_CALLS.keys()


async def test_ccxt_takes_every_answer(live: LiveMarket) -> None:
    async with open_ccxt(live) as exchange, live.trades_flow():
        calls = (getattr(exchange, name)(*given) for name, given in CCXT_CALLS.items())
        answers = dict(zip(CCXT_CALLS, await asyncio.gather(*calls), strict=True))
    assert answers.pop("fetchCurrencies") == {}  # it asks only with a key
    for book in ("fetchOrderBook", "fetchL2OrderBook"):
        answer = answers.pop(book)
        assert (answer["bids"], answer["asks"]) == ([], [])
    assert [name for name, answer in answers.items() if not answer] == []


async def test_ccxt_reads_the_same_over_the_websocket_api(live: LiveMarket) -> None:
    async with open_ccxt(live) as exchange:
        candles = await exchange.fetch_ohlcv(MARKET, "1h")
        assert await exchange.fetch_ohlcv_ws(MARKET, "1h") == candles
        by_rest, by_websocket = [
            [(it["id"], it["price"], it["amount"], it["timestamp"]) for it in await fetch(MARKET)]
            for fetch in (exchange.fetch_trades, exchange.fetch_trades_ws)
        ]
        assert by_websocket == by_rest


def python_binance_methods() -> dict[str, str]:
    """Return the paths and the methods that python-binance asks for without a key."""
    found = {}
    for name, method in inspect.getmembers(AsyncClient, inspect.iscoroutinefunction):
        asked = re.search(
            r'self\._get\(\s*"([^"]+)"(?!, True)|self\._ws_api_request\("([^"]+)", False',
            inspect.getsource(method),
        )
        if asked and not name.startswith("_"):
            path, websocket_method = asked.groups()
            found[name] = path or METHODS[websocket_method]
    return found


ASKED = python_binance_methods()
#: Those that ask by others.
INDIRECT = {"aggregate_trade_iter", "get_historical_klines", "get_historical_klines_generator"}


def test_each_method_of_python_binance_is_found() -> None:
    assert {f"ws_get_{it}" for it in ("klines", "uiKlines", "ticker")} <= ASKED.keys()
    assert {"get_klines", "get_ui_klines", "get_ticker", "get_avg_price", "ping"} <= ASKED.keys()
    assert len(ASKED) >= 31


async def test_python_binance_returns_what_is_answered(live: LiveMarket) -> None:
    async with open_python_binance(live) as client, aiohttp.ClientSession(live.http) as http:
        for method, path in ASKED.items():
            arguments = PYTHON_BINANCE_CALLS.get(method, {"symbol": COIN})
            before = await answer(http, path, arguments)
            found = await getattr(client, method)(**arguments)
            after = await answer(http, path, arguments)
            assert still(found) in (still(before), still(after)), method


async def answer(http: aiohttp.ClientSession, path: str, query: Mapping[str, Any]) -> Any:
    """Return what is answered."""
    async with http.get(f"/api/v3/{path}", params=query) as response:
        assert response.status == 200, (path, query)
        return await response.json()


def still(found: Any) -> Any:
    """Return of an answer what does not move with the clock, but once a minute."""
    if isinstance(found, dict):
        return {name: it for name, it in found.items() if name not in ("serverTime", "closeTime")}
    if isinstance(found, list) and "openTime" in found[0]:
        return [it["symbol"] for it in found]
    return found


async def test_python_binance_collects_pages(live: LiveMarket) -> None:
    async with open_python_binance(live) as client:
        for method in INDIRECT:
            answer = getattr(client, method)(**PYTHON_BINANCE_CALLS[method])
            pages = await answer if inspect.iscoroutine(answer) else answer
            rows = pages if isinstance(pages, list) else [row async for row in pages]
            assert len(rows) > 5, method


def test_each_socket_of_python_binance_is_opened() -> None:
    sockets = {
        name
        for name, _ in inspect.getmembers(BinanceSocketManager, inspect.isfunction)
        if name.endswith("_socket") and not name.startswith("_")
    }
    assert other_than(sockets, OTHER_SOCKETS) == SOCKETS.keys()


async def test_python_binance_is_sent_events(live: LiveMarket) -> None:
    async def coins_of_an_event(manager: Any, method: str) -> set[str]:
        async with getattr(manager, method)(**SOCKETS[method]) as socket:
            event = await arrives(socket.recv, bool)
        events = event if isinstance(event, list) else [event.get("data", event)]
        return {it["s"] for it in events}

    async with open_python_binance(live) as client, live.trades_flow():
        manager = BinanceSocketManager(client)
        coins = await asyncio.gather(*(coins_of_an_event(manager, it) for it in SOCKETS))
    assert dict(zip(SOCKETS, coins, strict=True)) == {it: {LIVE_COIN} for it in SOCKETS}
