"""Requests for market data that are meant to do harm, on both databases."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from yarl import URL

from tests.integration.filled_store import FilledStore, Given, serve

NOW = 1_700_000_000_000
PAGES = {
    "/api/v3/klines": ["symbol", "interval", "startTime", "endTime", "limit", "fill"],
    "/api/v3/historicalTrades": ["symbol", "fromId", "limit"],
    "/api/v3/aggTrades": ["symbol", "fromId", "startTime", "endTime", "limit"],
    "/api/v3/exchangeInfo": ["symbol", "symbols"],
    "/api/v3/ticker/price": ["symbol", "symbols"],
    "/api/v3/ticker/24hr": ["symbol", "symbols"],
    "/udf/symbols": ["symbol"],
    "/udf/search": ["query", "type", "exchange", "limit"],
    "/udf/history": ["symbol", "resolution", "from", "to", "countback"],
}
RIGHT = {"symbol": "BTC", "interval": "1m", "resolution": "1"}
HOSTILE = [
    *("%00", "BTC%00", "%1B%5B2J", "%0D%0A", "%C2%9B", "%FF", "%ED%A0%80", "%F0%9F%98%80"),
    *("9" * 20, "-" + "9" * 20, "9" * 4000, "1e999999999", "0" * 4000, "%20", "%27%3B--", "%25"),
    *("[" * 4000, "[%22%5Cu0000%22]", "[%22%5Cud800%22]", "[%22%1B%22]", "[1]", "{}", "[%22%22]"),
]


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[TestClient[Any, Any]]:
    """Return a client of a server with a trade."""
    async with FilledStore(database_url) as filled, serve(filled.reader, NOW) as client:
        await filled.feed(Given("BTC", NOW - 60_000, "1"))
        yield client


async def test_no_text_is_more_than_a_page_or_the_database_can_take(
    client: TestClient[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    for path, names in PAGES.items():
        for name in names:
            for text in HOSTILE:
                query = {**RIGHT, name: text} if name != "symbols" else {name: text}
                encoded = "&".join(f"{key}={value}" for key, value in query.items())
                async with client.get(URL(f"{path}?{encoded}", encoded=True)) as answer:
                    assert answer.status in {200, 400}, f"{path}?{encoded}"
                    await answer.json()
    assert not caplog.records
