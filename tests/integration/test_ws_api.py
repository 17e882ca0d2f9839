"""The WebSocket API: what REST answers, over a WebSocket."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType
from aiohttp.test_utils import TestClient
from sqlalchemy import make_url

from chart_app.model.intervals import MINUTE_MS
from chart_app.storage.database import Database
from chart_app.storage.reader import StoreReader
from chart_app.websocket.api import METHODS
from tests.integration.filled_store import FilledStore, Given, serve
from tests.waiting import PATIENCE_S

START = 1_682_882_400_000
NOW = START + 10 * MINUTE_MS
#: What each method needs at least.
PARAMETERS = {"symbol": "BTCUSDT", "interval": "1m", "limit": 2}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    """Return a client of a server with some trades."""
    async with (
        FilledStore(f"sqlite:///{tmp_path}/chart.sqlite") as filled,
        serve(filled.reader, NOW) as client,
    ):
        await filled.feed(
            *(Given("BTCUSDT", START + it * MINUTE_MS, f"1{it}.5") for it in range(5))
        )
        await filled.feed(Given("ETHUSDT", START, "2"))
        yield client


async def ask(client: TestClient[Any, Any], *messages: Any) -> list[Any]:
    """Send messages at once; return the replies."""
    async with client.ws_connect("/ws-api/v3") as socket:
        for message in messages:
            await socket.send_str(message if isinstance(message, str) else json.dumps(message))
        return [await socket.receive_json(timeout=PATIENCE_S) for _ in messages]


@pytest.mark.parametrize(("method", "path"), METHODS.items())
async def test_each_method_answers_what_its_endpoint_does(
    client: TestClient[Any, Any], method: str, path: str
) -> None:
    query = {name: str(value) for name, value in PARAMETERS.items()}
    async with client.get(f"/api/v3/{path}", params=query) as answer:
        expected = await answer.json()
    (reply,) = await ask(client, {"id": "x", "method": method, "params": PARAMETERS})
    assert reply == {"id": "x", "status": 200, "result": expected, "rateLimits": []}


async def test_requests_are_answered_in_order_with_their_ids(client: TestClient[Any, Any]) -> None:
    ids = [1, "two", None, 4]
    replies = await ask(client, *({"id": it, "method": "ping"} for it in ids))
    assert [it["id"] for it in replies] == ids


async def test_parameters_may_be_arrays(client: TestClient[Any, Any]) -> None:
    symbols = {"symbols": ["ETHUSDT", "BTCUSDT"]}
    (reply,) = await ask(client, {"id": 1, "method": "ticker.price", "params": symbols})
    assert [it["symbol"] for it in reply["result"]] == ["BTCUSDT", "ETHUSDT"]


@pytest.mark.parametrize(
    ("message", "id_", "code"),
    [
        ("{", None, -1135),
        ("[" * 30_000, None, -1135),
        ("[]", None, -1135),
        ('{"id": {}, "method": "ping"}', None, -1135),
        ({"id": 1}, 1, -1020),
        ({"id": 1, "method": "order.place"}, 1, -1020),
        ({"id": 1, "method": ["ping"]}, 1, -1020),
        ({"id": 1, "method": "klines", "params": []}, 1, -1102),
        ({"id": 1, "method": "klines", "params": [1]}, 1, -1100),
        ({"id": 1, "method": "klines"}, 1, -1102),
        ({"id": 1, "method": "klines", "params": {**PARAMETERS, "symbol": "XRP"}}, 1, -1121),
        ({"id": 1, "method": "klines", "params": {**PARAMETERS, "limit": True}}, 1, -1100),
        ({"id": 1, "method": "klines", "params": {**PARAMETERS, "limit": {}}}, 1, -1100),
    ],
)
async def test_a_wrong_request_is_an_error_and_the_next_is_answered(
    client: TestClient[Any, Any], message: Any, id_: Any, code: int
) -> None:
    error, after = await ask(client, message, {"id": 2, "method": "ping"})
    assert (error["id"], error["status"], error["error"]["code"]) == (id_, 400, code)
    assert after["result"] == {}


async def test_a_message_that_is_too_large_closes_the_connection(
    client: TestClient[Any, Any],
) -> None:
    async with client.ws_connect("/ws-api/v3") as socket:
        await socket.send_str(" " * 70_000)
        message = await socket.receive(timeout=PATIENCE_S)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1009)


async def test_a_plain_request_is_told_to_upgrade(client: TestClient[Any, Any]) -> None:
    async with client.get("/ws-api/v3") as answer:
        assert answer.status == 426


async def test_without_the_store_the_error_says_so(tmp_path: Path) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path}/none.sqlite"))
    async with serve(StoreReader(database), NOW) as client:
        (reply,) = await ask(client, {"id": 1, "method": "ticker.price"})
    await database.close()
    assert (reply["status"], reply["error"]["code"]) == (503, -1001)
