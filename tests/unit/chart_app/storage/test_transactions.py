"""Which transactions of SQLite run on the event loop, and what ends that."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection

from chart_app.storage import transactions
from chart_app.storage.database import Database
from chart_app.storage.transactions import SLOW_PAUSE_S, SLOW_S

EVENT_LOOP = threading.main_thread().name
THREAD = "store_0"


class Clock:
    """What the transactions read instead of :mod:`time`."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        """Return the time (s)."""
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(transactions, "time", clock)
    return clock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chart.sqlite"


@pytest.fixture
async def database(file: Path, clock: Clock) -> Database:  # noqa: ARG001 - no transaction is slow
    database = Database(URL.create("sqlite", database=str(file)))
    await database.write(lambda it: it.exec_driver_sql("CREATE TABLE rows (name TEXT)"))
    return database


@pytest.fixture
def lock(file: Path, database: Database) -> Iterator[sqlite3.Connection]:  # noqa: ARG001
    """Return another connection, which has locked the file."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def insert(name: str, then: Callable[[], object] = lambda: None) -> Callable[[Connection], str]:
    """Return a function that inserts a row, and returns where it ran."""

    def run(connection: Connection) -> str:
        connection.exec_driver_sql("INSERT INTO rows VALUES (?)", (name,))
        then()
        return threading.current_thread().name

    return run


async def names(database: Database) -> list[str]:
    return await database.write(
        lambda it: list(it.exec_driver_sql("SELECT name FROM rows").scalars())
    )


async def test_only_a_short_one_runs_on_the_event_loop(database: Database) -> None:
    assert await database.write(insert("long")) == THREAD
    assert await database.write(insert("short"), is_short=True) == EVENT_LOOP
    assert await names(database) == ["long", "short"]


async def test_one_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(insert("half", fail), is_short=True)
    assert await database.write(insert("next"), is_short=True) == EVENT_LOOP
    assert await names(database) == ["next"]


async def test_a_locked_file_is_waited_for_in_the_thread(
    database: Database, lock: sqlite3.Connection
) -> None:
    writing = asyncio.create_task(database.write(insert("waited"), is_short=True))
    await asyncio.sleep(0.1)
    assert not writing.done()
    lock.execute("COMMIT")
    assert await writing == THREAD
    assert await names(database) == ["waited"]
    # It still waits in the thread after one that did not.
    lock.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(database.write(insert("again")))
    await asyncio.sleep(0.1)
    lock.execute("COMMIT")
    assert await writing == THREAD


async def test_none_runs_beside_one_in_the_thread(database: Database) -> None:
    has_begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        has_begun.set()
        go_on.wait()

    first = asyncio.create_task(database.write(insert("first", wait)))
    await asyncio.to_thread(has_begun.wait)
    second = asyncio.create_task(database.write(insert("second"), is_short=True))
    await asyncio.sleep(0)
    first.cancel()  # nobody waits for it any more, but it has not ended
    await asyncio.sleep(0)
    third = asyncio.create_task(database.write(insert("third"), is_short=True))
    await asyncio.sleep(0)
    go_on.set()
    assert [await second, await third] == [THREAD, THREAD]
    assert await names(database) == ["first", "second", "third"]


async def test_after_a_slow_one_all_go_to_the_thread_for_a_while(
    database: Database, clock: Clock
) -> None:
    def take(seconds: float) -> Callable[[], None]:
        def wait() -> None:
            clock.now_s += seconds

        return wait

    assert await database.write(insert("quick", take(SLOW_S / 2)), is_short=True) == EVENT_LOOP
    assert await database.write(insert("slow", take(SLOW_S + 1)), is_short=True) == EVENT_LOOP
    assert await database.write(insert("next"), is_short=True) == THREAD
    clock.now_s += SLOW_PAUSE_S - 0.01
    assert await database.write(insert("later"), is_short=True) == THREAD
    clock.now_s += 0.02
    assert await database.write(insert("at last"), is_short=True) == EVENT_LOOP
