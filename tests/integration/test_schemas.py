"""Answers and events against the models that Binance publishes with its own library."""

import asyncio
import inspect
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from binance_common.configuration import ConfigurationRestAPI
from binance_common.errors import BadRequestError
from binance_sdk_spot.rest_api import SpotRestAPI
from binance_sdk_spot.rest_api import models as rest
from binance_sdk_spot.rest_api.api.general_api import GeneralApi
from binance_sdk_spot.rest_api.api.market_api import MarketApi
from binance_sdk_spot.websocket_api import models as websocket_api
from binance_sdk_spot.websocket_api.api import general_api, market_api
from binance_sdk_spot.websocket_streams import models as streams
from binance_sdk_spot.websocket_streams.streams import default_api

from chart_app.websocket.api import METHODS
from chart_app.websocket.streams import Kind
from tests.integration.binance_models import faults
from tests.integration.live_market import LIVE_COIN, LiveMarket
from tests.programs import ROOT
from tests.waiting import PATIENCE_S

#: Binance's library takes the items of a kline as they come; the WebSocket API's say what they are.
KLINES = list[list[websocket_api.KlinesResponseResultInnerInner]]
ONE = {"symbol": "BTCUSDT"}
SOME = {"symbols": '["BTCUSDT","eth-krw"]'}
KLINE = {**ONE, "interval": "1h"}
#: The path and the model of each endpoint, with what it is asked.
ENDPOINTS: dict[str, tuple[Any, list[dict[str, Any]]]] = {
    "time": (rest.TimeResponse, [{}]),
    "exchangeInfo": (rest.ExchangeInfoResponse, [{}, ONE, SOME]),
    "depth": (rest.DepthResponse, [ONE]),
    "trades": (rest.GetTradesResponse, [ONE, {**ONE, "limit": 1}]),
    "historicalTrades": (rest.HistoricalTradesResponse, [ONE, {**ONE, "fromId": 0}]),
    "aggTrades": (rest.AggTradesResponse, [ONE, {**ONE, "fromId": 0}, {**ONE, "startTime": 0}]),
    "klines": (KLINES, [KLINE, {**KLINE, "timeZone": "+5:30"}, {**KLINE, "startTime": 0}]),
    "uiKlines": (KLINES, [KLINE, {**KLINE, "timeZone": "-5"}]),
    "avgPrice": (rest.AvgPriceResponse, [ONE]),
    "ticker": (rest.TickerResponse, [ONE, SOME, {**ONE, "windowSize": "7d"}]),
    "ticker/24hr": (rest.Ticker24hrResponse, [{}, ONE, SOME]),
    "ticker/tradingDay": (rest.TickerTradingDayResponse, [ONE, SOME, {**ONE, "timeZone": "9"}]),
    "ticker/price": (rest.TickerPriceResponse, [{}, ONE, SOME]),
    "ticker/bookTicker": (rest.TickerBookTickerResponse, [{}, ONE, SOME]),
}
NEEDED: dict[str, Any] = {**KLINE, "limit": 5}
#: What a ticker with ``type=MINI`` leaves out.
NOT_MINI = {
    "ticker": {"priceChange", "priceChangePercent", "weightedAvgPrice"},
    "ticker/tradingDay": {"priceChange", "priceChangePercent", "weightedAvgPrice"},
    "ticker/24hr": {
        *("priceChange", "priceChangePercent", "weightedAvgPrice", "prevClosePrice"),
        *("lastQty", "bidPrice", "bidQty", "askPrice", "askQty"),
    },
}
#: The model of each stream, by what stands after the name of the coin.
STREAMS: dict[str, Any] = {
    "trade": streams.TradeResponse,
    "aggTrade": streams.AggTradeResponse,
    "kline_1m": streams.KlineResponse,
    "kline_1d@+08:00": streams.KlineOffsetResponse,
    "miniTicker": streams.MiniTickerResponse,
    "!miniTicker@arr": list[streams.MiniTickerResponse],
    "ticker": streams.TickerResponse,
    "bookTicker": streams.BookTickerResponse,
    "avgPrice": streams.AvgPriceResponse,
    "!ticker@arr": list[streams.TickerResponse],
}


@pytest.fixture
async def http(live: LiveMarket) -> AsyncIterator[aiohttp.ClientSession]:
    """Open an HTTP client of the program."""
    async with aiohttp.ClientSession(live.http) as session:
        yield session


async def get(http: aiohttp.ClientSession, path: str, query: dict[str, Any]) -> Any:
    async with http.get(f"/api/v3/{path}", params=query) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


@pytest.mark.parametrize(
    ("path", "query"),
    [(path, query) for path, (_, queries) in ENDPOINTS.items() for query in queries],
)
async def test_an_answer_fits_the_model(
    http: aiohttp.ClientSession, path: str, query: dict[str, Any]
) -> None:
    answer = await get(http, path, query)
    assert answer
    assert faults(ENDPOINTS[path][0], answer) == []
    answer = await get(http, path, {**query, "timeUnit": "MICROSECOND"})
    assert faults(ENDPOINTS[path][0], answer) == []


@pytest.mark.parametrize("query", [ONE, SOME])
@pytest.mark.parametrize("path", NOT_MINI)
async def test_a_mini_ticker_leaves_out_what_it_says(
    http: aiohttp.ClientSession, path: str, query: dict[str, Any]
) -> None:
    answer = await get(http, path, {**query, "type": "MINI"})
    tickers = answer if isinstance(answer, list) else [answer]
    expected = {f"[{at}].{it} is missing" for at in range(len(tickers)) for it in NOT_MINI[path]}
    model = {
        "ticker": rest.TickerResponse1,
        "ticker/tradingDay": rest.TickerTradingDayResponse1,
        "ticker/24hr": rest.Ticker24hrResponse1,
    }[path]
    assert set(faults(list[model], tickers)) == expected  # type: ignore[valid-type]


@pytest.mark.parametrize("method", METHODS)
async def test_a_reply_of_the_websocket_api_fits_the_model(
    http: aiohttp.ClientSession, method: str
) -> None:
    model = reply_model(method)
    queries: list[dict[str, Any]] = [NEEDED]
    if method.startswith("ticker"):
        queries.append({"symbols": ["BTCUSDT", "eth-krw"]})
    async with http.ws_connect("/ws-api/v3") as socket:
        for query in queries:
            await socket.send_json({"id": "x", "method": method, "params": query})
            reply = await socket.receive_json(timeout=PATIENCE_S)
            assert reply["status"] == 200, reply
            if method == "exchangeInfo":  # whose model is of the result only
                reply = reply["result"]
            assert faults(model, reply) == []


def reply_model(method: str) -> Any:
    """Return the model of a reply: that of ``ticker.book`` is called TickerBookResponse."""
    words = (it[0].upper() + it[1:] for it in method.split("."))
    return getattr(websocket_api, f"{''.join(words)}Response")


def name_of(stream: str) -> str:
    """Return the name of a stream of the live coin, or of all coins."""
    return stream if stream.startswith("!") else f"{LIVE_COIN.lower()}@{stream}"


async def test_events_fit_the_models(live: LiveMarket, http: aiohttp.ClientSession) -> None:
    wanted = {name_of(it): model for it, model in STREAMS.items()}
    async with live.trades_flow(), http.ws_connect("/stream") as socket:
        await socket.send_json({"method": "SUBSCRIBE", "params": [*wanted], "id": 1})
        assert await socket.receive_json(timeout=PATIENCE_S) == {"result": None, "id": 1}
        async with asyncio.timeout(PATIENCE_S):
            while wanted:
                event = await socket.receive_json()
                if model := wanted.pop(event["stream"], None):
                    assert event["data"]
                    assert faults(model, event["data"]) == []


def test_each_stream_is_looked_at() -> None:
    kinds = {it.strip("!").partition("@")[0].partition("_")[0] for it in STREAMS}
    assert kinds >= {it.value for it in Kind}


@pytest.fixture
def library(live: LiveMarket) -> SpotRestAPI:
    """Return Binance's own client."""
    return SpotRestAPI(
        ConfigurationRestAPI(base_path=live.http, retries=0, timeout=PATIENCE_S * 1000)
    )


#: Methods of the library for what is not here.
NOT_HERE = {
    "execution_rules": "rules of orders",
    "historical_block_trades": "there are no block trades",
    "reference_price": "there is none",
    "reference_price_calculation": "there is none",
}


def test_the_documentation_says_of_all_that_the_library_has_whether_it_is_here() -> None:
    paths, methods, names = (
        set(re.findall(pattern, "".join(map(inspect.getsource, sources))))
        for pattern, sources in (
            (r'"/api/v3/([^"]+)"', (GeneralApi, MarketApi)),
            (r'"/([\w.]+)"', (general_api, market_api)),
            (r'"/(?:<symbol>)?([^"]+)"\.replace', (default_api,)),
        )
    )
    assert (len(paths), len(methods), len(names)) == (19, 19, 15)
    page = (ROOT / "docs/api.md").read_text()
    _, _, beside_binance = page.partition("### Beside Binance's spot API")
    assert paths | methods | names <= set(re.findall("`([^`]+)`", beside_binance))


#: What its methods are asked, if not for one coin.
LIBRARY_ARGUMENTS: dict[str, dict[str, Any]] = {
    "klines": KLINE,
    "ui_klines": KLINE,
    "exchange_info": {},
    "ping": {},
    "time": {},
}


def public_methods() -> list[str]:
    """Return the methods of the library for public market data."""
    return [
        name for api in (GeneralApi, MarketApi) for name in vars(api) if not name.startswith("_")
    ]


@pytest.mark.parametrize("method", [it for it in public_methods() if it not in NOT_HERE])
async def test_the_library_reads_each_answer(library: SpotRestAPI, method: str) -> None:
    arguments = LIBRARY_ARGUMENTS.get(method, ONE)
    answer = await asyncio.to_thread(getattr(library, method), **arguments)
    assert answer.status == 200
    if method != "ping":
        assert answer.data()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({**KLINE, "symbol": "NOPE"}, -1121),
        ({**KLINE, "interval": "7m"}, -1120),
        ({**KLINE, "symbol": ""}, -1105),
        ({**KLINE, "limit": 0}, -1130),
        ({**KLINE, "time_zone": "25"}, -1130),
    ],
)
async def test_the_library_knows_the_code_and_the_message_of_an_error(
    library: SpotRestAPI, arguments: dict[str, Any], code: int
) -> None:
    with pytest.raises(BadRequestError) as raised:
        await asyncio.to_thread(library.klines, **arguments)
    assert raised.value.status_code == code
    assert raised.value.error_message


#: How Binance describes errors; its library has no model of them.
ERROR = {"code": int, "msg": str}


@pytest.mark.parametrize("path", [it for it in ENDPOINTS if it != "time"])
async def test_an_error_has_a_code_and_a_message(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(f"/api/v3/{path}", params={**NEEDED, "symbol": "NOPE"}) as answer:
        assert answer.status == 400
        assert answer.content_type == "application/json"
        error = json.loads(await answer.read())
    assert {name: type(value) for name, value in error.items()} == ERROR
    assert error["code"] == -1121
