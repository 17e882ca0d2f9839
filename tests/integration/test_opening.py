"""Workers that start at once, on a database that has no store yet."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from faust.types import TP
from sqlalchemy import make_url, text

from chart_app.storage.database import Database
from chart_app.storage.wal import switch_to_wal
from chart_app.storage.writer import StoreWriter
from tests.waiting import PATIENCE_S

WORKERS = 12
#: Without waiting one new file in ten was locked for a worker.
FILES = 60


@pytest.fixture
async def databases(database_url: str) -> AsyncIterator[list[Database]]:
    """Open a new database as each of the workers does."""
    databases = [Database(make_url(database_url)) for _ in range(WORKERS)]
    yield databases
    for database in databases:
        await database.close()


async def test_workers_that_start_at_once_make_one_store_and_number_its_partitions(
    databases: list[Database],
) -> None:
    writers = [StoreWriter(database, store_trades=True) for database in databases]
    await asyncio.gather(*(writer.open() for writer in writers))
    async with databases[0].reader.connect() as connection:
        versions = (await connection.execute(text("SELECT version FROM store"))).all()
    assert len(versions) == 1

    partitions = [TP("tradeData", number) for number in range(WORKERS)]
    checkpoints = await asyncio.gather(
        *(it.checkpoints({tp: "id"}) for it, tp in zip(writers, partitions, strict=True))
    )
    ids = [found[tp].partition_id for found, tp in zip(checkpoints, partitions, strict=True)]
    assert sorted(ids) == [*range(WORKERS)]


def test_a_new_file_that_is_opened_at_once_is_locked_for_nobody(tmp_path: Path) -> None:
    at_once = Barrier(WORKERS)

    def open_(file: Path) -> str:
        with closing(sqlite3.connect(file)) as connection:
            at_once.wait()
            switch_to_wal(connection, PATIENCE_S)
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            return str(mode)

    with ThreadPoolExecutor(WORKERS) as workers:
        for number in range(FILES):
            file = tmp_path / f"{number}.sqlite"
            assert [*workers.map(open_, [file] * WORKERS)] == ["wal"] * WORKERS
