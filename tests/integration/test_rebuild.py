"""``faust -A chart_app rebuild`` as its user runs it, on both databases, without Kafka."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.util import await_only

from chart_app.model.intervals import Interval
from chart_app.storage import rebuild, recomputation
from chart_app.storage.database import Database
from chart_app.storage.rebuild import Rebuild
from chart_app.storage.writer import StoreWriter
from dev.local_kafka import free_port
from tests.conftest import StartProgram
from tests.integration.databases import SQLite
from tests.integration.filled_store import FilledStore, Given
from tests.programs import Program

#: A minute of 2023-04-30, the end of a month and of a week.
START = 1_682_882_400_000

TRADES = [
    Given(coin, START + minute * 40_000, str(100 + minute), "0.5", trade_id)
    for minute in range(100)
    for coin, trade_id in (("BTC", None), ("ETH", str(1000 - minute)), ("two words", f"t{minute}"))
]
DAMAGE = [
    "UPDATE candles SET volume = '0.25', trades = 7 WHERE coin = 'BTC' AND \"interval\" = '1h'",
    f"DELETE FROM candles WHERE coin = 'ETH' AND open_time = {START}",
    f"UPDATE candles SET open_time = {START + 1} WHERE coin = 'two words' AND \"interval\" = '1w'",
    "UPDATE candles SET coin = 'GONE' WHERE coin = 'BTC' AND \"interval\" = '1M'",
]


@pytest.fixture
async def filled(database_url: str) -> AsyncIterator[FilledStore]:
    """Return a store with some trades."""
    async with FilledStore(database_url) as store:
        await store.feed(*TRADES)
        yield store


async def damage(store: FilledStore, *statements: str) -> None:
    def run_all(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    await store.database.write(run_all)


async def candles(store: FilledStore) -> list[tuple[Any, ...]]:
    async with store.database.reader.connect() as connection:
        found = await connection.execute(text("SELECT * FROM candles ORDER BY 1, 2, 3"))
        return [tuple(row) for row in found]


def run(start: StartProgram, url: str, *options: str) -> tuple[int, list[str]]:
    """Run the command; return its exit code and what it says."""
    program: Program = start("chart_app", {"DATABASE_URL": url}, "rebuild", *options)
    return program.wait(), program.log().splitlines()


async def test_differences_are_reported_and_then_repaired(
    filled: FilledStore, database_url: str, start: StartProgram
) -> None:
    right = await candles(filled)
    summary = f"{len(right)} candles of 3 coins checked, 0 differences"
    assert run(start, database_url) == (0, [summary])
    await damage(filled, *DAMAGE)
    wrong = await candles(filled)

    code, lines = run(start, database_url, "--check")
    assert code == 1
    hour = "BTC 1h 2023-04-30T19:00:00.000Z wrong: "
    assert any(line.startswith(f"{hour}volume 0.25 → ") for line in lines)
    assert any(line.startswith("ETH 1m 2023-04-30T19:20:00.000Z missing: open") for line in lines)
    week = '"two words" 1w 2023-04-'
    assert any(line.startswith(f"{week}24T00:00:00.000Z missing: open 100, ") for line in lines)
    assert any(line.startswith(f"{week}30T19:20:00.001Z superfluous: open") for line in lines)
    assert any(line.startswith("GONE 1M 2023-04-01T00:00:00.000Z superfluous") for line in lines)
    assert lines[-1].endswith(f" candles of 4 coins checked, {len(lines) - 1} differences")
    assert await candles(filled) == wrong

    of_eth = [line for line in lines if line.startswith("ETH ")]
    code, repaired = run(start, database_url, "--coin", "ETH")
    assert (code, repaired[:-1]) == (1, of_eth)
    assert repaired[-1].endswith(f"of 1 coins checked, {len(of_eth)} differences (repaired)")
    code, repaired = run(start, database_url)
    assert (code, len(repaired)) == (1, len(lines) - len(of_eth))
    assert await candles(filled) == right


async def test_a_trade_that_comes_meanwhile_is_not_lost(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not of SQLite, which lets nobody else write meanwhile.
    read_candles = recomputation.read_candles
    tries = 0

    def read_and_be_overtaken(*arguments: Any) -> Any:
        nonlocal tries
        found = read_candles(*arguments)
        if arguments[2:4] == (Interval.M1, recomputation.START):
            tries += 1
            if tries == 1:
                await_only(store.feed(Given("BTC", START, "1000000")))
        return found

    monkeypatch.setattr(rebuild, "read_candles", read_and_be_overtaken)
    url = make_url(postgresql_url)
    async with FilledStore(postgresql_url) as store, closing(Database(url)) as other:
        await store.feed(*TRADES)
        await damage(store, "UPDATE candles SET volume = 0.25 WHERE coin = 'BTC'")
        assert [it async for it in Rebuild(other, repair=True).run("BTC")]
        assert tries == 2
        check = Rebuild(other, repair=False)
        assert [it async for it in check.run(None)] == []
        assert check.outcome.coins == 3


@asynccontextmanager
async def closing(database: Database) -> AsyncIterator[Database]:
    """Close a database also if the test fails: uvloop would wait for its connections."""
    try:
        yield database
    finally:
        await database.close()


async def test_it_waits_for_a_database_that_is_locked(tmp_path: Path, start: StartProgram) -> None:
    database = SQLite(f"sqlite:///{tmp_path}/chart.sqlite")
    async with FilledStore(database.url) as filled:
        await filled.feed(*TRADES)
    with database.away():
        program = start("chart_app", {"DATABASE_URL": database.url}, "rebuild")
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(8)  # it starts in less, and one try takes 5 s
    assert program.wait() == 0, program.log()


async def test_trades_are_read_in_parts(
    filled: FilledStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = await candles(filled)
    monkeypatch.setattr(recomputation, "CHUNK_TRADES", 7)
    await damage(filled, "DELETE FROM candles")
    repair = Rebuild(filled.database, repair=True)
    differences = [it async for it in repair.run(None)]
    assert len(differences) == len(right) == repair.outcome.candles
    assert await candles(filled) == right


async def test_an_incomplete_store_is_refused(
    filled: FilledStore, database_url: str, start: StartProgram
) -> None:
    assert run(start, database_url, "--coin", "XRP") == (2, ["The store has no coin XRP"])
    await StoreWriter(filled.database, store_trades=False).open()
    await damage(filled, "DELETE FROM candles")
    code, lines = run(start, database_url)
    assert code == 2
    assert "STORE_TRADES=false" in lines[0]
    assert await candles(filled) == []


def test_a_database_without_a_store_is_refused(database_url: str, start: StartProgram) -> None:
    if database_url.startswith("sqlite"):
        Path(make_url(database_url).database or "").touch()
    assert run(start, database_url) == (
        2,
        ["There is no store: the database has none of its tables"],
    )


def test_a_file_that_does_not_exist_is_not_made(tmp_path: Path, start: StartProgram) -> None:
    file = tmp_path / "folder" / "chart.sqlite"
    code, (line,) = run(start, f"sqlite:///{file}")
    assert (code, line) == (2, f"There is no store: the file {file} does not exist")
    assert not file.parent.exists()


def test_a_database_that_does_not_answer_is_an_error(start: StartProgram) -> None:
    code, (line,) = run(start, f"postgresql://postgres@127.0.0.1:{free_port()}/postgres")
    assert code == 2
    assert line.startswith("The store does not answer: ")
