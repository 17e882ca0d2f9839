"""POST /trades when Kafka, the client or a process does not do as it should."""

import asyncio
import gzip
import io
import itertools
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from dev.local_kafka import free_port
from tests.conftest import Cluster, StartProgram
from tests.programs import Program
from tests.records import read_all
from tests.waiting import eventually

MB = 1024 * 1024
ATTEMPTS = 5
#: For Kafka to confirm, in the test in which it hangs.
DELIVERY_TIMEOUT_S = 20
JSON = {"Content-Type": "application/json"}


def trades(count: int, **fields: Any) -> bytes:
    """Return a JSON array of so many trades."""
    trade = {"coinName": "BTC", "price": 1, "numOfCoin": 1, **fields}
    return json.dumps([trade] * count).encode()


async def post(http: aiohttp.ClientSession, body: bytes, **headers: str) -> tuple[int, Any]:
    """Post a body; return status and content of the answer."""
    data = io.BytesIO(body)
    async with http.post("/trades", data=data, headers={**JSON, **headers}) as answer:
        if answer.status in {429, 503}:
            assert int(answer.headers["Retry-After"]) > 0
        return answer.status, await answer.json()


async def metric(http: aiohttp.ClientSession, name: str) -> float:
    """Return the value of a metric."""
    async with http.get("/metrics") as answer:
        found = re.search(rf"^{name} (\S+)$", await answer.text(), re.MULTILINE)
        assert found
        return float(found[1])


def memory_mb(program: Program, name: str = "VmHWM") -> float:
    """Return the most memory that a program has taken, or what it takes now: VmRSS."""
    assert program.process is not None
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    found = re.search(rf"{name}:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024


async def test_a_broker_that_stops_half_way(own_cluster: Cluster, start: StartProgram) -> None:
    settings = {**own_cluster.settings, "KAFKA_DELIVERY_TIMEOUT": "1"}
    trading = start("trading_app", settings).wait_ready()
    numbers = itertools.count()
    confirmed: set[str] = set()
    unknown: set[str] = set()
    saw_half = False
    async with aiohttp.ClientSession(trading.url) as http:

        async def send_many() -> bool:
            """Send several batches' worth to one partition; tell whether only a part arrived."""
            ids = [str(next(numbers)) for _ in range(9_000)]
            trade = {"coinName": "비" * 64, "price": 1, "numOfCoin": 1}
            body = json.dumps([{**trade, "tradeId": it} for it in ids], ensure_ascii=False)
            status, answer = await post(http, body.encode())
            if status == 201:
                confirmed.update(ids)
                return False
            assert status == 503, answer
            some = {ids[index] for index in answer.get("confirmed", ())}
            others = {ids[index] for index in answer.get("unknown", ())}
            assert not some & others
            assert some | others in (set(ids), set())
            confirmed.update(some)
            unknown.update(others)
            return bool(some and others)

        async def accepted() -> bool:
            return (await post(http, trades(1, coinName="afterwards")))[0] == 201

        await eventually(accepted, "the first trade is accepted")
        for _ in range(ATTEMPTS):
            before = await metric(http, "trading_trades_confirmed_total")
            sending = asyncio.create_task(send_many())
            while not sending.done():
                if await metric(http, "trading_trades_confirmed_total") > before:
                    break
            own_cluster.broker.kill()
            saw_half = await sending
            own_cluster.broker.start()
            await eventually(accepted, "trades are accepted again")
            if saw_half:
                break

        async def all_settled() -> bool:
            return await metric(http, "trading_trades_unconfirmed") == 0

        await eventually(all_settled, "Kafka has settled all")
    records = [json.loads(record.value) for record in await read_all(own_cluster)]
    stored = Counter(record["tradeId"] for record in records if "tradeId" in record)
    assert saw_half
    assert confirmed <= stored.keys() <= confirmed | unknown
    assert set(stored.values()) == {1}


async def test_a_broker_that_hangs_is_503_at_once_and_memory_is_flat(
    own_cluster: Cluster, start: StartProgram
) -> None:
    settings = {
        **own_cluster.settings,
        "MAX_UNCONFIRMED": "20000",
        "KAFKA_DELIVERY_TIMEOUT": f"{DELIVERY_TIMEOUT_S}",
    }
    trading = start("trading_app", settings).wait_ready()
    body = trades(10_000, note="x" * 300)
    async with aiohttp.ClientSession(trading.url) as http:
        assert (await post(http, body))[0] == 201
        await asyncio.to_thread(own_cluster.broker.suspend)
        try:
            waiting = [asyncio.create_task(post(http, body)) for _ in range(2)]

            async def full() -> bool:
                return await metric(http, "trading_trades_unconfirmed") == 20_000

            await eventually(full, "there is no more room")
            before_mb = memory_mb(trading)
            for _ in range(30):
                begin = time.monotonic()
                assert (await post(http, body))[0] == 503
                assert time.monotonic() - begin < DELIVERY_TIMEOUT_S / 2
            assert memory_mb(trading) < before_mb + 20
            for status, answer in await asyncio.gather(*waiting):
                assert status == 503
                assert answer["confirmed"] == []
                assert answer["unknown"] == list(range(10_000))
        finally:
            own_cluster.broker.resume()

        async def accepted() -> bool:
            return (await post(http, trades(1)))[0] == 201

        await eventually(accepted, "it takes trades again")


async def test_a_list_longer_than_the_room_left_is_refused_whole(
    cluster: Cluster, start: StartProgram
) -> None:
    trading = start("trading_app", {**cluster.settings, "MAX_UNCONFIRMED": "10"}).wait_ready()
    async with aiohttp.ClientSession(trading.url) as http:
        status, answer = await post(http, trades(11))
        assert status == 503
        assert "No trade was sent" in answer["detail"]
        assert (await post(http, trades(10)))[0] == 201
    assert len(await read_all(cluster)) == 10


async def test_a_packed_bomb_takes_no_memory(cluster: Cluster, start: StartProgram) -> None:
    trading = start("trading_app", cluster.settings).wait_ready()
    bomb = gzip.compress(b"[" + b" " * 400 * MB)
    assert len(bomb) < MB
    async with aiohttp.ClientSession(trading.url) as http:
        assert (await post(http, trades(1)))[0] == 201
        before_mb = memory_mb(trading)
        status, _ = await post(http, bomb, **{"Content-Encoding": "gzip"})
        assert status == 413
        status, _ = await post(http, b"no gzip", **{"Content-Encoding": "gzip"})
        assert status == 400
    assert memory_mb(trading) < before_mb + 40


async def test_many_large_bodies_at_once_take_bounded_memory(
    cluster: Cluster, start: StartProgram
) -> None:
    trading = start("trading_app", cluster.settings).wait_ready()

    async def send_all_but_the_end() -> asyncio.StreamWriter:
        _, writer = await asyncio.open_connection("127.0.0.1", trading.port)
        head = (
            f"POST /trades HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON['Content-Type']}\r\n"
        )
        writer.write(f"{head}Content-Length: {4 * MB}\r\n\r\n".encode())
        writer.write(b" " * (4 * MB - 1))
        return writer

    writers = [await send_all_but_the_end() for _ in range(40)]
    async with aiohttp.ClientSession(trading.url) as http:

        async def refused() -> bool:
            return await metric(http, r'trading_bulk_answers_total{status="503"}') > 0

        await eventually(refused, "some are refused")
        assert memory_mb(trading) < 250
        for writer in writers:
            writer.close()

        async def accepted() -> bool:
            return (await post(http, trades(10)))[0] == 201

        await eventually(accepted, "bodies are taken again")


async def test_a_client_over_its_rate_limit_is_429(cluster: Cluster, start: StartProgram) -> None:
    trading = start("trading_app", {**cluster.settings, "HTTP_RATE_LIMIT": "100"}).wait_ready()
    single = {"topic": cluster.topic, "coinName": "BTC", "price": 1, "numOfCoin": 1}
    async with aiohttp.ClientSession(trading.url) as http:
        assert (await post(http, trades(1500)))[0] == 201  # 14 s too many
        status, _ = await post(http, trades(1))
        assert status == 429
        async with http.post("/send-trading-data", json=single) as answer:
            assert answer.status == 429

        async def accepted() -> bool:
            return (await post(http, trades(1)))[0] == 201

        await eventually(accepted, "the client may send again")


async def test_several_processes_share_a_port_and_one_ends_without_loss(
    cluster: Cluster, start: StartProgram
) -> None:
    settings = {
        **cluster.settings,
        "HTTP_REUSE_PORT": "true",
        "TRADING_PORT": str(free_port()),
    }
    first, second = (start("trading_app", settings).wait_ready() for _ in range(2))
    accepted: set[str] = set()
    url = f"http://127.0.0.1:{settings['TRADING_PORT']}"
    numbers = itertools.count()
    is_over = False

    async def send() -> None:
        while not is_over:
            trade_id = str(next(numbers))
            try:
                # A connection each: the kernel spreads connections, not requests.
                async with aiohttp.ClientSession(url) as http:
                    if (await post(http, trades(1, tradeId=trade_id)))[0] == 201:
                        accepted.add(trade_id)
            except aiohttp.ClientError:
                pass  # it came to the process that ends

    sending = [asyncio.create_task(send()) for _ in range(4)]

    async def both_have_confirmed() -> bool:
        async with aiohttp.ClientSession(url) as http:
            if await metric(http, "trading_trades_confirmed_total") > 0:
                processes.add(await metric(http, "process_start_time_seconds"))
        return len(processes) == 2

    processes: set[float] = set()
    await eventually(both_have_confirmed, "both processes take trades")
    assert await asyncio.to_thread(first.stop) == 0
    before = len(accepted)

    async def more() -> bool:
        return len(accepted) > before + 200

    await eventually(more, "the other goes on")
    is_over = True
    await asyncio.gather(*sending)
    assert second.running
    stored = [json.loads(record.value)["tradeId"] for record in await read_all(cluster)]
    assert accepted <= set(stored)
    assert len(stored) == len(set(stored))
