"""SQLite's write-ahead log: switched to, and written into the database file beside transactions.

SQLite itself writes it every 1,000 pages (sqlite.org/wal.html#ckpt), at the end of a transaction,
which then waits for the disk twice: one of 26, where each has 45 candles.
"""

import asyncio
import sqlite3
import time
from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncEngine

from chart_app.storage.errors import DATABASE_ERRORS, is_locked

INTERVAL_S = 1.0
#: The log grows while there are always further transactions, or readers of its beginning. With so
#: many pages a transaction does it nevertheless: 40 MB, of 4 KiB each.
MAX_PAGES = 10_000
#: Until a file that another worker is switching to WAL is tried again.
LOCKED_INTERVAL_S = 0.01


def switch_to_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Have a file use the log. If two workers do that at once, SQLite does not wait by itself."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_locked(error) or time.monotonic() > deadline_s:
                raise
            time.sleep(LOCKED_INTERVAL_S)
        else:
            return


class WriteAheadLog:
    """The log of a database, which other connections write to and read."""

    def __init__(self, reader: AsyncEngine) -> None:
        self._reader = reader
        self._last_s = time.monotonic()
        self._emptying: asyncio.Task[None] | None = None

    def written(self) -> None:
        """Note that a transaction has written to it."""
        now_s = time.monotonic()
        is_due = now_s - self._last_s >= INTERVAL_S
        if is_due and (self._emptying is None or self._emptying.done()):
            self._last_s = now_s
            self._emptying = asyncio.create_task(self._empty())

    async def _empty(self) -> None:
        # The next time will do, or a transaction, whose errors are told.
        with suppress(*DATABASE_ERRORS):
            async with self._reader.connect() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    async def close(self) -> None:
        """Wait until it is no longer read."""
        if self._emptying:
            await asyncio.wait({self._emptying})
