"""The transactions of SQLite, one at a time: short ones on the event loop, the others in a thread.

A transaction of a few rows takes half a millisecond, and in a thread twice that: the thread waits
for the GIL, which the event loop holds, and the event loop for the thread.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from chart_app.storage.driver import driver
from chart_app.storage.errors import is_locked

#: A short transaction that took longer has met a slow disk ...
SLOW_S = 0.1
#: ... so for this long none runs on the event loop, where all else waits for it.
SLOW_PAUSE_S = 10.0

Result = TypeVar("Result")


class Transactions:
    """Runs transactions on one connection of an engine, which it keeps."""

    def __init__(self, engine: Engine, timeout_s: float) -> None:
        """``timeout_s``: how long a transaction waits for another process's lock."""
        self._engine = engine
        self._timeout_ms = int(timeout_s * 1000)
        self._kept: Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._in_thread: set[Future[Any]] = set()
        #: From when on, by the monotonic clock (s), short ones run on the event loop.
        self._at_once_from_s = 0.0

    async def run(self, function: Callable[[Connection], Result], *, is_short: bool) -> Result:
        """Call a function with a connection, in one transaction, and return its result.

        It is called again, in the thread, if it is short and another process has a lock.
        """
        if is_short and not self._in_thread and time.monotonic() >= self._at_once_from_s:
            try:
                return self._run_at_once(function)
            except sqlite3.OperationalError as error:
                if not is_locked(error):
                    raise
        job = self._thread.submit(self._run, function)
        self._in_thread.add(job)
        job.add_done_callback(self._in_thread.discard)
        return await asyncio.wrap_future(job)

    def _run(self, function: Callable[[Connection], Result]) -> Result:
        """Run a transaction, which waits for a lock."""
        execute = driver(self._connection()).execute
        execute(f"PRAGMA busy_timeout = {self._timeout_ms}")
        try:
            return self._in_transaction(function)
        finally:
            execute("PRAGMA busy_timeout = 0")

    def _run_at_once(self, function: Callable[[Connection], Result]) -> Result:
        start_s = time.monotonic()
        try:
            return self._in_transaction(function)
        finally:
            end_s = time.monotonic()
            if end_s - start_s > SLOW_S:
                self._at_once_from_s = end_s + SLOW_PAUSE_S

    def _in_transaction(self, function: Callable[[Connection], Result]) -> Result:
        connection = self._connection()
        own = driver(connection)
        # Lock now, not at the first write: by then another process may have changed what was read.
        own.execute("BEGIN IMMEDIATE")
        try:
            result = function(connection)
            own.commit()
        except BaseException:
            own.rollback()
            raise
        finally:
            if connection.in_transaction():
                connection.rollback()  # SQLAlchemy's: the driver's has ended
        return result

    def _connection(self) -> Connection:
        if self._kept is None:
            self._kept = self._engine.connect()
        return self._kept

    def close(self) -> None:
        """Close the connection, without waiting for what still runs in the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._kept and not self._in_thread:
            self._kept.close()
        self._engine.dispose()
