"""Workers that start at once, on a database that has no store yet."""

import asyncio

from sqlalchemy import make_url, text

from chart_app.storage.database import Database
from chart_app.storage.writer import StoreWriter

WORKERS = 8


async def test_workers_that_start_at_once_make_one_store(database_url: str) -> None:
    databases = [Database(make_url(database_url)) for _ in range(WORKERS)]
    writers = [StoreWriter(database, store_trades=True) for database in databases]
    await asyncio.gather(*(writer.open() for writer in writers))
    async with databases[0].reader.connect() as connection:
        versions = (await connection.execute(text("SELECT version FROM store"))).all()
    for database in databases:
        await database.close()
    assert len(versions) == 1
