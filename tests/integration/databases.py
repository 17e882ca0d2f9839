"""The databases under test: both can be read by plain SQL, and go away."""

import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.postgresql_server import PostgreSQLServer

_HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


class TestedDatabase(ABC):
    """A database of one's own, at ``url``."""

    __test__ = False  # to pytest

    def __init__(self, url: str, driver: str) -> None:
        self.url = url
        self._engine = create_async_engine(make_url(url).set(drivername=driver), poolclass=NullPool)

    async def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a statement finds."""
        async with self._engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(sql))]

    async def run(self, sql: str) -> None:
        """Run a statement that changes something."""
        async with self._engine.begin() as connection:
            await connection.execute(text(sql))

    @abstractmethod
    @contextmanager
    def away(self) -> Iterator[None]:
        """Have the database not do its work during the ``with`` block."""


class SQLite(TestedDatabase):
    """A file. It is away while another process holds its lock."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "sqlite+aiosqlite")

    @contextmanager
    def away(self) -> Iterator[None]:
        """Have another process lock the file during the ``with`` block."""
        with subprocess.Popen(
            [sys.executable, "-c", _HOLD_LOCK, str(make_url(self.url).database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as locker:
            assert locker.stdout
            assert locker.stdout.readline() == b"locked\n"
            yield  # at its end the locker's input ends, and so does the locker
        assert locker.returncode == 0


class PostgreSQL(TestedDatabase):
    """A database of a server. The server is away while it is dead."""

    def __init__(self, url: str, server: PostgreSQLServer) -> None:
        super().__init__(url, "postgresql+asyncpg")
        self._server = server

    @contextmanager
    def away(self) -> Iterator[None]:
        """Kill the server; start it again at the end of the ``with`` block."""
        self._server.kill()
        try:
            yield
        finally:
            self._server.start()
