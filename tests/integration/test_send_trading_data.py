"""Every row of the answers of POST /send-trading-data, on real Kafka."""

import asyncio
import gzip
import json
import time
import unicodedata
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from dev.local_kafka import LocalKafka
from streaming.clock import now_ms
from tests.conftest import Cluster, make_cluster
from tests.programs import Program
from tests.waiting import PATIENCE_S, eventually, in_time

TRADE = {"coinName": "BTC", "price": 91234.5, "numOfCoin": 0.25}
PATH = "/send-trading-data"
PROBLEM = "application/problem+json"
MB = 1024 * 1024
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


async def read(cluster: Cluster, partition: int, offset: int) -> Any:
    """Return the record at an offset of the test's topic."""
    tp = TopicPartition(cluster.topic, partition)
    consumer = AIOKafkaConsumer(bootstrap_servers=cluster.broker.bootstrap_server)
    await consumer.start()
    try:
        consumer.assign([tp])
        consumer.seek(tp, offset)
        return await asyncio.wait_for(consumer.getone(), PATIENCE_S)
    finally:
        await consumer.stop()


async def problem_of(answer: aiohttp.ClientResponse, status: int) -> dict[str, Any]:
    """Check that an answer is a problem+json of a status; return it."""
    assert answer.status == status, await answer.text()
    assert answer.content_type == PROBLEM
    problem: dict[str, Any] = await answer.json(content_type=PROBLEM)
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


@pytest.mark.parametrize("form", ["json", "data"])
async def test_a_trade_is_answered_201_as_text(
    http: aiohttp.ClientSession, shared: Cluster, form: str
) -> None:
    body: dict[str, Any] = {form: {"topic": shared.topic, **TRADE}}
    async with http.post(PATH, **body) as answer:
        assert answer.status == 201
        assert answer.content_type == "text/plain"
        assert await answer.text() == f"topic {shared.topic} added"


async def test_a_trade_is_answered_as_json_where_that_is_accepted(
    http: aiohttp.ClientSession, shared: Cluster
) -> None:
    sent = {"topic": shared.topic, **TRADE, "timestamp": 1_700_000_000_123}
    async with http.post(PATH, json=sent, headers={"Accept": "application/json"}) as answer:
        assert answer.status == 201
        assert answer.content_type == "application/json"
        stored = await answer.json()
    assert stored.keys() == {"topic", "partition", "offset", "timestamp"}
    assert stored["topic"] == shared.topic
    assert stored["timestamp"] == 1_700_000_000_123
    record = await read(shared, stored["partition"], stored["offset"])
    assert record.key == b"BTC"
    assert record.value == b'{"coinName":"BTC","numOfCoin":0.25,"price":91234.5}'
    assert record.timestamp == 1_700_000_000_123
    assert record.timestamp_type == 0, "CreateTime"
    assert not record.headers


async def test_digits_names_and_ids_are_stored_exactly(
    http: aiohttp.ClientSession, shared: Cluster
) -> None:
    body = (
        f'{{"topic":"{shared.topic}","price":0.1234567890123456789,'
        '"numOfCoin":"100000000000000000.000000000000000001","coinName":"비트코인 🚀",'
        '"tradeId":12345678901234567890,"note":"passed over"}'
    )
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    before = time.time_ns() // 1_000_000
    async with http.post(PATH, data=body.encode(), headers=headers) as answer:
        stored = await answer.json()
    record = await read(shared, stored["partition"], stored["offset"])
    assert record.value.decode() == (
        '{"coinName":"비트코인 🚀","numOfCoin":100000000000000000.000000000000000001,'
        '"price":0.1234567890123456789,"tradeId":12345678901234567890}'
    )
    assert record.key.decode() == "비트코인 🚀"
    assert before <= record.timestamp <= time.time_ns() // 1_000_000


@pytest.mark.parametrize("topic", [{}, {"topic": ""}, {"topic": None}])
@pytest.mark.parametrize("form", ["json", "data"])
async def test_no_topic_is_400_as_text(
    http: aiohttp.ClientSession, form: str, topic: dict[str, Any]
) -> None:
    fields = {**topic, **TRADE, "price": "nonsense"}
    if form == "data":
        fields = {name: str(value or "") for name, value in fields.items()}
    body: dict[str, Any] = {form: fields}
    async with http.post(PATH, **body) as answer:
        assert answer.status == 400
        assert answer.content_type == "text/plain"
        assert await answer.text() == "topic is undefined"


async def test_all_bad_fields_are_named_at_once(http: aiohttp.ClientSession) -> None:
    sent = {"topic": "__consumer_offsets", "price": True, "tradeId": 1.5, "timestamp": "soon"}
    async with http.post(PATH, json={**sent, "coinName": " BTC "}) as answer:
        problem = await problem_of(answer, 422)
    assert [error["field"] for error in problem["errors"]] == [
        "topic",
        "coinName",
        "price",
        "numOfCoin",
        "tradeId",
        "timestamp",
    ]
    assert all(error["detail"] for error in problem["errors"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("topic", "another-topic"),
        ("topic", 7),
        ("topic", ["tradeData"]),
        ("coinName", ""),
        ("coinName", "x" * 65),
        ("coinName", "a\nb"),
        ("coinName", "B\u200bTC"),
        ("coinName", "BTC\u202e"),
        ("coinName", "\u3164"),
        ("coinName", "a\u00a0b"),
        ("coinName", "ＢＴＣ"),
        ("coinName", unicodedata.normalize("NFD", "비트코인")),
        ("coinName", None),
        ("coinName", 1),
        ("price", 0),
        ("price", -1),
        ("price", "NaN"),
        ("price", None),
        ("price", [1]),
        ("numOfCoin", "1_000"),
        ("numOfCoin", " 1"),
        ("numOfCoin", "１２"),
        ("numOfCoin", 1e-19),
        ("numOfCoin", 1e18),
        ("numOfCoin", "1E+999999999"),
        ("tradeId", "x" * 65),
        ("tradeId", ""),
        ("tradeId", True),
        ("timestamp", -1),
        ("timestamp", 1.5),
        ("timestamp", None),
        ("timestamp", 99_999_999_999_999),
        ("timestamp", "a minute ahead"),
    ],
)
async def test_a_bad_field_is_422(
    http: aiohttp.ClientSession, shared: Cluster, field: str, value: Any
) -> None:
    if value == "a minute ahead":
        value = now_ms() + 60_000
    async with http.post(PATH, json={"topic": shared.topic, **TRADE, field: value}) as answer:
        problem = await problem_of(answer, 422)
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_a_time_may_lie_some_seconds_in_the_future(
    http: aiohttp.ClientSession, shared: Cluster
) -> None:
    sent = {"topic": shared.topic, **TRADE, "timestamp": now_ms() + 9_000}
    async with http.post(PATH, json=sent) as answer:
        assert answer.status == 201


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("application/json", b'{"topic":"a","topic":"b"}'),
        ("application/json", b'{"price":NaN}'),
        ("application/json", b'{"price":Infinity}'),
        ("application/json", b"\xff\xfe{}"),
        ("application/json", b"[" * 50_000),
        ("application/x-www-form-urlencoded", b"nonsense"),
        ("application/x-www-form-urlencoded", b"price=1&price=2"),
        ("application/x-www-form-urlencoded", b"coinName=%ff"),
    ],
)
async def test_a_body_that_is_neither_json_nor_form_is_400(
    http: aiohttp.ClientSession, content_type: str, body: bytes
) -> None:
    async with http.post(PATH, data=body, headers={"Content-Type": content_type}) as answer:
        await problem_of(answer, 400)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data", "application/json; charset=latin-1"]
)
async def test_another_type_of_body_is_415(http: aiohttp.ClientSession, content_type: str) -> None:
    async with http.post(PATH, data=b"{}", headers={"Content-Type": content_type}) as answer:
        await problem_of(answer, 415)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_another_method_is_405(http: aiohttp.ClientSession, method: str) -> None:
    async with http.request(method, PATH) as answer:
        await problem_of(answer, 405)
        assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/table/", "/router/", "/graph", "/nothing"])
async def test_there_is_nothing_at_other_paths(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as answer:
        await problem_of(answer, 404)


@pytest.mark.parametrize("framing", ["Content-Length: 10485760", "Transfer-Encoding: chunked"])
async def test_a_large_body_is_413_before_it_has_arrived(trading: Program, framing: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", trading.port)
    writer.write(f"{HEAD}{framing}\r\n\r\n".encode())
    sent = 0
    answer = asyncio.ensure_future(reader.readuntil(b"\r\n\r\n"))
    while not answer.done() and sent < 10 * MB:
        chunk = b"x" * 16384
        writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk) if "chunked" in framing else chunk)
        await writer.drain()
        sent += len(chunk)
        await asyncio.wait({answer}, timeout=0.5)  # it has half a minute for the first MB
    assert b" 413 " in (await asyncio.wait_for(answer, PATIENCE_S)).splitlines()[0]
    assert sent < MB
    writer.close()


async def test_a_packed_body_is_limited_by_what_it_unpacks_to(
    http: aiohttp.ClientSession,
) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with http.post(PATH, data=gzip.compress(b"0" * 10 * MB), headers=headers) as answer:
        await problem_of(answer, 413)


async def test_a_packed_body_is_unpacked(http: aiohttp.ClientSession, shared: Cluster) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps({"topic": shared.topic, **TRADE}).encode())
    async with http.post(PATH, data=body, headers=headers) as answer:
        assert answer.status == 201
    async with http.post(PATH, data=b"not packed", headers=headers) as answer:
        await problem_of(answer, 400)


async def test_slow_clients_do_not_block_others(trading: Program, shared: Cluster) -> None:
    slow = [await asyncio.open_connection("127.0.0.1", trading.port) for _ in range(200)]
    for number, (_, writer) in enumerate(slow):
        unfinished = f"{HEAD}Content-Length: 100\r\n\r\n{{" if number % 2 else HEAD
        writer.write(unfinished.encode())
    async with aiohttp.ClientSession(trading.url) as session:

        async def post() -> float:
            begin = time.monotonic()
            for _ in range(20):
                async with session.post(PATH, json={"topic": shared.topic, **TRADE}) as answer:
                    assert answer.status == 201
            return time.monotonic() - begin

        await in_time(2, post)
    for _, writer in slow:
        writer.close()


async def test_a_body_that_does_not_come_is_408(kafka: LocalKafka, tmp_path: Path) -> None:
    settings = {**make_cluster(kafka).settings, "HTTP_READ_TIMEOUT": "0.2"}
    with Program("trading_app", tmp_path, settings) as trading:
        trading.wait_ready()
        reader, writer = await asyncio.open_connection("127.0.0.1", trading.port)
        writer.write(f"{HEAD}Content-Length: 100\r\n\r\n{{".encode())
        assert b" 408 " in await asyncio.wait_for(reader.readline(), PATIENCE_S)
        writer.close()


async def test_a_broker_that_hangs_means_503_and_it_heals(
    own_cluster: Cluster, tmp_path: Path
) -> None:
    settings = {**own_cluster.settings, "KAFKA_DELIVERY_TIMEOUT": "5"}
    trade = {"topic": own_cluster.topic, **TRADE}
    with Program("trading_app", tmp_path, settings) as trading:
        trading.wait_ready()
        async with aiohttp.ClientSession(trading.url) as http:

            async def status(path: str) -> int:
                async with http.get(path) as answer:
                    return answer.status

            async def accepted() -> bool:
                async with http.post(PATH, json=trade) as answer:
                    return answer.status == 201

            assert await accepted()
            own_cluster.broker.suspend()
            try:

                async def post() -> float:
                    begin = time.monotonic()
                    async with http.post(PATH, json=trade) as answer:
                        problem = await problem_of(answer, 503)
                    assert int(answer.headers["Retry-After"]) > 0
                    assert "unknown" in problem["detail"]
                    return time.monotonic() - begin

                await in_time(6, post)
                assert await status("/readyz") == 503
                assert await status("/healthz") == 200
            finally:
                own_cluster.broker.resume()
            await eventually(accepted, "trades are accepted again")

            async def ready() -> bool:
                return await status("/readyz") == 200

            await eventually(ready, "/readyz is fine again")


async def test_a_full_send_buffer_is_503_at_once(own_cluster: Cluster, tmp_path: Path) -> None:
    trade = {"topic": own_cluster.topic, **TRADE}
    settings = {**own_cluster.settings, "MAX_UNCONFIRMED": "3", "KAFKA_DELIVERY_TIMEOUT": "60"}
    with Program("trading_app", tmp_path, settings) as trading:
        trading.wait_ready()
        async with aiohttp.ClientSession(trading.url) as http:
            own_cluster.broker.suspend()
            try:
                waiting = [asyncio.ensure_future(http.post(PATH, json=trade)) for _ in range(3)]

                async def full() -> bool:
                    async with http.get("/metrics") as answer:
                        return "trading_trades_unconfirmed 3.0" in await answer.text()

                await eventually(full, "the buffer is full")

                async def refused() -> float:
                    begin = time.monotonic()
                    async with http.post(PATH, json=trade) as answer:
                        problem = await problem_of(answer, 503)
                    assert answer.headers["Retry-After"]
                    assert "was not sent" in problem["detail"]
                    return time.monotonic() - begin

                await in_time(1, refused)
            finally:
                own_cluster.broker.resume()
            for post in waiting:
                async with await post as answer:
                    assert answer.status == 201


async def test_the_pages_of_operation_answer(http: aiohttp.ClientSession) -> None:
    async with http.get("/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})

    async def is_ready() -> bool:
        async with http.get("/readyz") as answer:
            return (answer.status, await answer.json()) == (200, {"status": "ok"})

    await eventually(is_ready, "Kafka answers")
    async with http.get("/metrics") as answer:
        assert 'trading_http_answers_total{status="201"}' in await answer.text()
    async with http.get("/openapi.json") as answer:
        assert PATH in (await answer.json())["paths"]
    async with http.get("/docs") as answer:
        assert answer.content_type == "text/html"
        assert "swagger-ui" in await answer.text()
    async with http.get("/docs/swagger-ui-bundle.js") as answer:
        assert len(await answer.read()) > MB


@pytest.mark.parametrize("form", ["json", "data"])
async def test_a_trade_of_more_than_64_kib_is_413(
    http: aiohttp.ClientSession, shared: Cluster, form: str
) -> None:
    body: dict[str, Any] = {form: {"topic": shared.topic, **TRADE, "note": "x" * 65_536}}
    async with http.post(PATH, **body) as answer:
        assert "65536 bytes" in (await problem_of(answer, 413))["detail"]


async def test_a_number_of_any_length_is_answered_at_once(
    http: aiohttp.ClientSession, shared: Cluster
) -> None:
    async def answered(digits: int, status: int) -> float:
        form = {"topic": shared.topic, **TRADE, "price": "1" * digits + "x"}
        start = time.monotonic()
        async with http.post(PATH, data=form) as answer:
            await problem_of(answer, status)
        return time.monotonic() - start

    await in_time(20, lambda: answered(60_000, 422))
    await in_time(20, lambda: answered(80_000, 413))
