"""10,000 coins: what tells of all of them is complete, computed once, and keeps nobody waiting."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text

from chart_app.live.gaps import LiveGaps
from chart_app.market.assets import Markets
from chart_app.market.market_data import MarketData
from chart_app.model.intervals import HOUR_MS
from chart_app.rest import binance
from chart_app.storage.pieces import PIECE_COINS
from chart_app.storage.rows import postgresql, row_writer
from chart_app.websocket.hub import Hub
from chart_app.websocket.send_queue import MAX_WAITING_BYTES
from chart_app.websocket.server import WebSockets
from streaming.clock import now_ms
from streaming.http.access import ReadOrigins
from streaming.http.clients import Clients
from tests.integration.filled_store import DEFAULTS, FilledStore, Given
from tests.waiting import PATIENCE_S

COINS = 10_000
#: Of these, with names as long as may be: whole pieces of a list.
LONG_NAMES = 2_000
ALL_TICKERS = "!miniTicker@arr"
BATCH = 100
ASKERS = 50
#: What depends on when it is asked for; the open time from minute to minute.
ASKED_AT = {"openTime", "closeTime"}
LISTS = ["exchangeInfo", "ticker/price", "ticker/24hr"]

Client = TestClient[web.Request, web.Application]


@asynccontextmanager
async def serve(store: FilledStore) -> AsyncIterator[tuple[Client, Hub]]:
    """Serve REST and WebSocket during the ``async with`` block."""
    hub = Hub(store.reader, LiveGaps(), now_ms)
    web_app = web.Application()
    markets = Markets(DEFAULTS.quote_assets, DEFAULTS.default_quote_asset)
    market_data = MarketData(store.reader, markets, now_ms)
    binance.add_routes(web_app, market_data, ReadOrigins(DEFAULTS.read_origins))
    WebSockets(hub, market_data.endpoints, Clients(), ASKERS).add_routes(web_app)
    async with hub, TestClient(TestServer(web_app)) as client:
        yield client, hub


async def fill(store: FilledStore, names: list[str], price: str, amount: str) -> None:
    """Store a trade of each coin within the last hour, and of every tenth one before."""
    now = now_ms()
    trades = [Given(name, now - 1000 * (n % 3000), price, amount) for n, name in enumerate(names)]
    trades += [Given(name, now - 2 * HOUR_MS, "90", "0.5") for name in names[::10]]
    for start in range(0, len(trades), BATCH):
        await store.feed(*trades[start : start + BATCH])


async def get(client: Client, path: str, **query: str) -> bytes:
    """Return what an endpoint answers."""
    async with client.get(f"/api/v3/{path}", params=query) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


def items(answer: bytes) -> list[dict[str, Any]]:
    """Return the items of a list, without what depends on when it was asked for."""
    content = json.loads(answer)
    found = content["symbols"] if isinstance(content, dict) else content
    return [{name: it[name] for name in it if name not in ASKED_AT} for it in found]


async def test_what_tells_of_all_coins_is_complete_and_keeps_nobody_waiting(
    database_url: str,
) -> None:
    # With such names and numbers the tickers of all are more than may wait for a reader.
    names = [f"COIN{number:05}USDT" for number in range(COINS - LONG_NAMES)]
    names += ["\U0001f4b0" * 58 + f"{number:06}" for number in range(LONG_NAMES)]
    number = "123456789012345678.12345678901234567890"
    async with FilledStore(database_url) as store:
        await fill(store, names, number, number)
        async with serve(store) as (client, hub):
            await check_lists(client, names)
            ticker = json.loads(await get(client, "ticker/24hr", symbol=names[0]))
            assert (ticker["count"], ticker["volume"]) == (2, number.replace(".1", ".6"))
            await check_tickers(client, hub, names)


async def check_lists(client: Client, names: list[str]) -> None:
    """Check that lists have all coins, are computed once for all who ask, and let others ask."""
    for path in LISTS:
        start = time.monotonic()
        asking = asyncio.gather(*(get(client, path) for _ in range(ASKERS)))
        pings = 0
        while not asking.done():
            assert await get(client, "ping") == b"{}"
            pings += 1
        whole, *others = await asking
        assert time.monotonic() - start < PATIENCE_S
        assert pings > COINS // PIECE_COINS / 4, "others are answered meanwhile"
        # The time of the computation stands in the answers: it was the same for all.
        assert all(other == whole for other in others)
        listed = items(whole)
        assert [it["symbol"] for it in listed] == names
        for first in range(0, COINS, COINS // 4):
            some = names[first : first + 200]
            named = await get(client, path, symbols=json.dumps(some))
            assert items(named) == listed[first : first + 200]


async def check_tickers(client: Client, hub: Hub, names: list[str]) -> None:
    """Check that the tickers of all coins come in pieces, and cut nobody off."""
    async with (
        client.ws_connect(f"/ws/{ALL_TICKERS}") as bare,
        client.ws_connect(f"/stream?streams={ALL_TICKERS}") as combined,
    ):
        await ask(bare)
        await ask(combined)
        for name in names:
            hub.handle(name, b"")
        told, told_combined = await asyncio.gather(read_tickers(bare), read_tickers(combined))
        assert told == told_combined
        for name in (names[0], names[-1]):
            by_rest = json.loads(await get(client, "ticker/24hr", symbol=name))
            ticker = told[name]
            assert ticker["c"] == by_rest["lastPrice"]
            assert (ticker["v"], ticker["q"]) == (by_rest["volume"], by_rest["quoteVolume"])
        await ask(bare)
        await ask(combined)


async def read_tickers(socket: aiohttp.ClientWebSocketResponse[bool]) -> dict[str, Any]:
    """Read the tickers of all coins once; return them by coin."""
    sizes = []
    told: dict[str, Any] = {}
    while len(told) < COINS:
        event = (await socket.receive(timeout=PATIENCE_S)).data
        sizes.append(len(event.encode()))
        content = json.loads(event)
        tickers = content if isinstance(content, list) else content["data"]
        assert not told.keys() & {it["s"] for it in tickers}
        told |= {it["s"]: it for it in tickers}
    assert sum(sizes) > MAX_WAITING_BYTES
    assert max(sizes) < 512_000
    return told


async def ask(socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
    """Wait until the connection answers."""
    await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
    answer = await socket.receive_json(timeout=PATIENCE_S)
    assert answer == {"result": [ALL_TICKERS], "id": 1}


async def test_many_new_coins_are_stored_at_once(database_url: str) -> None:
    names = [f"COIN{number:05}USDT" for number in range(2 * COINS)]
    async with FilledStore(database_url) as store:
        rows = row_writer(store.database.dialect)
        for new in (names[:COINS], names[COINS:]):
            added = partial(rows.add_coins, coins=new, max_coins=len(names))
            assert await store.database.write(added) == {}
        async with store.database.reader.connect() as connection:
            stored = await connection.scalars(text("SELECT coin FROM coins"))
        assert sorted(stored) == names


async def test_candles_of_many_coins_are_stored_by_several_statements(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "ROWS_MAX", 7)
    names = [f"COIN{number}" for number in range(20)]
    async with FilledStore(postgresql_url) as store:
        for count in (1, 2):
            change = await store.feed(*(Given(name, HOUR_MS, "1") for name in names))
            assert {key.coin for key in change.candles} == set(names)
            assert {it.trades for it in change.candles.values()} == {count}
