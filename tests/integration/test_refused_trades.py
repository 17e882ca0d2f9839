"""What is a trade, but is not taken: by its coin, its id, or its time."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGKILL
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from streaming.clock import now_ms
from tests.brokers import admin_of
from tests.conftest import Cluster, StartProgram
from tests.faults import AFTER_DEAD_LETTERS
from tests.integration.databases import PostgreSQL, SQLite, TestedDatabase
from tests.integration.test_dead_letters import dead_letters, read_metrics, wait_metrics
from tests.integration.test_replay import replay
from tests.postgresql_server import PostgreSQLServer
from tests.programs import Program
from tests.waiting import eventually

PATH = "/send-trading-data"
CASE = "coinName: differs only in case from {}, which is another coin"
MAX_COINS = "coinName: is new, and there are {} coins already (MAX_COINS)"
NOT_TAKEN = "coinName: is not one of the coins that are taken here (COINS)"
CONFLICT = "tradeId: is that of another trade of this coin, of price {} and numOfCoin {}"


class Made(NamedTuple):
    """A trade as any program may put it on the topic."""

    coin: str
    price: str = "1"
    amount: str = "1"
    trade_id: str | None = None

    def value(self) -> bytes:
        """Return the message."""
        id_ = {} if self.trade_id is None else {"tradeId": self.trade_id}
        fields = {"coinName": self.coin, "numOfCoin": self.amount, "price": self.price, **id_}
        return json.dumps(fields).encode()


async def produce(cluster: Cluster, trades: Sequence[Made]) -> None:
    """Put trades on the topic."""
    async with AIOKafkaProducer(bootstrap_servers=cluster.broker.bootstrap_server) as producer:
        for it in trades:
            await producer.send(
                cluster.topic, it.value(), key=it.coin.encode(), headers=[("theirs", b"kept")]
            )
        await producer.flush()


@pytest.fixture
def tables(database_url: str, request: pytest.FixtureRequest) -> TestedDatabase:
    """Return the database."""
    if database_url.startswith("sqlite"):
        return SQLite(database_url)
    return PostgreSQL(database_url, request.getfixturevalue("postgresql"))


async def wait_counts(tables: TestedDatabase, expected: Mapping[str, int]) -> None:
    """Wait until the coins have so many trades in their candles of a month."""

    async def as_expected() -> bool:
        rows = await tables.fetch(
            "SELECT coin, sum(trades) FROM candles WHERE \"interval\" = '1M' GROUP BY coin"
        )
        return {coin: int(count) for coin, count in rows} == expected

    await eventually(as_expected, f"the candles count {expected}")


async def reasons(cluster: Cluster, count: int) -> dict[bytes | None, str]:
    """Return the reasons of so many dead letters by their values."""
    letters = await dead_letters(cluster, count)
    assert all(dict(letter.headers)["theirs"] == b"kept" for letter in letters)
    return {it.value: dict(it.headers)["reason"].decode() for it in letters}


@pytest.mark.parametrize("store_trades", ["true", "false"])
async def test_what_only_chart_app_can_know_is_a_dead_letter_and_known_coins_go_on(
    cluster: Cluster, start: StartProgram, tables: TestedDatabase, store_trades: str
) -> None:
    settings = {
        **cluster.settings,
        "DATABASE_URL": tables.url,
        "STORE_TRADES": store_trades,
        "COINS": "BTC,btc,비트*,E*",
        "MAX_COINS": "3",
    }
    chart = start("chart_app", settings).wait_ready()
    known = [Made("BTC", trade_id="17"), Made("ETH"), Made("비트코인")]
    await produce(cluster, known)
    await wait_counts(tables, {"BTC": 1, "ETH": 1, "비트코인": 1})

    refused = {
        Made("btc"): (CASE.format("BTC"), "case"),
        Made("EVE"): (MAX_COINS.format(3), "max_coins"),
        Made("DOGE"): (NOT_TAKEN, "coin"),
        Made("E\u200bTH"): (
            "coinName: must have visible characters and the blank U+0020 only, and has U+200B",
            "invalid",
        ),
        Made("ＢＴＣ"): ("coinName: must be in Unicode's normalization form NFKC", "invalid"),
    }
    if store_trades == "true":
        refused[Made("BTC", "2", trade_id="17")] = (CONFLICT.format(1, 1), "conflict")
    await produce(cluster, [*refused, *known[1:], Made("BTC", "3")])
    expected = {it.value(): reason for it, (reason, _) in refused.items()}
    assert await reasons(cluster, len(refused)) == expected
    await wait_counts(tables, {"BTC": 2, "ETH": 2, "비트코인": 2})
    coins = [coin for (coin,) in await tables.fetch("SELECT coin FROM coins")]
    assert sorted(coins) == ["BTC", "ETH", "비트코인"]

    counts = Counter(kind for _, kind in refused.values())
    lines = {
        f'chart_dead_letters_total{{reason="{kind}"}} {float(counts[kind])}'
        for kind in ("invalid", "coin", "case", "max_coins", "conflict")
    }
    await wait_metrics(chart, lines)
    assert chart.log().count(f" go to {cluster.topic}.dead-letter") <= len(refused)
    async with aiohttp.ClientSession(chart.url) as http:
        async with http.get("/api/v3/klines?symbol=BTC&interval=1M") as answer:
            ((_, open_, _, _, close, *_),) = await answer.json()
        assert (open_, close) == ("1", "3")


async def test_a_worker_killed_between_dead_letter_and_transaction_loses_neither(
    cluster: Cluster, start: StartProgram, tables: TestedDatabase, tmp_path: Path
) -> None:
    settings = {**cluster.settings, "DATABASE_URL": tables.url}
    chart = start("chart_app", settings).wait_ready()
    await produce(cluster, [Made("BTC", trade_id="17")])
    await wait_counts(tables, {"BTC": 1})
    assert chart.stop() == 0

    conflict = Made("BTC", "2", trade_id="17")
    await produce(cluster, [Made("BTC", "4"), conflict, Made("btc"), Made("BTC", "5")])
    fault = {"FAULT_AT": AFTER_DEAD_LETTERS, "FAULT_SIGNAL": "SIGKILL"}
    dying = Program("chart_app", tmp_path, {**settings, **fault})
    dying.package = "tests.faulty_worker"
    with dying:
        assert dying.wait() == -SIGKILL
    assert f"fault {AFTER_DEAD_LETTERS}" in dying.log()
    await wait_counts(tables, {"BTC": 1})

    start("chart_app", settings).wait_ready()
    await wait_counts(tables, {"BTC": 3})
    expected = {conflict.value(): CONFLICT.format(1, 1), Made("btc").value(): CASE.format("BTC")}

    async def all_are_there() -> bool:
        # One of them, or both, are there twice.
        return await reasons(cluster, 2) == expected

    await eventually(all_are_there, "both are dead letters")
    assert len(await dead_letters(cluster, 3)) in {3, 4}


async def test_two_workers_keep_to_the_rules_together(
    cluster: Cluster, start: StartProgram, postgresql_url: str, postgresql: PostgreSQLServer
) -> None:
    settings = {**cluster.settings, "DATABASE_URL": postgresql_url, "MAX_COINS": "30"}
    settings["KAFKA_SESSION_TIMEOUT"] = "30"  # dead letters of a worker that lost it come twice
    workers = [start("chart_app", settings).wait_ready() for _ in range(2)]
    names = [f"{letter}{number}" for number in range(20) for letter in "ab"]
    sent = [Made(name.upper() if times % 2 else name) for times in range(6) for name in names]
    await produce(cluster, sent)
    tables = PostgreSQL(postgresql_url, postgresql)

    async def all_are_somewhere() -> bool:
        ((stored,),) = await tables.fetch(
            "SELECT coalesce(sum(trades), 0) FROM candles WHERE \"interval\" = '1M'"
        )
        metrics = [await read_metrics(worker) for worker in workers]
        found = [
            re.findall(r"^chart_dead_letters_total\S* (\S+)$", it, re.MULTILINE) for it in metrics
        ]
        return int(stored) + sum(float(count) for counts in found for count in counts) == len(sent)

    await eventually(all_are_somewhere, "each is stored or a dead letter")
    coins = [coin for (coin,) in await tables.fetch("SELECT coin FROM coins")]
    assert len(coins) == 30
    assert len({coin.casefold() for coin in coins}) == 30
    assert all(worker.running for worker in workers)
    for name in ("deadlock", "Traceback"):
        assert not any(name in worker.log() for worker in workers)
    letters = await dead_letters(cluster, len(sent) - 30 * 3)
    assert {json.loads(it.value or b"")["coinName"] for it in letters}.isdisjoint(coins)


async def post(http: aiohttp.ClientSession, path: str, body: Any) -> tuple[int, Any]:
    """Post JSON; return status and content of the answer."""
    async with http.post(path, json=body) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text.startswith("{") else text


async def test_trading_app_refuses_what_it_can_know(cluster: Cluster, start: StartProgram) -> None:
    times = {"TRADE_MAX_AGE": "600", "TRADE_MAX_FUTURE": "60"}
    settings = {**cluster.settings, **times, "COINS": "BTC*,?TH"}
    trading = start("trading_app", settings).wait_ready()
    good = {"topic": cluster.topic, "coinName": "BTC-USD", "price": 1, "numOfCoin": 1}
    old = now_ms() - 601_000
    cases: list[tuple[dict[str, Any], str | None]] = [
        ({}, None),
        ({"coinName": "ETH"}, None),
        ({"timestamp": now_ms() - 300_000}, None),
        ({"timestamp": now_ms() + 5_000}, None),
        ({"coinName": "eth"}, "coinName"),
        ({"coinName": "DOGE"}, "coinName"),
        ({"timestamp": old}, "timestamp"),
        ({"timestamp": now_ms() + 600_000}, "timestamp"),
    ]
    async with aiohttp.ClientSession(trading.url) as http:
        for change, field in cases:
            status, answer = await post(http, PATH, {**good, **change})
            assert status == (422 if field else 201)
            assert not field or [it["field"] for it in answer["errors"]] == [field]
        status, answer = await post(http, "/trades", [{**good, **change} for change, _ in cases])
        assert status == 207
        assert answer["accepted"] == 4
        assert [(it["index"], it["errors"][0]["field"]) for it in answer["errors"]] == [
            (index, field) for index, (_, field) in enumerate(cases) if field
        ]
        async with http.post(PATH, data={**good, "timestamp": str(old)}) as form:
            assert form.status == 422
            assert "must be at most 600 s in the past" in await form.text()


async def test_replay_may_send_old_trades_but_only_coins_that_are_taken(cluster: Cluster) -> None:
    settings = {**cluster.settings, "TRADE_MAX_AGE": "1", "COINS": "A*"}
    rows = "coinName,price,numOfCoin,timestamp\nA,1,1,1700000000\nB,1,1,1700000000\n"
    done = replay(settings, "-", "--speed", "max", text=rows)
    assert done.stdout == f"1 trades sent, 1 refused\n  line 3: {NOT_TAKEN}\n"


async def test_a_time_that_kafka_refuses_is_told_with_the_clocks(
    cluster: Cluster, start: StartProgram
) -> None:
    # As where the broker's clock is far behind ours: its topic takes what is a second ahead.
    strict = NewTopic(cluster.topic, 1, 1, topic_configs={"message.timestamp.after.max.ms": "1000"})
    async with admin_of(cluster.broker) as admin:
        await admin.create_topics([strict])
    settings = {**cluster.settings, "TRADE_MAX_FUTURE": "60"}
    trading: Program = start("trading_app", settings).wait_ready()
    trade = {"topic": cluster.topic, "coinName": "BTC", "price": 1, "numOfCoin": 1}
    async with aiohttp.ClientSession(trading.url) as http:
        status, answer = await post(http, PATH, {**trade, "timestamp": now_ms() + 55_000})
        assert status == 503
        assert answer["detail"].startswith(
            "The trade was not stored: Kafka refused a time as too far in the future: "
            "compare the clock of this machine with that of the broker"
        )

        async def accepted() -> bool:
            return (await post(http, PATH, trade))[0] == 201

        await eventually(accepted, "other trades are taken again")
        status, answer = await post(
            http, "/trades", [trade, {**trade, "timestamp": now_ms() + 55_000}]
        )
        assert status == 503
        assert "compare the clock of this machine" in answer["detail"]
        await eventually(accepted, "other trades are taken again")
