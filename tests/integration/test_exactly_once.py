"""Exactly once, on real Kafka and both databases, whatever dies meanwhile."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

import trade_rules
from tests.conftest import Cluster
from tests.faults import AFTER_COMMIT, BEFORE_COMMIT, BEFORE_TRANSACTION
from tests.integration.databases import PostgreSQL, SQLite, TestedDatabase
from tests.integration.scene import Fault, Place, Scene, scene
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
from tests.waiting import eventually
from trade_rules import TradeMessage

#: At once as something begins to happen; then some more, for as long as it takes.
AT_ONCE = 6_000
#: More than are sent however long it takes.
RECORDS = 80_000
FEW_RECORDS = 30_000
AWAY_S = 10

Happening = Callable[[Scene], Awaitable[None]]


@pytest.fixture
def database(database_url: str, request: pytest.FixtureRequest) -> TestedDatabase:
    """Return a new, empty database, of the one kind and of the other."""
    if database_url.startswith("sqlite"):
        return SQLite(database_url)
    return PostgreSQL(database_url, request.getfixturevalue("postgresql"))


@pytest.mark.timeout(1800)
async def test_every_trade_counts_once_whatever_dies(
    cluster: Cluster, database: TestedDatabase, tmp_path: Path
) -> None:
    records = make_records(RECORDS)
    happenings: list[Happening] = [
        partial(kill, number=0),
        partial(die_before_commit, number=1),
        partial(die_after_commit, number=0),
        kill_kafka,
        partial(sleep_past_the_session, number=1),
        take_the_database_away,
        partial(kill, number=0),
    ]
    async with scene(cluster, database, folder=tmp_path, records=records) as it:
        await let_happen(it, happenings)
        await check_trades_and_candles(it, records[: it.feeder.sent])
        await stop(it)
        check_rebuild_finds_nothing(it)


async def test_every_trade_counts_once_where_trades_are_not_stored(
    cluster: Cluster, database: TestedDatabase, tmp_path: Path
) -> None:
    records = make_records(FEW_RECORDS, repeat_ids=False)
    happenings: list[Happening] = [
        partial(kill, number=0),
        partial(die_before_commit, number=1),
    ]
    settings = {"STORE_TRADES": "false"}
    async with scene(cluster, database, folder=tmp_path, records=records, settings=settings) as it:
        await let_happen(it, happenings)
        expected = await wait_stored(it, records[: it.feeder.sent])
        check_same(await it.stored_candles(), count_candles(expected))
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


async def let_happen(it: Scene, happenings: Sequence[Happening], at_once: int = AT_ONCE) -> None:
    """Let one thing after the other happen, while records come in."""
    for happening in happenings:
        happened = asyncio.Event()
        feeding = asyncio.create_task(it.feeder.feed(at_once, happened))
        try:
            await it.wait_working()
            await happening(it)
            assert not feeding.done(), "there was no work to do meanwhile"
            happened.set()
            await feeding
        finally:
            feeding.cancel()
        await it.wait_ready()


async def kill(it: Scene, number: int, successor: Fault | None = None) -> None:
    """Kill a worker, whatever it is doing, and start another one."""
    worker = it.workers[number]

    async def works() -> bool:
        return bool(worker.trades())

    await eventually(works, f"worker {number} works")  # the other one may have begun before
    worker.kill()
    assert worker.wait(1) == -signal.SIGKILL
    it.replace(number, successor)


async def die_before_commit(it: Scene, number: int) -> None:
    """Kill a worker; have its successor die with a transaction that is all but committed."""
    places = await see_dead(it, number, Fault(BEFORE_COMMIT, signal.SIGKILL))
    stored = await it.next_offsets()
    assert [stored[place.partition] for place in places] == [place.start for place in places]
    it.replace(number)


async def die_after_commit(it: Scene, number: int) -> None:
    """Kill a worker; have its successor die before anybody hears of what it has committed."""
    places = await see_dead(it, number, Fault(AFTER_COMMIT, signal.SIGKILL))
    stored = await it.next_offsets()
    assert [stored[place.partition] for place in places] == [place.end for place in places]
    it.replace(number)


async def see_dead(it: Scene, number: int, fault: Fault) -> list[Place]:
    """Kill a worker, and have its successor die of the fault."""
    await kill(it, number, fault)
    places = await it.wait_fault(number)
    assert it.workers[number].wait() == -signal.SIGKILL
    return places


async def sleep_past_the_session(it: Scene, number: int) -> None:
    """Kill a worker; have its successor sleep before it stores, until the other one has."""
    await kill(it, number, Fault(BEFORE_TRANSACTION, signal.SIGSTOP))
    places = await it.wait_fault(number)
    sleeper = it.workers[number]

    async def noticed() -> bool:
        log = sleeper.log()
        return any(f"partition={at.partition}) is no longer at {at.start};" in log for at in places)

    assert not await noticed()
    await wake_when_taken_over(it, number)

    await eventually(noticed, "the sleeper finds that it was superseded")


async def sleep_in_a_transaction(it: Scene, number: int) -> None:
    """Do the same with a transaction open, which the database must end, or nobody can go on."""
    await kill(it, number, Fault(BEFORE_COMMIT, signal.SIGSTOP))
    await wake_when_taken_over(it, number)


async def wake_when_taken_over(it: Scene, number: int) -> None:
    """Have a worker go on once the other one has stored what it has in hand."""
    places = await it.wait_fault(number)

    async def taken_over() -> bool:
        stored = await it.next_offsets()
        return all(stored[place.partition] > place.start for place in places)

    await eventually(taken_over, "the other worker has taken over")
    it.workers[number].signal(signal.SIGCONT)
    await it.wait_joined()  # until then it believes to be in the group, and says that it is ready


async def kill_kafka(it: Scene) -> None:
    """Kill the broker; start it again once the workers have noticed."""
    it.cluster.broker.kill()
    await it.wait_not_ready("Kafka has not answered")
    await asyncio.to_thread(it.cluster.broker.start)


async def take_the_database_away(it: Scene) -> None:
    """Have the database away for some time; the workers say so."""
    with it.database.away():
        back = asyncio.create_task(asyncio.sleep(AWAY_S))
        await it.wait_not_ready("the store does not answer")
        await back
    await it.wait_ready()
    for worker in it.workers:
        log = worker.log()
        assert " ERROR chart_app.ingest.trade_consumer the store does not answer" in log
        assert "The store answers again" in log


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
