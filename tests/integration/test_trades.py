"""Every row of the answers of POST /trades, on real Kafka."""

import asyncio
import gzip
import io
import json
from collections import defaultdict
from typing import Any

import aiohttp
import pytest

from tests.conftest import Cluster
from tests.records import read_all
from tests.waiting import in_time

PATH = "/trades"
MB = 1024 * 1024
TRADE = {"coinName": "BTC", "price": 91234.5, "numOfCoin": 0.25}
BAD = {"coinName": " BTC", "price": "1_000", "numOfCoin": 0.25}
NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}


def ndjson(trades: list[Any]) -> bytes:
    """Return a line of JSON for each trade."""
    return b"".join(json.dumps(trade).encode() + b"\n" for trade in trades)


async def post(
    http: aiohttp.ClientSession, body: bytes, headers: dict[str, str], status: int
) -> dict[str, Any]:
    """Post a body, check the status of the answer, return its content."""
    async with http.post(PATH, data=io.BytesIO(body), headers=headers) as answer:
        assert answer.status == status, await answer.text()
        kind = "application/json" if status < 400 else "application/problem+json"
        assert answer.content_type == kind
        content: dict[str, Any] = await answer.json()
        return content


@pytest.mark.parametrize("kind", [JSON, NDJSON])
@pytest.mark.parametrize("is_packed", [False, True])
async def test_all_trades_are_sent(
    http: aiohttp.ClientSession, shared: Cluster, kind: dict[str, str], is_packed: bool
) -> None:
    name = f"ALL{len(kind['Content-Type'])}{is_packed}"
    trades = [
        {**TRADE, "coinName": name, "timestamp": 1_700_000_000_123, "tradeId": 7},
        {**TRADE, "coinName": name, "timestamp": 1_700_000_000_124, "price": "0.10"},
        {**TRADE, "coinName": name, "timestamp": 1_700_000_000_125, "topic": shared.topic},
    ]
    body = json.dumps(trades).encode() if kind is JSON else ndjson(trades)
    headers = {**kind, "Content-Encoding": "gzip"} if is_packed else kind
    answer = await post(http, gzip.compress(body) if is_packed else body, headers, 201)
    assert answer == {"accepted": 3, "rejected": 0, "errors": []}
    stored = [record for record in await read_all(shared) if record.key == name.encode()]
    prefix = f'{{"coinName":"{name}","numOfCoin":0.25,"price":'
    assert [(record.value.decode(), record.timestamp) for record in stored] == [
        (prefix + '91234.5,"tradeId":7}', 1_700_000_000_123),
        (prefix + "0.10}", 1_700_000_000_124),
        (prefix + "91234.5}", 1_700_000_000_125),
    ]


@pytest.mark.parametrize("kind", [JSON, NDJSON])
async def test_bad_trades_are_named_and_the_others_sent(
    http: aiohttp.ClientSession, shared: Cluster, kind: dict[str, str]
) -> None:
    name = f"SOME{len(kind['Content-Type'])}"
    good = {**TRADE, "coinName": name}
    trades = [BAD, good, 17, good, {}, {**good, "timestamp": "soon"}, {**good, "topic": "another"}]
    body = json.dumps(trades).encode() if kind is JSON else ndjson(trades)
    answer = await post(http, body, kind, 207)
    assert (answer["accepted"], answer["rejected"]) == (2, 5)
    assert {
        rejected["index"]: [error["field"] for error in rejected["errors"]]
        for rejected in answer["errors"]
    } == {
        0: ["coinName", "price"],
        2: [""],
        4: ["coinName", "price", "numOfCoin"],
        5: ["timestamp"],
        6: ["topic"],
    }
    assert len([it for it in await read_all(shared) if it.key == name.encode()]) == 2


@pytest.mark.parametrize("kind", [JSON, NDJSON])
async def test_nothing_but_bad_trades_is_422(
    http: aiohttp.ClientSession, kind: dict[str, str]
) -> None:
    body = json.dumps([BAD, {}]).encode() if kind is JSON else ndjson([BAD, {}])
    answer = await post(http, body, kind, 422)
    assert (answer["accepted"], answer["rejected"]) == (0, 2)
    assert [rejected["index"] for rejected in answer["errors"]] == [0, 1]


@pytest.mark.parametrize(("kind", "body"), [(JSON, b"[]"), (NDJSON, b""), (NDJSON, b"\n \r\n")])
async def test_no_trade_is_422(
    http: aiohttp.ClientSession, kind: dict[str, str], body: bytes
) -> None:
    assert (await post(http, body, kind, 422))["errors"] == []


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "truncated"),
        (b"[{}", "truncated"),
        (b'[{"a":1},]', "(byte 9)"),
        (b"[{}] {}", "(byte "),
        (b"{}", "array"),
        (b'[{"price":NaN}]', "(byte 10)"),
        (b"[" * 100_000, "too deep"),
        (b'[{"x":' + b"[" * 100_000, "too deep"),
    ],
)
async def test_what_is_no_json_array_is_400(
    http: aiohttp.ClientSession, body: bytes, place: str
) -> None:
    assert place in (await post(http, body, JSON, 400))["detail"]


async def test_lines_that_are_no_json_are_named(http: aiohttp.ClientSession) -> None:
    lines = [b'{"price":NaN}', b"{", b"\xff", b"[" * 100_000, json.dumps(TRADE).encode()]
    lines += [b'{"coinName":"A","price":1,"price":2,"numOfCoin":1}']
    answer = await post(http, b"\r\n".join(lines), NDJSON, 207)
    assert [rejected["index"] for rejected in answer["errors"]] == [0, 1, 2, 3, 5]


@pytest.mark.parametrize("kind", [JSON, NDJSON])
async def test_as_many_trades_as_may_be(http: aiohttp.ClientSession, kind: dict[str, str]) -> None:
    def body(count: int) -> bytes:
        trades = [TRADE] * count
        return json.dumps(trades).encode() if kind is JSON else ndjson(trades)

    assert (await post(http, body(10_000), kind, 201))["accepted"] == 10_000
    assert "10000 trades" in (await post(http, body(10_001), kind, 413))["detail"]


@pytest.mark.parametrize("kind", [JSON, NDJSON])
async def test_a_body_of_up_to_4_mib(http: aiohttp.ClientSession, kind: dict[str, str]) -> None:
    def body(size: int) -> bytes:
        trade = json.dumps(TRADE).encode()
        if kind is JSON:
            return b"[" + trade.ljust(size - 2) + b"]"
        return (trade + b"\n").ljust(size)

    assert (await post(http, body(4 * MB), kind, 201))["accepted"] == 1
    assert "4194304 bytes" in (await post(http, body(4 * MB + 1), kind, 413))["detail"]


async def test_an_array_of_nothing_but_numbers_takes_no_memory(
    http: aiohttp.ClientSession,
) -> None:
    body = b"[" + b"0," * (2 * MB - 2) + b"0]"
    assert "10000 trades" in (await post(http, body, JSON, 413))["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_another_type_of_body_is_415(http: aiohttp.ClientSession, content_type: str) -> None:
    await post(http, b"[]", {"Content-Type": content_type}, 415)


async def test_order_within_a_coin_is_kept_over_many_concurrent_requests(
    http: aiohttp.ClientSession, shared: Cluster
) -> None:
    names = [f"ORDER{number}" for number in range(5)]

    async def send(client: int) -> None:
        for request in range(8):
            trades = [
                {**TRADE, "coinName": names[item % 5], "tradeId": f"{client} {request} {item}"}
                for item in range(200)
            ]
            await post(http, json.dumps(trades).encode(), JSON, 201)

    await asyncio.gather(*(send(client) for client in range(8)))
    sequences: dict[tuple[str, str], list[list[int]]] = defaultdict(list)
    for record in await read_all(shared):
        if record.key and record.key.startswith(b"ORDER"):
            client, *place = json.loads(record.value)["tradeId"].split()
            sequences[record.key.decode(), client].append([int(part) for part in place])
    assert len(sequences) == 5 * 8
    for sequence in sequences.values():
        assert len(sequence) == 8 * 40
        assert sequence == sorted(sequence)


#: As slow to read as 64 KiB can be.
WORST_ITEM = b'{"x":[' + b"1," * 32_000 + b"1]}"


@pytest.mark.parametrize("kind", [JSON, NDJSON])
async def test_health_is_answered_while_the_worst_body_is_read(
    http: aiohttp.ClientSession, kind: dict[str, str]
) -> None:
    items = [WORST_ITEM] * (62 if kind is NDJSON else 11)  # an array may have 400,000 commas
    body = b"\n".join(items) if kind is NDJSON else b"[" + b",".join(items) + b"]"
    headers = {**kind, "Content-Encoding": "gzip"}

    async def attempt() -> float:
        posting = asyncio.create_task(post(http, gzip.compress(body), headers, 422))
        answers = 0
        while not posting.done():
            async with http.get("/healthz") as answer:
                assert answer.status == 200
            answers += 1
        assert (await posting)["rejected"] == len(items)
        return 1 / answers

    # One before, one after, and one while it is read would be three.
    await in_time(1 / 3, attempt)


async def test_an_item_that_is_too_long_is_rejected_unread(http: aiohttp.ClientSession) -> None:
    body = b'{"x":[' + b"1," * 2_000_000 + b"1]}\n" + b'{"coinName":1}'
    packed = {**NDJSON, "Content-Encoding": "gzip"}
    first, second = (await post(http, gzip.compress(body), packed, 422))["errors"]
    assert first["errors"] == [{"field": "", "detail": "is longer than 65536 bytes"}]
    assert second["errors"][0]["field"] == "coinName"
