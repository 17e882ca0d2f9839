"""Stores of version 0.2.0 are migrated, whatever happens meanwhile, and go on as they were.

Where 0.2.0 itself would be at work, its SQL is: see chart_app/store.py there.
"""

import asyncio
import itertools
import json
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from faust.types import TP
from sqlalchemy import Connection, inspect, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chart_app.storage import database
from chart_app.storage.database import Database
from chart_app.storage.errors import StoreUnavailable, WrongStore
from chart_app.storage.migrations import version_2
from chart_app.storage.writer import StoreWriter
from dev.environment import clean_environment
from dev.local_kafka import LocalKafka
from streaming.kafka.topic_ids import topic_ids
from tests import logs, released_stores
from tests.brokers import admin_of
from tests.conftest import Cluster, StartProgram
from tests.forks import Fork
from tests.programs import ROOT, Program
from tests.released_stores import STORES
from tests.waiting import PATIENCE_S, eventually, wait_for

TRADE_DATA = "tradeData"
OFFSET_BITS = 41  # of a trade's id
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}

Result = TypeVar("Result")
#: The rows of each table, and how often they are there.
Content = dict[str, Counter[frozenset[tuple[str, Any]]]]


async def run(url: str, function: Callable[[Connection], Result]) -> Result:
    """Return what a function returns of a connection, whose transaction is committed."""
    address = make_url(url)
    driver = DRIVERS[address.get_backend_name()]
    engine = create_async_engine(address.set(drivername=driver), poolclass=NullPool)
    async with engine.begin() as connection:
        return await connection.run_sync(function)


async def execute(url: str, *statements: str, **parameters: Any) -> None:
    def execute_all(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement), parameters)

    await run(url, execute_all)


def select(connection: Connection, statement: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(statement)).mappings()]


async def fetch(url: str, statement: str) -> list[dict[str, Any]]:
    return await run(url, lambda connection: select(connection, statement))


def tables(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()


async def content(url: str) -> Content:
    """Return all that is stored; a trade of version 2 has its coin's name in place of its id."""

    def read(connection: Connection) -> Content:
        found = {name: select(connection, f"SELECT * FROM {name}") for name in tables(connection)}
        names = {coin.pop("id", None): coin["coin"] for coin in found["coins"]}
        for trade in found["trades"]:
            if "coin_id" in trade:
                trade["coin"] = names[trade.pop("coin_id")]
        return {name: rows(all_) for name, all_ in found.items()}

    return await run(url, read)


def rows(found: Iterable[Mapping[str, Any]]) -> Counter[frozenset[tuple[str, Any]]]:
    return Counter(frozenset(row.items()) for row in found)


async def expected_content(url: str) -> Content:
    """Return what the content of a store of version 1 is to become."""
    trades = await fetch(url, "SELECT * FROM trades ORDER BY id")
    consumed = await fetch(url, "SELECT * FROM consumed")
    (store,) = await fetch(url, "SELECT * FROM store")
    partitions = {
        trade["id"] >> OFFSET_BITS: {
            "id": trade["id"] >> OFFSET_BITS,
            "topic": trade["topic"],
            "partition": trade["partition"],
            "topic_id": None,
            "next_offset": trade["offset"] + 1,
            "is_current": False,
        }
        for trade in trades
    }
    for row in consumed:
        log = row.pop("log")
        partitions[log] = {**row, "id": log, "is_current": True}
    kept = ("coin", "id", "time", "price", "amount", "trade_id")
    return {
        **await content(url),
        "store": rows([{**store, "version": 3, "program": "0.3.0", "revision": 0}]),
        "voids": Counter(),
        "voided_trades": Counter(),
        "partitions": rows(partitions.values()),
        "trades": rows({name: trade[name] for name in kept} for trade in trades),
    }


async def assert_content(url: str, expected: Content) -> None:
    """Assert that a store has the expected content, and ``consumed`` no more."""
    assert await content(url) == {
        name: found for name, found in expected.items() if name != "consumed"
    }


@asynccontextmanager
async def writer(url: str, *, store_trades: bool = True) -> AsyncIterator[StoreWriter]:
    """Return a writer; close its database also if the test fails: uvloop would wait for it."""
    database = Database(make_url(url))
    try:
        yield StoreWriter(database, store_trades=store_trades)
    finally:
        await database.close()


async def migrate(url: str) -> None:
    async with writer(url) as it:
        await it.open()


def backup(url: str) -> Path:
    return Path(f"{make_url(url).database}.version-1")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


# What is served, and what is stored.


@pytest.mark.parametrize("name", STORES)
async def test_a_worker_migrates_a_store_and_serves_the_same(
    name: str, database_url: str, cluster: Cluster, start: StartProgram
) -> None:
    await released_stores.load(name, database_url)
    expected = await expected_content(database_url)
    stores_trades = "false" if name == "candles-only" else "true"
    settings = {**cluster.settings, "DATABASE_URL": database_url, "STORE_TRADES": stores_trades}
    chart = start("chart_app", settings)
    await asyncio.to_thread(chart.wait_ready)
    recorded = released_stores.answers(name)
    served = await released_stores.ask(chart.url, recorded)
    assert [
        path
        for path, answer in served.items()
        if not released_stores.is_same(json.loads(recorded[path]), json.loads(answer))
    ] == []
    assert "Migrating the store from version 1 to 3\n" in chart.log()
    assert "Migrated the store in " in chart.log()
    assert logs.trouble(chart.log()) == []
    assert chart.stop() == 0
    await execute(database_url, f"DELETE FROM partitions WHERE topic = '{cluster.topic}'")
    await assert_content(database_url, expected)

    check = start("chart_app", {"DATABASE_URL": database_url}, "rebuild", "--check")
    code, log = check.wait(), check.log()
    if name == "all-trades":
        candles, coins = (expected[table].total() for table in ("candles", "coins"))
        assert (code, log) == (0, f"{candles} candles of {coins} coins checked, 0 differences\n")
    else:
        assert code == 2
        assert "STORE_TRADES=false" in log


@pytest.mark.parametrize("name", STORES)
async def test_the_file_is_backed_up_as_it_was(name: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chart.sqlite"
    await released_stores.load(name, url)
    before = await content(url)
    backup(url).write_bytes(b"of a migration before, after which the file was put back")
    await migrate(url)
    assert files(tmp_path) == {"chart.sqlite", "chart.sqlite.version-1"}
    assert await content(f"sqlite:///{backup(url)}") == before


@pytest.mark.parametrize("is_empty", [False, True])
async def test_a_migrated_store_has_the_tables_of_a_new_one(
    database_url: str, is_empty: bool
) -> None:
    await released_stores.load("all-trades", database_url)
    if is_empty:
        filled = ("consumed", "trades", "candles", "coins")
        await execute(database_url, *(f"DELETE FROM {table}" for table in filled))
    await migrate(database_url)
    migrated = await run(database_url, shape)
    names = await run(database_url, tables)
    await execute(database_url, *(f"DROP TABLE {name}" for name in names))
    await migrate(database_url)
    assert migrated == await run(database_url, shape)
    tables_ = {"store", "partitions", "trades", "candles", "coins", "voids", "voided_trades"}
    assert migrated.keys() == tables_


async def test_a_store_of_version_2_is_migrated_likewise(database_url: str) -> None:
    await released_stores.load("all-trades", database_url)
    expected = await expected_content(database_url)
    await run(database_url, version_2.migrate)
    assert (await fetch(database_url, "SELECT version FROM store")) == [{"version": 2}]
    await migrate(database_url)
    await assert_content(database_url, expected)
    if is_sqlite(database_url):
        assert not backup(database_url).exists()
        assert backup(database_url).with_suffix(".version-2").exists()


def shape(connection: Connection) -> dict[str, Any]:
    """Return what the database says of each table, without the order of its columns."""
    found = inspect(connection)
    return {
        name: {
            "columns": {it["name"]: described(it) for it in found.get_columns(name)},
            "primary key": described(found.get_pk_constraint(name)),
            "unique": found.get_unique_constraints(name),
            "indexes": sorted(map(described, found.get_indexes(name))),
            "without rowid": without_rowid(connection, name),
        }
        for name in tables(connection)
    }


def described(found: Mapping[str, Any]) -> str:
    """Return what is known of a column, a key or an index, as text to be compared."""
    more = {
        "type": repr(found.get("type")),
        "collation": getattr(found.get("type"), "collation", None),
        "dialect_options": {k: str(v) for k, v in found.get("dialect_options", {}).items()},
    }
    return str({**dict(sorted(found.items())), **more})


def without_rowid(connection: Connection, table: str) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    options = connection.execute(text(f"PRAGMA table_list({table})")).mappings().one()
    return bool(options["wr"])


# Consumption goes on.


@pytest.mark.parametrize("name", ["all-trades", "candles-only"])
async def test_a_worker_goes_on_at_the_stored_offsets(
    name: str, database_url: str, cluster: Cluster, start: StartProgram
) -> None:
    await released_stores.load(name, database_url)
    consumed = await fetch(
        database_url,
        f"SELECT partition, next_offset, log FROM consumed WHERE topic = '{TRADE_DATA}'",
    )
    offsets = {row["partition"]: row["next_offset"] for row in consumed}
    async with AIOKafkaProducer(bootstrap_servers=cluster.broker.bootstrap_server) as producer:
        await make_topic(cluster.broker, cluster.topic, len(offsets))
        for partition, end in offsets.items():
            for offset in range(end):
                assert await send(producer, cluster.topic, partition, "OLD") == offset
        ids = await topic_ids(producer.client, {cluster.topic})
        # No other Kafka has a topic of the stored id: this one takes its place.
        its = {"topic": cluster.topic, "id": ids[cluster.topic]}
        of = f"WHERE topic = '{TRADE_DATA}'"
        await execute(
            database_url, f"UPDATE consumed SET topic = :topic, topic_id = :id {of}", **its
        )
        await execute(database_url, f"UPDATE trades SET topic = :topic {of}", topic=cluster.topic)
        before = {row["id"] for row in await fetch(database_url, "SELECT id FROM trades")}

        settings = {
            **cluster.settings,
            "DATABASE_URL": database_url,
            "TRADE_PARTITIONS": str(len(offsets)),
            "STORE_TRADES": "false" if name == "candles-only" else "true",
        }
        chart = start("chart_app", settings)
        await asyncio.to_thread(chart.wait_ready)
        for partition, end in offsets.items():
            assert await send(producer, cluster.topic, partition, "NEW") == end

    async def are_consumed() -> bool:
        found = await fetch(
            database_url,
            f"SELECT partition, next_offset FROM partitions "
            f"WHERE topic = '{cluster.topic}' AND is_current",
        )
        return {row["partition"]: row["next_offset"] - 1 for row in found} == offsets

    await eventually(are_consumed, "the new trades are stored")
    read = {(int(it.partition), int(it.offset)) for it in chart.trades()}
    assert read == set(offsets.items())
    after = {row["id"] for row in await fetch(database_url, "SELECT id FROM trades")}
    new = {row["log"] << OFFSET_BITS | row["next_offset"] for row in consumed}
    assert after - before == (new if name == "all-trades" else set())
    assert after >= before
    if name == "all-trades":
        assert chart.stop() == 0
        check = start("chart_app", {"DATABASE_URL": database_url}, "rebuild", "--check")
        assert check.wait() == 0, check.log()


async def make_topic(broker: LocalKafka, topic: str, partitions: int) -> None:
    async with admin_of(broker) as admin:
        await admin.create_topics([NewTopic(topic, partitions, 1)])


async def send(producer: AIOKafkaProducer, topic: str, partition: int, coin: str) -> int:
    """Send a trade; return its offset."""
    message = {"coinName": coin, "price": 1, "numOfCoin": 1}
    sent = await producer.send_and_wait(topic, json.dumps(message).encode(), partition=partition)
    return int(sent.offset)


@pytest.mark.parametrize("name", STORES)
async def test_no_id_of_a_partition_is_used_again(name: str, database_url: str) -> None:
    await released_stores.load(name, database_url)
    consumed = await fetch(database_url, "SELECT * FROM consumed")
    ids = {TP(row["topic"], row["partition"]): row["topic_id"] for row in consumed}
    trades = await fetch(database_url, "SELECT id FROM trades")
    used = {row["log"] for row in consumed} | {row["id"] >> OFFSET_BITS for row in trades}
    async with writer(database_url) as it:
        await it.open()
        found = await it.checkpoints(ids)
        assert {(*tp, *checkpoint) for tp, checkpoint in found.items()} == {
            (row["topic"], row["partition"], row["next_offset"], row["topic_id"], row["log"])
            for row in consumed
        }
        for time in range(3):  # each topic is recreated
            found = await it.checkpoints(dict.fromkeys(ids, f"recreated {time}"))
            assert {checkpoint.next_offset for checkpoint in found.values()} == {0}
            new = {checkpoint.partition_id for checkpoint in found.values()}
            assert len(new) == len(ids)
            assert min(new) > max(used)
            used |= new
    stored = await fetch(database_url, "SELECT id FROM partitions WHERE NOT is_current")
    assert {row["id"] for row in stored} == used - new


# A program that migrates is killed.


def killed_migration(url: str, kind: str, number: int, folder: Path) -> int:
    """Run a program that is killed at a step of the migration; return its exit code."""
    fork = Fork(
        ["tests.killed_migration", url, kind, str(number)],
        cwd=ROOT,
        env=clean_environment(),
        log=folder / "killed_migration.log",
    )
    return fork.wait(PATIENCE_S)


#: A migration has more: statements, a commit and, of SQLite, what is done with files.
LEAST_STEPS = 30


async def test_a_program_that_migrates_may_be_killed_at_any_step(
    database_url: str, tmp_path: Path
) -> None:
    await released_stores.load("all-trades", database_url)
    before = await content(database_url)
    expected = await expected_content(database_url)
    for step in itertools.count():
        codes = [
            await asyncio.to_thread(killed_migration, database_url, "step", step, tmp_path)
            for _ in range(2)
        ]
        assert set(codes) <= {0, -signal.SIGKILL}
        if 0 in codes:
            break  # it has fewer steps
        if await content(database_url) != before:
            await assert_content(database_url, expected)
        elif is_sqlite(database_url) and backup(database_url).exists():
            assert await content(f"sqlite:///{backup(database_url)}") == before
    assert step > LEAST_STEPS
    await assert_content(database_url, expected)
    if is_sqlite(database_url):
        assert await content(f"sqlite:///{backup(database_url)}") == before
        names = {"chart.sqlite", "chart.sqlite.version-1", "killed_migration.log"}
        assert files(tmp_path) == names


#: Above SQLite's file of shared memory, which has 32 KiB.
SMALLEST_BYTES = 45_000


@pytest.mark.parametrize("kind", ["size", "size-later"])
async def test_a_program_that_migrates_may_be_killed_while_it_writes_a_file(
    kind: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/chart.sqlite"
    await released_stores.load("all-trades", url)
    before = await content(url)
    expected = await expected_content(url)
    for size in itertools.count(SMALLEST_BYTES, 20_000):
        codes = [
            await asyncio.to_thread(killed_migration, url, kind, size, tmp_path) for _ in range(2)
        ]
        assert set(codes) <= {0, -signal.SIGXFSZ}
        if await content(url) != before:
            break
        assert codes == [-signal.SIGXFSZ] * 2
        assert backup(url).exists() == (kind == "size-later")
    assert size > SMALLEST_BYTES
    await migrate(url)
    await assert_content(url, expected)
    assert await content(f"sqlite:///{backup(url)}") == before
    assert files(tmp_path) == {"chart.sqlite", "chart.sqlite.version-1", "killed_migration.log"}


# Others are at work meanwhile.


async def test_of_two_workers_one_migrates_and_the_other_waits(
    database_url: str, cluster: Cluster, tmp_path: Path
) -> None:
    await released_stores.load("all-trades", database_url)
    end = tmp_path / "end"
    settings = {**cluster.settings, "DATABASE_URL": database_url, "MIGRATION_END": str(end)}
    workers = [Program("chart_app", tmp_path, settings) for _ in range(2)]
    with ExitStack() as stack:
        for worker in workers:
            worker.package = "tests.slow_migration"
            stack.enter_context(worker)
        await check_that_one_waits(workers, end)
        await check_that_both_work(workers, database_url, cluster)


async def check_that_one_waits(workers: Sequence[Program], end: Path) -> None:
    def waiting() -> list[Program]:
        return [it for it in workers if "another program has locked it, and may" in it.log()]

    await asyncio.to_thread(wait_for, waiting, "one of them waits, and says so")
    (other,) = waiting()
    (one,) = (it for it in workers if it is not other)
    assert "Migrating the store" in one.log()
    assert "Migrated the store" not in one.log()
    await asyncio.to_thread(end.touch)
    await asyncio.to_thread(
        wait_for, lambda: all("Ready: http://" in it.log() for it in workers), "both are ready"
    )
    assert "Migrated the store" in one.log()
    assert "Migrating the store" not in other.log()


async def check_that_both_work(workers: Sequence[Program], url: str, cluster: Cluster) -> None:
    before = (await content(url))["trades"].total()
    async with AIOKafkaProducer(bootstrap_servers=cluster.broker.bootstrap_server) as producer:
        for partition in range(4):
            assert await send(producer, cluster.topic, partition, "NEW") == 0

    async def are_stored() -> bool:
        return (await content(url))["trades"].total() == before + 4

    await eventually(are_stored, "the new trades are stored")
    assert all(it.trades() for it in workers)


async def migrate_at_last(url: str) -> None:
    """Migrate a store, as often as it takes until nobody has locked it."""
    async with writer(url) as it:

        async def is_open() -> bool:
            try:
                await it.open()
            except StoreUnavailable as error:
                if "another program has locked it" not in str(error):
                    raise
                return False
            return True

        await eventually(is_open, "the store is open")


async def test_many_that_open_a_store_at_once_migrate_it_once(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await released_stores.load("all-trades", database_url)
    expected = await expected_content(database_url)
    with caplog.at_level("INFO"):
        await asyncio.gather(*(migrate_at_last(database_url) for _ in range(8)))
    await assert_content(database_url, expected)
    assert caplog.text.count("Migrating the store") == 1


#: How 0.2.0 moves a partition's offset, whether it stores trades or not. All else that it writes
#: comes after that.
MOVE_OFFSET_SQLITE = (
    "UPDATE consumed SET next_offset=? WHERE consumed.topic = ? AND consumed.partition = ? "
    "AND consumed.log = ? AND consumed.next_offset = ?"
)
MOVE_OFFSET_POSTGRESQL = (
    "UPDATE consumed SET next_offset=$1::BIGINT WHERE consumed.topic = $2::VARCHAR "
    "AND consumed.partition = $3::INTEGER AND consumed.log = $4::INTEGER "
    "AND consumed.next_offset = $5::BIGINT"
)
BEGIN_POSTGRESQL = "BEGIN ISOLATION LEVEL REPEATABLE READ"
#: What it moves is known by topic, partition and log, and stands at an offset.
Place = tuple[str, int, int, int]


async def two_places(url: str) -> list[Place]:
    """Return two partitions of a store of version 1, in the order of their ids."""
    found = await fetch(url, "SELECT * FROM consumed WHERE log IN (10, 11) ORDER BY log")
    return [(row["topic"], row["partition"], row["log"], row["next_offset"]) for row in found]


async def next_offsets(url: str) -> list[int]:
    """Return the offsets of these partitions in a store of version 2."""
    found = await fetch(url, "SELECT next_offset FROM partitions WHERE id IN (10, 11) ORDER BY id")
    return [row["next_offset"] for row in found]


async def test_an_old_worker_moves_no_offset_in_sqlite_any_more(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chart.sqlite"
    await released_stores.load("all-trades", url)
    one, other = await two_places(url)
    with closing(sqlite3.connect(tmp_path / "chart.sqlite", isolation_level=None)) as old:
        old.execute("BEGIN IMMEDIATE")
        assert old.execute(MOVE_OFFSET_SQLITE, (one[3] + 1, *one)).rowcount == 1
        migrating = asyncio.create_task(migrate_at_last(url))
        await asyncio.sleep(1)
        assert not migrating.done()
        old.execute("COMMIT")
        await migrating
        old.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="no such table: consumed"):
            old.execute(MOVE_OFFSET_SQLITE, (other[3] + 1, *other))
    assert await next_offsets(url) == [one[3] + 1, other[3]]


async def test_an_old_worker_moves_no_offset_in_postgresql_any_more(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT_S", PATIENCE_S)
    url = postgresql_url
    await released_stores.load("all-trades", url)
    one, other = await two_places(url)
    async with connections(url, 3) as (first, second, third):
        moves = [await prepare(it, MOVE_OFFSET_POSTGRESQL) for it in (first, second, third)]

        async def are_waiting(count: int) -> bool:
            found = await fetch(url, "SELECT pid FROM pg_locks WHERE NOT granted")
            return len({row["pid"] for row in found}) == count

        await first.execute(BEGIN_POSTGRESQL)
        await moves[0].fetch(one[3] + 1, *one)
        migrating = asyncio.create_task(migrate_at_last(url))
        await eventually(lambda: are_waiting(1), "the migration waits for a transaction")
        await second.execute(BEGIN_POSTGRESQL)
        moving = asyncio.create_task(moves[1].fetch(other[3] + 1, *other))
        await eventually(lambda: are_waiting(2), "another one waits for the migration")
        await first.execute("COMMIT")
        await migrating
        await third.execute(BEGIN_POSTGRESQL)
        for late in (moving, moves[2].fetch(other[3] + 1, *other)):
            with pytest.raises(asyncpg.UndefinedTableError):
                await late
    assert await next_offsets(url) == [one[3] + 1, other[3]]


@asynccontextmanager
async def connections(url: str, count: int) -> AsyncIterator[list[Any]]:
    opened = [await asyncpg.connect(url) for _ in range(count)]  # type: ignore[no-untyped-call]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.terminate()


async def prepare(connection: Any, statement: str) -> Any:
    """Prepare a statement as SQLAlchemy does: in a transaction."""
    await connection.execute(BEGIN_POSTGRESQL)
    prepared = await connection.prepare(statement)
    await connection.execute("COMMIT")
    return prepared


# Programs of different versions.

NEWER = "UPDATE store SET version = 4, program = '9.8.7'"
NEWER_LINE = (
    "The store has version 4 of the tables, this program version 3: use version 9.8.7 of the "
    "program or later, or set another DATABASE_URL or DATA_DIR, to read the trades from Kafka again"
)


async def test_a_newer_store_is_refused_at_the_start(
    database_url: str, cluster: Cluster, start: StartProgram
) -> None:
    await migrate(database_url)
    await execute(database_url, NEWER)
    before = await content(database_url)
    settings = {**cluster.settings, "DATABASE_URL": database_url}
    chart = start("chart_app", settings)
    assert await asyncio.to_thread(chart.wait) == 1
    assert f" {NEWER_LINE}\n" in chart.log()
    check = start("chart_app", settings, "rebuild", "--check")
    assert await asyncio.to_thread(check.wait) == 2
    assert check.log() == f"{NEWER_LINE}\n"
    assert await content(database_url) == before


async def test_a_worker_says_why_it_cannot_write_to_a_store_that_was_migrated(
    database_url: str, cluster: Cluster, start: StartProgram
) -> None:
    chart = start("chart_app", {**cluster.settings, "DATABASE_URL": database_url})
    await asyncio.to_thread(chart.wait_ready)
    await execute(database_url, NEWER)
    before = await content(database_url)
    async with AIOKafkaProducer(bootstrap_servers=cluster.broker.bootstrap_server) as producer:
        await send(producer, cluster.topic, 0, "NEW")
    assert await asyncio.to_thread(chart.wait) != 0
    assert f" CRITICAL chart_app.ingest.agent {NEWER_LINE}\n" in chart.log()
    assert await content(database_url) == before


async def test_no_trade_is_lost_where_its_coin_is_missing(database_url: str) -> None:
    await released_stores.load("all-trades", database_url)
    await execute(database_url, "DELETE FROM coins WHERE coin = 'BTCUSDT'")
    before = await content(database_url)
    with pytest.raises(WrongStore, match=r"\d+ of its \d+ trades are of coins that are missing"):
        await migrate(database_url)
    assert await content(database_url) == before


async def test_a_migration_that_can_never_succeed_ends_the_program(
    postgresql_url: str, cluster: Cluster, start: StartProgram
) -> None:
    await released_stores.load("all-trades", postgresql_url)
    await execute(postgresql_url, "CREATE VIEW prices AS SELECT coin, price FROM trades")
    chart = start("chart_app", {**cluster.settings, "DATABASE_URL": postgresql_url})
    assert await asyncio.to_thread(chart.wait) == 1
    assert "The store cannot be migrated: " in chart.log()
    assert "other objects depend on it" in chart.log()
    assert len(await fetch(postgresql_url, "SELECT * FROM consumed")) > 0


async def test_an_older_store_cannot_be_rebuilt(database_url: str, start: StartProgram) -> None:
    await released_stores.load("all-trades", database_url)
    before = await content(database_url)
    check = start("chart_app", {"DATABASE_URL": database_url}, "rebuild")
    assert await asyncio.to_thread(check.wait) == 2
    assert check.log().endswith("a worker migrates it at its start\n")
    assert await content(database_url) == before
