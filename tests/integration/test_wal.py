"""SQLite's write-ahead log is written into the database file beside the transactions."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chart_app.storage import wal
from tests.integration.filled_store import FilledStore, Given
from tests.waiting import eventually

START = 1_682_882_400_000
PAGE_BYTES = 4096 + 24


async def test_what_is_stored_comes_into_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "INTERVAL_S", 0)
    file = tmp_path / "chart.sqlite"
    async with FilledStore(f"sqlite:///{file}") as store:

        async def trades_in_the_file() -> int:
            await store.feed(Given("BTC", START, "1"))
            copy = shutil.copy(file, tmp_path / "copy.sqlite")
            with closing(sqlite3.connect(copy)) as connection:
                try:
                    found = connection.execute("SELECT count(*) FROM trades").fetchone()
                except sqlite3.DatabaseError:  # copied while it was written
                    return 0
            return int(found[0])

        await eventually(trades_in_the_file, "the file has trades")


async def test_a_reader_that_stays_does_not_hold_up_a_writer_nor_lose_a_trade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "INTERVAL_S", 0)
    file = tmp_path / "chart.sqlite"
    async with FilledStore(f"sqlite:///{file}") as store:
        await store.feed(Given("BTC", START, "1"))
        with closing(sqlite3.connect(file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM trades").fetchone() == (1,)
            for number in range(100):
                await store.feed(Given("BTC", START + number, "1"))
            assert reader.execute("SELECT count(*) FROM trades").fetchone() == (1,)
            reader.execute("COMMIT")
            assert reader.execute("SELECT count(*) FROM trades").fetchone() == (101,)


async def test_the_log_is_bounded_if_transactions_are_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "INTERVAL_S", 3600)
    file = tmp_path / "chart.sqlite"
    monkeypatch.setattr("chart_app.storage.database.MAX_PAGES", 100)
    async with FilledStore(f"sqlite:///{file}") as store:
        for number in range(100):
            await store.feed(*(Given(f"C{coin}", START + number, "1") for coin in range(10)))
        log = file.with_name("chart.sqlite-wal")
        assert log.stat().st_size < 300 * PAGE_BYTES


async def test_a_store_that_is_closed_meanwhile_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "INTERVAL_S", 0)
    for _ in range(10):
        async with FilledStore(f"sqlite:///{tmp_path}/chart.sqlite") as store:
            await store.feed(Given("BTC", START, "1"))
        assert files(tmp_path) == ["chart.sqlite"]


def files(folder: Path) -> list[str]:
    """Return the names of the files of a folder."""
    return [it.name for it in folder.iterdir()]
