"""Exactly once, on real Kafka and both databases, whatever dies meanwhile.

And whatever REST says in the end, who reads streams has been told.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

import trade_rules
from tests.conftest import Cluster
from tests.integration.databases import PostgreSQL, SQLite, TestedDatabase
from tests.integration.happenings import (
    Happening,
    die_after_commit,
    die_before_commit,
    kill,
    kill_kafka,
    let_happen,
    sleep_in_a_transaction,
    sleep_past_the_session,
    take_the_database_away,
    the_live_topic_goes,
)
from tests.integration.onlooker import Onlooker, check_told
from tests.integration.scene import Scene, scene
from tests.integration.trades import (
    Feeder,
    Sent,
    Stored,
    add_partitions,
    count_candles,
    expect_refused,
    expect_trades,
    make_records,
    make_topic_again,
    read_topic,
)
from tests.postgresql_server import PostgreSQLServer
from trade_rules import TradeMessage

#: More than are sent however long it takes.
RECORDS = 50_000
FEW_RECORDS = 30_000


@pytest.fixture
def database(database_url: str, request: pytest.FixtureRequest) -> TestedDatabase:
    """Return a new, empty database, of the one kind and of the other."""
    if database_url.startswith("sqlite"):
        return SQLite(database_url)
    return PostgreSQL(database_url, request.getfixturevalue("postgresql"))


@pytest.mark.timeout(1800)
async def test_every_trade_counts_once_and_is_told_whatever_dies(
    own_cluster: Cluster, database: TestedDatabase, tmp_path: Path
) -> None:
    records = make_records(RECORDS)
    happenings: list[Happening] = [
        partial(kill, number=0),
        the_live_topic_goes,
        partial(die_before_commit, number=1),
        partial(die_after_commit, number=0),
        kill_kafka,
        partial(sleep_past_the_session, number=1),
        take_the_database_away,
        partial(kill, number=0),
    ]
    async with scene(own_cluster, database, folder=tmp_path, records=records) as it:
        onlookers = [Onlooker(it, number) for number in (0, 1)]
        async with onlookers[0], onlookers[1]:
            await let_happen(it, happenings)
            await check_trades_and_candles(it, records[: it.feeder.sent])
            await check_told(it, onlookers)
        assert all(onlooker.connections > 1 for onlooker in onlookers)
        await stop(it)
        check_rebuild_finds_nothing(it)


async def test_every_trade_counts_once_and_is_told_where_trades_are_not_stored(
    cluster: Cluster, database: TestedDatabase, tmp_path: Path
) -> None:
    records = make_records(RECORDS, repeat_ids=False)
    happenings: list[Happening] = [
        partial(kill, number=1),
        the_live_topic_goes,
        partial(die_before_commit, number=1),
        partial(die_after_commit, number=1),
    ]
    settings = {"STORE_TRADES": "false"}
    async with scene(cluster, database, folder=tmp_path, records=records, settings=settings) as it:
        async with Onlooker(it, 0) as onlooker:
            await let_happen(it, happenings)
            expected = await wait_stored(it, records[: it.feeder.sent])
            check_same(await it.stored_candles(), count_candles(expected))
            await check_told(it, [onlooker], trades=False)
        assert onlooker.connections == 1, "it stayed connected"
        assert await it.stored_trades() == []
        await stop(it)
        rebuild = it.run("rebuild")
        assert rebuild.wait() == 2
        assert "STORE_TRADES=false" in rebuild.log()


async def test_a_worker_that_sleeps_in_a_transaction_holds_nobody_up(
    cluster: Cluster, postgresql: PostgreSQLServer, postgresql_url: str, tmp_path: Path
) -> None:
    # Not of SQLite, whose lock is the file's, and ends with the process.
    database = PostgreSQL(postgresql_url, postgresql)
    records = make_records(FEW_RECORDS)
    async with scene(cluster, database, folder=tmp_path, records=records) as it:
        await let_happen(it, [partial(sleep_in_a_transaction, number=0)])
        await check_trades_and_candles(it, records[: it.feeder.sent])


async def test_a_topic_that_is_made_again_is_read_from_its_start(
    cluster: Cluster, database: TestedDatabase, tmp_path: Path
) -> None:
    before, fewer, more, later = (make_records(it, seed=it) for it in (2000, 1000, 3000, 4000))
    async with scene(cluster, database, folder=tmp_path, records=before, workers=1) as it:
        worker = it.workers[0]
        await it.feeder.feed(len(before))
        expected = await wait_stored(it, before)
        used_logs = set((await it.logs()).values())
        for number, records in enumerate((fewer, more), 1):
            await make_topic_again(cluster.broker, cluster.topic)
            await send(cluster, records)
            expected += await wait_stored(it, records)
            assert worker.log().count(f"{cluster.topic} was deleted and created again") == number
            logs = set((await it.logs()).values())
            assert not logs & used_logs
            used_logs |= logs

        await stop(it)
        await make_topic_again(cluster.broker, cluster.topic)
        await send(cluster, later)
        it.replace(0)
        expected += await wait_stored(it, later)
        stored = await it.stored_trades()
        assert (len(stored), set(stored)) == (len(expected), set(expected))
        check_same(await it.stored_candles(), count_candles(expected))
        await stop(it)
        check_rebuild_finds_nothing(it)


async def test_partitions_that_are_added_are_read(
    cluster: Cluster, database: TestedDatabase, tmp_path: Path
) -> None:
    before = make_records(500)
    added = [4, 5]
    async with scene(cluster, database, folder=tmp_path, records=before) as it:
        await it.feeder.feed(len(before))
        expected = await wait_stored(it, before)
        await add_partitions(cluster.broker, cluster.topic, added[-1] + 1)
        trade = TradeMessage("ADDED", Decimal(2), Decimal(3))
        servers = cluster.broker.bootstrap_server
        async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
            for partition in added:
                value = trade_rules.encode(trade)
                await producer.send_and_wait(cluster.topic, value, partition=partition)
        topic = await read_topic(cluster.broker, cluster.topic)
        await it.wait_consumed({partition: len(read) for partition, read in topic.items()})
        stored = await it.stored_trades()
        assert len(stored) == len(expected) + len(added)
        assert {it.partition for it in stored if it.coin == "ADDED"} == {*added}


async def send(cluster: Cluster, records: Sequence[Sent]) -> None:
    """Send records at once."""
    async with Feeder(cluster.broker, cluster.topic, records) as feeder:
        await feeder.feed(len(records))


async def wait_stored(it: Scene, records: Sequence[Sent]) -> list[Stored]:
    """Wait until all that stands on the topic is consumed; return the trades that count."""
    topic = await read_topic(it.cluster.broker, it.cluster.topic)
    expected = expect_trades(topic, records)
    await it.wait_consumed({partition: len(read) for partition, read in topic.items()})
    return expected


async def check_trades_and_candles(it: Scene, records: Sequence[Sent]) -> None:
    """Check that the store holds what was sent, and the dead-letter topic the rest."""
    expected = await wait_stored(it, records)
    stored = await it.stored_trades()
    assert len(stored) == len(set(stored))
    check_same(dict.fromkeys(stored), dict.fromkeys(expected))
    check_same(await it.stored_candles(), count_candles(expected))
    topic = await read_topic(it.cluster.broker, it.cluster.topic)
    refused = expect_refused(topic)
    assert await it.dead_letters() == refused


def check_same(actual: dict[Any, Any], expected: dict[Any, Any]) -> None:
    """Compare what is too much for pytest to show."""
    missing = [key for key in expected if key not in actual]
    assert (len(missing), missing[:5]) == (0, [])
    superfluous = [key for key in actual if key not in expected]
    assert (len(superfluous), superfluous[:5]) == (0, [])
    wrong = [(key, actual[key], expected[key]) for key in actual if actual[key] != expected[key]]
    assert (len(wrong), wrong[:5]) == (0, [])


async def stop(it: Scene) -> None:
    """End the workers in order."""
    assert [worker.stop() for worker in it.workers] == [0] * len(it.workers)


def check_rebuild_finds_nothing(it: Scene) -> None:
    """Check that the command finds the candles to be those of the stored trades."""
    rebuild = it.run("rebuild", "--check")
    assert rebuild.wait() == 0, rebuild.log()
    assert "coins checked, 0 differences" in rebuild.log()
