"""``faust -A chart_app schema`` as its user runs it, on both databases, without Kafka."""

import asyncio
import re
from pathlib import Path

import pytest
from sqlalchemy import text

from chart_app.storage import description, schema
from dev.local_kafka import free_port
from tests.conftest import StartProgram
from tests.integration.filled_store import FilledStore, Given

SIZE = re.compile(r"(table|index)  (\w+) +([0-9,]+) bytes")
TRADES = [Given("BTC", 60_000 * number, "1", id=str(number)) for number in range(100)]


def run(start: StartProgram, **settings: str) -> tuple[int, list[str]]:
    """Run the command; return its exit code and what it says."""
    program = start("chart_app", settings, "schema")
    return program.wait(), program.log().splitlines()


def fill(url: str, *statements: str) -> None:
    """Fill a store, and run statements in it."""

    async def run_all() -> None:
        async with FilledStore(url) as filled:
            await filled.feed(*TRADES)
            for statement in statements:
                await filled.database.write(lambda it: it.execute(text(statement)))  # noqa: B023

    asyncio.run(run_all())


def test_it_shows_the_version_and_the_size_of_each_table_and_index(
    database_url: str, start: StartProgram
) -> None:
    fill(database_url)
    code, lines = run(start, DATABASE_URL=database_url)
    assert code == 0
    version = schema.VERSION
    assert (
        lines[0]
        == f"The store has version {version} of the tables, this program version {version}."
    )
    assert lines[1] == "A worker uses it as it is."
    found = [match.groups() for match in map(SIZE.fullmatch, lines[2:]) if match]
    assert len(found) == len(lines) - 2
    kinds = {name: kind for kind, name, _ in found}
    assert {name for name, kind in kinds.items() if kind == "table"} == {*schema.metadata.tables}
    assert kinds["trades_coin_time"] == kinds["partitions_current"] == "index"
    sizes = {name: int(size.replace(",", "")) for _, name, size in found}
    assert sizes["trades"] >= 4096
    assert list(sizes.values()) == sorted(sizes.values(), reverse=True)


def test_it_says_that_a_newer_store_is_refused(database_url: str, start: StartProgram) -> None:
    fill(database_url, "UPDATE store SET version = 9, program = '7.1.0'")
    code, lines = run(start, DATABASE_URL=database_url)
    assert code == 0
    assert lines[1].startswith("A worker refuses it: The store has version 9 of the tables")
    assert "use version 7.1.0 of the program or later" in lines[1]


def test_it_makes_no_store(start: StartProgram, tmp_path: Path) -> None:
    code, lines = run(start, DATABASE_URL=f"sqlite:///{tmp_path}/none.sqlite")
    assert code == 0
    reason = f"There is no store: the file {tmp_path}/none.sqlite does not exist."
    assert lines == [f"{reason} A worker creates it at its start."]
    assert not (tmp_path / "none.sqlite").exists()


def test_an_empty_postgresql_is_no_store(postgresql_url: str, start: StartProgram) -> None:
    code, lines = run(start, DATABASE_URL=postgresql_url)
    assert code == 0
    assert lines == [
        "There is no store: the database has none of its tables. A worker creates it at its start."
    ]


def test_a_database_that_does_not_answer_is_an_error(start: StartProgram) -> None:
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/none"
    code, (line,) = run(start, DATABASE_URL=url)
    assert code == 1
    assert line.startswith("The store does not answer: ")


async def test_a_sqlite_without_dbstat_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FilledStore(f"sqlite:///{tmp_path}/chart.sqlite") as filled:
        monkeypatch.setattr(description, "_DBSTAT", "SELECT 1 FROM no_dbstat")
        lines = await description.describe(filled.database)
    assert lines[2:] == [
        "Python's SQLite was built without dbstat: the size of each table is unknown."
    ]
