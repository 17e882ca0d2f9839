"""The store of a chart_app, SQLite or PostgreSQL, as a benchmark reads it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import func, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bench.chart import STORED_TRADES
from bench.processes import Child
from chart_app.storage import schema

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
POLL_INTERVAL_S = 0.05
STALL_TIMEOUT_S = 60


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """Connect to a database; each statement is its own transaction."""
    parsed = make_url(url)
    engine = create_async_engine(
        parsed.set(drivername=DRIVERS[parsed.drivername]),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )
    async with engine.connect() as connection:
        yield connection


async def wait_stored(url: str, trades: int, writers: Sequence[Child]) -> float:
    """Wait until the candles count so many trades; return the time, by the monotonic clock.

    Raises BenchFailed if a writer ends or nothing more is stored. Candles of a month are few, so
    counting by them costs the database next to nothing.
    """
    stored, deadline = -1, 0.0
    async with connected(url) as connection:
        while True:
            found = int(await connection.scalar(text(STORED_TRADES)) or 0)
            now = time.monotonic()
            if found >= trades:
                return now
            if found > stored:
                stored, deadline = found, now + STALL_TIMEOUT_S
            for writer in writers:
                if now > deadline:
                    raise writer.failed(f"{stored} of {trades} trades are stored")
                writer.check()
            await asyncio.sleep(POLL_INTERVAL_S)


async def count(url: str) -> tuple[int, int]:
    """Return how many trades the candles count, and how many are stored."""
    async with connected(url) as connection:
        counted = await connection.scalar(text(STORED_TRADES))
        rows = await connection.scalar(select(func.count()).select_from(schema.trades))
    return int(counted or 0), int(rows or 0)
