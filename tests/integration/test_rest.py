"""The REST API, line by line of what clients of Binance's need."""

import asyncio
import contextlib
import gzip
import sqlite3
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient
from sqlalchemy import make_url
from yarl import URL

from chart_app.model.intervals import DAY_MS, MINUTE_MS, Interval
from chart_app.storage.database import Database
from chart_app.storage.reader import StoreReader
from tests.integration.filled_store import FilledStore, Given, serve
from tests.postgresql_server import PostgreSQLServer
from tests.waiting import PATIENCE_S

START = 1_682_882_400_000
NOW = START + 100 * MINUTE_MS + 30_000
#: One trade in each of these minutes.
MINUTES = [0, 1, 2, 5, 9, 90]
PATHS = ["klines", "uiKlines", "trades", "historicalTrades", "aggTrades"]
ALL_PATHS = [
    *("ping", "time", "exchangeInfo", "depth", *PATHS, "avgPrice", "ticker", "ticker/24hr"),
    *("ticker/tradingDay", "ticker/price", "ticker/bookTicker"),
]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    """Return a client of a server with some trades."""
    async with (
        FilledStore(f"sqlite:///{tmp_path}/chart.sqlite") as filled,
        serve(filled.reader, NOW) as client,
    ):
        await filled.feed(
            *(
                Given("BTCUSDT", START + minute * MINUTE_MS, f"{10 + minute}.50", "0.25")
                for minute in MINUTES
            ),
            Given("eth-krw", START, "3", "2"),
            Given("Dogecoin", START - 2 * DAY_MS, "0.07", "1000"),
        )
        yield client


async def get(client: TestClient[Any, Any], path: str, **query: Any) -> Any:
    """Return what a page says."""
    async with client.get(f"/api/v3/{path}", params=query) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"] == "application/json"
        return await answer.json()


async def error(client: TestClient[Any, Any], path: str, **query: Any) -> int:
    """Return the code of the error that a page answers with."""
    async with client.get(f"/api/v3/{path}", params=query) as answer:
        assert answer.status == 400, await answer.text()
        assert answer.headers["Content-Type"] == "application/json"
        content = await answer.json()
    assert content.keys() == {"code", "msg"}
    assert isinstance(content["msg"], str)
    code: int = content["code"]
    return code


async def minutes(client: TestClient[Any, Any], **query: Any) -> list[int]:
    """Return the minutes whose candles are answered with."""
    rows = await get(client, "klines", **{"symbol": "BTCUSDT", "interval": "1m", **query})
    return [(row[0] - START) // MINUTE_MS for row in rows]


async def test_ping_is_an_empty_object(client: TestClient[Any, Any]) -> None:
    assert await get(client, "ping") == {}


async def test_time_is_the_clock(client: TestClient[Any, Any]) -> None:
    assert await get(client, "time") == {"serverTime": NOW}


@pytest.mark.parametrize("path", ALL_PATHS)
async def test_any_page_may_read_and_nothing_is_compressed_with_brotli(
    client: TestClient[Any, Any], path: str
) -> None:
    headers = {"Accept-Encoding": "br, gzip", "Origin": "https://example.com"}
    query = {"symbol": "BTCUSDT", "interval": "1m"}
    async with client.get(f"/api/v3/{path}", params=query, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers.get("Content-Encoding") in {None, "gzip"}


@pytest.mark.parametrize("path", ALL_PATHS)
async def test_each_page_has_the_paths_that_clients_ask_for(
    client: TestClient[Any, Any], path: str
) -> None:
    query = {"symbol": "BTCUSDT", "interval": "1m"}
    expected = await get(client, path, **query)
    server = str(client.make_url("/")).removesuffix("/")
    for root in ("/api/v3", "/api/v1", "//api/v3", "//api/v1"):
        for end in ("", "/"):
            target = f"{root}/{path}{end}"
            url = URL(f"{server}{target}?{urlencode(query)}", encoded=True)
            assert url.raw_path == target, "the client leaves the slashes where they are"
            async with client.session.get(url) as answer:
                assert await answer.json() == expected


@pytest.mark.parametrize("path", ["/api/v3/klines", "/api/v3/ping", "/udf/time", "/udf/history"])
async def test_nobody_keeps_what_changes(client: TestClient[Any, Any], path: str) -> None:
    query = {"symbol": "BTCUSDT", "interval": "1m", "resolution": "1"}
    for parameters in ({}, query):
        async with client.get(path, params=parameters) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers.getall("Vary") == ["Accept-Encoding"]


@pytest.mark.parametrize("query", [{}, {"symbol": "BTCUSDT", "interval": "1m"}])
async def test_requests_have_no_weight(client: TestClient[Any, Any], query: dict[str, str]) -> None:
    async with client.get("/api/v3/klines", params=query) as answer:
        assert answer.headers["x-mbx-used-weight-1m"] == "0"
        assert answer.headers["x-mbx-used-weight"] == "0"


async def test_what_is_longer_than_a_kilobyte_is_sent_as_gzip_to_who_asks_for_it(
    tmp_path: Path,
) -> None:
    pages = {
        "/api/v3/klines?symbol=BTC&interval=1m": True,
        "/api/v3/trades?symbol=BTC": True,
        "/udf/history?symbol=BTC&resolution=1&countback=200&to=9999999999": True,
        "/api/v3/klines?symbol=BTC&interval=1m&limit=3": False,
        "/api/v3/ticker/24hr": False,
        "/udf/time": False,
    }
    async with (
        FilledStore(f"sqlite:///{tmp_path}/chart.sqlite") as filled,
        serve(filled.reader, NOW) as client,
    ):
        await filled.feed(*(Given("BTC", START - it * MINUTE_MS, f"{it + 1}") for it in range(200)))
        for path, is_long in pages.items():
            plain = await read_raw(client, path, "identity")
            assert (len(plain) > 1024) == is_long
            sent = await read_raw(client, path, "gzip")
            assert (gzip.decompress(sent) if is_long else sent) == plain, path


async def read_raw(client: TestClient[Any, Any], path: str, coding: str) -> bytes:
    """Return the body that is sent to a client that accepts a coding."""
    async with client.session.get(
        client.make_url(path), headers={"Accept-Encoding": coding}, auto_decompress=False
    ) as answer:
        assert answer.status == 200
        assert answer.headers["Vary"] == "Accept-Encoding"
        body = await answer.read()
        assert answer.headers["Content-Length"] == str(len(body))
        is_gzip = body.startswith(b"\x1f\x8b")
        assert answer.headers.get("Content-Encoding") == ("gzip" if is_gzip else None)
        return body


async def test_openbb_is_told_of_the_chart(client: TestClient[Any, Any]) -> None:
    async with client.get("/widgets.json", headers={"Origin": "https://pro.openbb.co"}) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        (widget,) = (await answer.json()).values()
    symbol, udf = widget["data"]["defaultSymbol"], widget["endpoint"]
    assert widget["type"] == "advanced_charting"
    async with client.get(f"{udf}/symbols", params={"symbol": symbol}) as answer:
        assert (await answer.json())["name"] == symbol == "BTCUSDT"
    async with client.get(f"{udf}/config") as answer:
        assert (await answer.json())["supports_search"]


async def test_exchange_info_has_what_clients_read(client: TestClient[Any, Any]) -> None:
    info = await get(client, "exchangeInfo")
    assert info["timezone"] == "UTC"
    assert info["serverTime"] == NOW
    assert info["rateLimits"] == info["exchangeFilters"] == []
    assert [it["symbol"] for it in info["symbols"]] == ["BTCUSDT", "Dogecoin", "eth-krw"]
    (btc, doge, eth) = info["symbols"]
    assert (btc["baseAsset"], btc["quoteAsset"]) == ("BTC", "USDT")
    assert (doge["baseAsset"], doge["quoteAsset"]) == ("Dogecoin", "USD")
    assert (eth["baseAsset"], eth["quoteAsset"]) == ("eth", "krw")
    for symbol in info["symbols"]:
        assert symbol["status"] == "TRADING"
        assert symbol["permissions"] == []
        assert not symbol.keys() & {"contractType", "underlying", "deliveryDate", "tradability"}
        filters = {it["filterType"]: it for it in symbol["filters"]}
        for name, keys in {
            "PRICE_FILTER": {"minPrice", "maxPrice", "tickSize"},
            "LOT_SIZE": {"minQty", "maxQty", "stepSize"},
        }.items():
            assert all(isinstance(filters[name][key], str) for key in keys)
    steps = [
        (it["filters"][0]["tickSize"], it["filters"][1]["stepSize"]) for it in (btc, doge, eth)
    ]
    assert steps == [("0.01", "0.01"), ("0.01", "1"), ("1", "1")]


async def test_exchange_info_of_some_symbols(client: TestClient[Any, Any]) -> None:
    async def symbols(**query: str) -> list[str]:
        info = await get(client, "exchangeInfo", **query)
        return [it["symbol"] for it in info["symbols"]]

    assert await symbols(symbol="BTCUSDT") == ["BTCUSDT"]
    assert await symbols(symbol="ETH-KRW") == ["eth-krw"]
    assert await symbols(symbols='["eth-krw","BTCUSDT"]') == ["BTCUSDT", "eth-krw"]
    assert await symbols(symbols='["eth-krw"]') == ["eth-krw"]
    assert await error(client, "exchangeInfo", symbol="X") == -1121
    assert await error(client, "exchangeInfo", symbols='["BTCUSDT","X"]') == -1121


@pytest.mark.parametrize("path", ["klines", "uiKlines"])
async def test_a_kline_has_twelve_items(client: TestClient[Any, Any], path: str) -> None:
    (row,) = await get(client, path, symbol="BTCUSDT", interval="1m", startTime=START, limit=1)
    assert row == [
        START,
        *("10.50", "10.50", "10.50", "10.50", "0.25"),
        START + MINUTE_MS - 1,
        "2.6250",
        1,
        *("0.00", "0.0000", "0"),
    ]


@pytest.mark.parametrize("interval", Interval)
async def test_a_kline_ends_before_the_next_begins(
    client: TestClient[Any, Any], interval: Interval
) -> None:
    rows = await get(client, "klines", symbol="BTCUSDT", interval=interval.value)
    for row in rows:
        assert row[0] == interval.open_time(row[0])
        assert row[6] == interval.end_time(row[0]) - 1
    assert sum(row[8] for row in rows) == len(MINUTES)


async def test_klines_with_a_start_are_the_oldest_from_there_on(
    client: TestClient[Any, Any],
) -> None:
    assert await minutes(client, startTime=0) == MINUTES
    assert await minutes(client, startTime=-1) == MINUTES
    assert await minutes(client, startTime=0, limit=2) == [0, 1]
    assert await minutes(client, startTime=START + 1, limit=2) == [1, 2]
    # Not the minutes of a window, so that no page is short before the end of the data.
    assert await minutes(client, startTime=START + 3 * MINUTE_MS, limit=2) == [5, 9]
    assert await minutes(client, startTime=START + 91 * MINUTE_MS) == []
    assert await minutes(client, startTime=10**19) == []


async def test_the_end_of_klines_is_inclusive_on_the_open_time(
    client: TestClient[Any, Any],
) -> None:
    five = START + 5 * MINUTE_MS
    assert await minutes(client, endTime=five) == [0, 1, 2, 5]
    assert await minutes(client, endTime=five - 1) == [0, 1, 2]
    assert await minutes(client, endTime=five, limit=2) == [2, 5]
    assert await minutes(client, startTime=START + 1, endTime=five) == [1, 2, 5]
    assert await minutes(client, startTime=START + 1, endTime=five, limit=1) == [1]
    assert await minutes(client, startTime=five, endTime=START) == []


async def test_klines_alone_are_the_newest_with_the_running_one(
    client: TestClient[Any, Any],
) -> None:
    assert await minutes(client) == MINUTES
    assert await minutes(client, limit=2) == [9, 90]


async def test_limits_are_500_by_default_and_1000_at_most(tmp_path: Path) -> None:
    async with (
        FilledStore(f"sqlite:///{tmp_path}/many.sqlite") as filled,
        serve(filled.reader, NOW) as client,
    ):
        await filled.feed(*(Given("BTC", it * MINUTE_MS, "1") for it in range(1200)))
        for path in PATHS:
            for wanted, given in {None: 500, 1: 1, 1000: 1000, 1001: 1000, 10**15: 1000}.items():
                query: Mapping[str, Any] = {} if wanted is None else {"limit": wanted}
                answer = await get(client, path, symbol="BTC", interval="1m", **query)
                assert len(answer) == given


async def test_filled_klines_have_no_hole(client: TestClient[Any, Any]) -> None:
    assert await minutes(client, fill="true") == list(range(101))
    assert await minutes(client, fill="true", limit=3) == [98, 99, 100]
    assert await minutes(client, fill="true", startTime=0, limit=4) == [0, 1, 2, 3]
    start = START + 95 * MINUTE_MS + 1
    assert await minutes(client, fill="true", startTime=start) == [96, 97, 98, 99, 100]
    end = START + 4 * MINUTE_MS
    assert await minutes(client, fill="true", endTime=end, limit=2) == [3, 4]
    assert await minutes(client, fill="false") == MINUTES
    (row,) = await get(
        client, "klines", symbol="BTCUSDT", interval="1m", fill="true", endTime=end, limit=1
    )
    assert row == [
        end,
        *("12.50", "12.50", "12.50", "12.50", "0.00"),
        end + MINUTE_MS - 1,
        *("0.0000", 0, "0.00", "0.0000", "0"),
    ]


@pytest.mark.parametrize("path", ["trades", "historicalTrades"])
async def test_trades_have_what_clients_read(client: TestClient[Any, Any], path: str) -> None:
    trades = await get(client, path, symbol="BTCUSDT", limit=2)
    assert trades == [
        {
            "id": number,
            "price": f"{10 + minute}.50",
            "qty": "0.25",
            "quoteQty": quote,
            "time": START + minute * MINUTE_MS,
            "isBuyerMaker": False,
            "isBestMatch": True,
        }
        for number, minute, quote in [(4, 9, "4.8750"), (5, 90, "25.1250")]
    ]


async def test_historical_trades_begin_at_an_id(client: TestClient[Any, Any]) -> None:
    trades = await get(client, "historicalTrades", symbol="BTCUSDT", fromId=2, limit=3)
    assert [trade["id"] for trade in trades] == [2, 3, 4]


async def test_aggregate_trades_are_single_trades(client: TestClient[Any, Any]) -> None:
    (trade,) = await get(client, "aggTrades", symbol="BTCUSDT", limit=1)
    time = START + 90 * MINUTE_MS
    same = {"a": 5, "f": 5, "l": 5}
    assert trade == {**same, "p": "100.50", "q": "0.25", "T": time, "m": False, "M": True}


async def test_aggregate_trades_of_a_time_or_from_an_id(client: TestClient[Any, Any]) -> None:
    async def ids(**query: int) -> list[int]:
        return [it["a"] for it in await get(client, "aggTrades", symbol="BTCUSDT", **query)]

    assert await ids() == [0, 1, 2, 3, 4, 5]
    assert await ids(startTime=0, limit=2) == [0, 1]
    assert await ids(endTime=START + 5 * MINUTE_MS, limit=2) == [2, 3]
    assert await ids(startTime=START + MINUTE_MS, endTime=START + 5 * MINUTE_MS) == [1, 2, 3]
    assert await ids(fromId=0, limit=2) == [0, 1]
    assert await ids(fromId=5) == [5]
    assert await ids(fromId=6) == []
    for time in ("startTime", "endTime"):
        query = {"symbol": "BTCUSDT", "fromId": 0, time: 0}
        assert await error(client, "aggTrades", **query) == -1128


async def test_the_ticker_of_a_coin_is_an_object(client: TestClient[Any, Any]) -> None:
    ticker = await get(client, "ticker/24hr", symbol="BTCUSDT")
    assert ticker == {
        "symbol": "BTCUSDT",
        "priceChange": "90.00",
        "priceChangePercent": "857.143",
        "weightedAvgPrice": "28.33333333",
        "prevClosePrice": "0.00",
        "lastPrice": "100.50",
        "lastQty": "0.25",
        "bidPrice": "100.50",
        "bidQty": "0.00",
        "askPrice": "100.50",
        "askQty": "0.00",
        "openPrice": "10.50",
        "highPrice": "100.50",
        "lowPrice": "10.50",
        "volume": "1.50",
        "quoteVolume": "42.5000",
        "openTime": START + 101 * MINUTE_MS - DAY_MS,
        "closeTime": NOW,
        "firstId": 0,
        "lastId": 5,
        "count": 6,
    }
    price = await get(client, "ticker/price", symbol="btcusdt")
    assert price == {"symbol": "BTCUSDT", "price": "100.50"}


async def test_the_tickers_of_all_coins_are_a_list(client: TestClient[Any, Any]) -> None:
    names = ["BTCUSDT", "Dogecoin", "eth-krw"]
    for path in ("ticker/24hr", "ticker/price"):
        for _ in range(2):
            assert [it["symbol"] for it in await get(client, path)] == names
        some = await get(client, path, symbols='["ETH-KRW","Dogecoin"]')
        assert [it["symbol"] for it in some] == names[1:]
        assert len(await get(client, path, symbols='["Dogecoin"]')) == 1
    for ticker in await get(client, "ticker/24hr"):
        assert ticker == await get(client, "ticker/24hr", symbol=ticker["symbol"])


async def test_the_ticker_of_a_quiet_coin_is_that_of_its_last_day(
    client: TestClient[Any, Any],
) -> None:
    ticker = await get(client, "ticker/24hr", symbol="Dogecoin")
    assert ticker["closeTime"] == START - 2 * DAY_MS
    assert ticker["openTime"] == START - 3 * DAY_MS + MINUTE_MS
    assert (ticker["count"], ticker["volume"], ticker["priceChange"]) == (1, "1000", "0.00")


@pytest.mark.parametrize("path", [*PATHS, "ticker/price", "ticker/24hr"])
async def test_symbols_are_matched_exactly_or_without_regard_to_case(
    client: TestClient[Any, Any], path: str
) -> None:
    query = {"interval": "1h", "limit": 1}
    exact = await get(client, path, symbol="eth-krw", **query)
    assert exact
    assert await get(client, path, symbol="ETH-KRW", **query) == exact


@pytest.mark.parametrize("path", [*PATHS, "exchangeInfo", "ticker/price", "ticker/24hr"])
async def test_a_wrong_symbol_is_an_error(client: TestClient[Any, Any], path: str) -> None:
    query = {"interval": "1m"}
    for symbol in ("X", "x" * 65, "BTCUSDT ", "'; DROP TABLE trades; --", "%", "\ufffd"):
        assert await error(client, path, symbol=symbol, **query) == -1121
    for symbol in ("\0", "BTC\nUSDT", "\x85"):
        assert await error(client, path, symbol=symbol, **query) == -1100


@pytest.mark.parametrize("path", PATHS)
async def test_a_missing_parameter_is_an_error(client: TestClient[Any, Any], path: str) -> None:
    assert await error(client, path, interval="1m") == -1102
    assert await error(client, path, interval="1m", symbol="") == -1105


@pytest.mark.parametrize("path", ["klines", "uiKlines"])
async def test_a_wrong_interval_is_an_error(client: TestClient[Any, Any], path: str) -> None:
    assert await error(client, path, symbol="BTCUSDT") == -1102
    for interval in ("7m", "1H", "M1", "1s", "60", " 1m"):
        assert await error(client, path, symbol="BTCUSDT", interval=interval) == -1120


@pytest.mark.parametrize("path", PATHS)
async def test_a_wrong_limit_is_an_error(client: TestClient[Any, Any], path: str) -> None:
    query = {"symbol": "BTCUSDT", "interval": "1m"}
    for limit in ("0", "-1"):
        assert await error(client, path, limit=limit, **query) == -1130
    for limit in ("many", "1.5", "1e3", "0x10", "١", "9" * 21):
        assert await error(client, path, limit=limit, **query) == -1100


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("klines", ["startTime", "endTime"]),
        ("aggTrades", ["startTime", "endTime", "fromId"]),
        ("historicalTrades", ["fromId"]),
    ],
)
async def test_a_time_or_an_id_that_is_no_integer_is_an_error(
    client: TestClient[Any, Any], path: str, names: list[str]
) -> None:
    for name in names:
        for text in ("now", "2023-04-30", "1.5", "--1"):
            query = {"symbol": "BTCUSDT", "interval": "1m", name: text}
            assert await error(client, path, **query) == -1100


async def test_other_wrong_values_are_errors(client: TestClient[Any, Any]) -> None:
    query = {"symbol": "BTCUSDT", "interval": "1m"}
    assert await error(client, "klines", fill="maybe", **query) == -1130
    for path in ("exchangeInfo", "ticker/price", "ticker/24hr"):
        for symbols in ("BTCUSDT", "[]", "[1]", '{"a":1}', "[" * 2000):
            assert await error(client, path, symbols=symbols) == -1100
        both = {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}
        assert await error(client, path, **both) == -1128


async def test_parameters_that_nobody_knows_are_passed_over(client: TestClient[Any, Any]) -> None:
    assert await minutes(client, limit=1, colour="blue") == [90]


async def test_a_store_without_coins_answers_too(tmp_path: Path) -> None:
    async with (
        FilledStore(f"sqlite:///{tmp_path}/empty.sqlite") as filled,
        serve(filled.reader, NOW) as client,
    ):
        assert (await get(client, "exchangeInfo"))["symbols"] == []
        assert await get(client, "ticker/24hr") == []
        assert await get(client, "ticker/price") == []
        assert await error(client, "klines", symbol="BTC", interval="1m") == -1121


async def all_unavailable(client: TestClient[Any, Any]) -> None:
    """Ask every page that needs the store."""
    for path in ALL_PATHS[2:]:
        query = {"symbol": "BTCUSDT", "interval": "1m"}
        async with client.get(f"/api/v3/{path}", params=query) as answer:
            assert answer.status == 503
            assert answer.headers["Content-Type"] == "application/json"
            assert (await answer.json())["code"] == -1001


async def test_a_store_that_is_not_there_is_no_failure_of_the_server(tmp_path: Path) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path}/none.sqlite"))
    async with serve(StoreReader(database), NOW) as client:
        await all_unavailable(client)
        assert await get(client, "ping") == {}
    await database.close()


async def test_a_database_that_goes_away_comes_back(
    postgresql: PostgreSQLServer, postgresql_url: str
) -> None:
    async with FilledStore(postgresql_url) as filled, serve(filled.reader, NOW) as client:
        await filled.feed(Given("BTCUSDT", START, "1"))
        assert await minutes(client) == [0]
        postgresql.kill()
        try:
            await all_unavailable(client)
        finally:
            await asyncio.to_thread(postgresql.start)
        assert await minutes(client) == [0]


async def test_candles_are_read_while_others_are_written(tmp_path: Path) -> None:
    file = tmp_path / "chart.sqlite"
    async with (
        FilledStore(f"sqlite:///{file}") as filled,
        serve(filled.reader, NOW) as client,
    ):
        await filled.feed(Given("BTCUSDT", START, "1"))
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await asyncio.wait_for(minutes(client), PATIENCE_S) == [0]
