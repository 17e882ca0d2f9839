"""TradingView's data feed, line by line of what its library needs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from sqlalchemy import make_url

from chart_app.model.intervals import DAY_MS, MINUTE_MS, Interval
from chart_app.rest.udf import RESOLUTIONS, SHORT_RESOLUTIONS
from chart_app.storage.database import Database
from chart_app.storage.reader import StoreReader
from tests.integration.filled_store import FilledStore, Given, serve

START_S = 1_682_882_400
START = START_S * 1000
NOW = START + 100 * MINUTE_MS
MINUTES = [0, 1, 2, 5, 9]
ALL_RESOLUTIONS = {**RESOLUTIONS, **SHORT_RESOLUTIONS}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    """Return a client of a server with some trades."""
    async with (
        FilledStore(f"sqlite:///{tmp_path}/chart.sqlite") as filled,
        serve(filled.reader, NOW) as client,
    ):
        await filled.feed(
            *(
                Given("BTCUSDT", START + minute * MINUTE_MS, f"{10 + minute}.50", "0.125")
                for minute in MINUTES
            ),
            Given("btc-krw", START, "3"),
            Given("Dogecoin", START - 2 * DAY_MS, "1E-18", "1000"),
        )
        yield client


async def get(client: TestClient[Any, Any], path: str, **query: Any) -> Any:
    """Return what a page says."""
    async with client.get(f"/udf/{path}", params=query) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return await answer.json()


async def bars(client: TestClient[Any, Any], **query: Any) -> Any:
    """Return what /history says of minutes of BTCUSDT."""
    return await get(client, "history", **{"symbol": "BTCUSDT", "resolution": "1", **query})


async def minutes(client: TestClient[Any, Any], **query: Any) -> list[int]:
    """Return the minutes of bars; none is ``no_data``."""
    answer = await bars(client, **query)
    if answer["s"] == "no_data":
        assert "t" not in answer
        return []
    assert answer["s"] == "ok"
    columns = [answer[name] for name in "tohlcv"]
    assert {len(column) for column in columns} == {len(columns[0])}
    assert columns[0] == sorted(columns[0])
    return [(time - START_S) // 60 for time in columns[0]]


def after(minute: int) -> int:
    """Return a time so many minutes after the start, in s."""
    return START_S + minute * 60


async def test_the_configuration_says_what_there_is(client: TestClient[Any, Any]) -> None:
    assert await get(client, "config") == {
        "supports_search": True,
        "supports_group_request": False,
        "supports_time": True,
        "supports_marks": False,
        "supports_timescale_marks": False,
        "supported_resolutions": [
            *("1", "3", "5", "15", "30", "60", "120", "240", "360", "480", "720"),
            *("1D", "3D", "1W", "1M"),
        ],
    }


async def test_the_time_is_plain_text_in_seconds(client: TestClient[Any, Any]) -> None:
    async with client.get("/udf/time") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert await answer.text() == str(NOW // 1000)


async def test_a_symbol_has_what_the_library_reads_and_no_s(client: TestClient[Any, Any]) -> None:
    for asked in ("BTCUSDT", "btcusdt"):
        symbol = await get(client, "symbols", symbol=asked)
        assert "s" not in symbol
        assert symbol["name"] == symbol["ticker"] == symbol["description"] == "BTCUSDT"
        assert symbol["exchange"] == symbol["listed_exchange"] != ""
        assert (symbol["type"], symbol["format"]) == ("crypto", "price")
        assert (symbol["session"], symbol["timezone"]) == ("24x7", "Etc/UTC")
        assert (symbol["minmov"], symbol["pricescale"], symbol["volume_precision"]) == (1, 100, 3)
        assert symbol["has_intraday"] is symbol["has_daily"] is True
        assert symbol["supported_resolutions"] == list(RESOLUTIONS)
        assert symbol["data_status"] == "streaming"
    assert (await get(client, "symbols", symbol="Dogecoin"))["pricescale"] == 10**18


async def test_an_unknown_symbol_is_an_error(client: TestClient[Any, Any]) -> None:
    unknown = {"s": "error", "errmsg": "unknown_symbol"}
    assert await get(client, "symbols", symbol="X") == unknown
    assert await bars(client, symbol="X") == unknown
    assert (await get(client, "symbols"))["s"] == "error"


async def test_search_finds_parts_of_names_without_regard_to_case(
    client: TestClient[Any, Any],
) -> None:
    async def found(**query: Any) -> list[str]:
        return [it["symbol"] for it in await get(client, "search", **query)]

    everything = ["BTCUSDT", "Dogecoin", "btc-krw"]
    assert await found() == await found(query="") == everything
    assert await found(query="BTC") == ["BTCUSDT", "btc-krw"]
    assert await found(query="COIN", type="crypto", exchange="") == ["Dogecoin"]
    assert await found(query="BTC", limit=1) == ["BTCUSDT"]
    assert await found(query="X") == await found(limit=0) == await found(limit=-1) == []
    assert await found(type="stock") == await found(exchange="NYSE") == []
    (match,) = await get(client, "search", query="DOGE")
    assert match == {
        **dict.fromkeys(["symbol", "full_name", "ticker", "description"], "Dogecoin"),
        "exchange": "trade-streaming",
        "type": "crypto",
    }


async def test_bars_are_numbers(client: TestClient[Any, Any]) -> None:
    answer = await bars(client, **{"from": after(1), "to": after(3)})
    assert answer == {
        "s": "ok",
        "t": [after(1), after(2)],
        **{name: [11.5, 12.5] for name in "ohlc"},
        "v": [0.125, 0.125],
    }


async def test_from_is_inclusive_and_to_is_exclusive(client: TestClient[Any, Any]) -> None:
    assert await minutes(client, **{"from": after(1), "to": after(5)}) == [1, 2]
    assert await minutes(client, **{"from": after(1), "to": after(5) + 1}) == [1, 2, 5]
    assert await minutes(client, **{"from": after(1) + 1, "to": after(5)}) == [2]
    assert await minutes(client, **{"from": after(1)}) == [1, 2, 5, 9]
    assert await minutes(client, to=after(1)) == [0]
    assert await minutes(client) == MINUTES


async def test_countback_outranks_from(client: TestClient[Any, Any]) -> None:
    assert await minutes(client, countback=3, to=after(9), **{"from": after(8)}) == [1, 2, 5]
    assert await minutes(client, countback=1, to=after(9), **{"from": 0}) == [5]
    assert await minutes(client, countback=100, to=after(9)) == [0, 1, 2, 5]
    assert await minutes(client, countback=10**15, to=after(9)) == [0, 1, 2, 5]
    assert await minutes(client, countback=0, to=after(2), **{"from": 0}) == [0, 1]


async def test_no_data_says_where_the_nearest_earlier_bar_is(client: TestClient[Any, Any]) -> None:
    gap = {"from": after(6), "to": after(9)}
    assert await bars(client, **gap) == {"s": "no_data", "nextTime": after(5)}
    assert await bars(client, **{"from": 0, "to": after(0)}) == {"s": "no_data"}
    assert await bars(client, countback=5, to=after(0)) == {"s": "no_data"}


@pytest.mark.parametrize(("resolution", "interval"), ALL_RESOLUTIONS.items())
async def test_every_resolution_is_an_interval(
    client: TestClient[Any, Any], resolution: str, interval: Interval
) -> None:
    answer = await bars(client, resolution=resolution)
    opens = {interval.open_time(START + minute * MINUTE_MS) // 1000 for minute in MINUTES}
    assert answer["t"] == sorted(opens)


async def test_wrong_parameters_are_errors(client: TestClient[Any, Any]) -> None:
    for query in (
        {"resolution": "7"},
        {"resolution": ""},
        {"from": "yesterday"},
        {"to": "1.5"},
        {"countback": "x"},
        {"symbol": "\0"},
        {"symbol": ""},
    ):
        answer = await bars(client, **query)
        assert answer["s"] == "error"
        assert answer["errmsg"]
    assert (await get(client, "search", limit="x"))["s"] == "error"


async def test_times_out_of_all_range_are_taken(client: TestClient[Any, Any]) -> None:
    assert await minutes(client, **{"from": -(10**19), "to": 10**19}) == MINUTES
    assert await minutes(client, to=-(10**19)) == []


async def test_a_store_that_is_not_there_is_no_failure_of_the_server(tmp_path: Path) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path}/none.sqlite"))
    async with serve(StoreReader(database), NOW) as client:
        for path in ("symbols", "search", "history"):
            query = {"symbol": "BTCUSDT", "resolution": "1"}
            async with client.get(f"/udf/{path}", params=query) as answer:
                assert answer.status == 503
                assert (await answer.json())["s"] == "error"
        assert (await get(client, "config"))["supports_time"]
    await database.close()
