"""PostgreSQL in a benchmark, with its default settings."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sqlalchemy import make_url, text

from bench.store import connected
from tests.postgresql_server import PostgreSQLServer


class PostgreSQL(NamedTuple):
    """A running server."""

    url: str
    log: Path

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return make_url(self.url).port or 0


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """Run a server on a free port, with its files in a temporary folder."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # for root PostgreSQL runs as somebody else
        log = Path(folder) / "postgresql.log"
        server = PostgreSQLServer(Path(folder) / "data", log)
        server.start()
        try:
            yield PostgreSQL(server.url, log)
        finally:
            server.stop()


async def new_database(server: PostgreSQL) -> str:
    """Create a database; return its address."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    # Else what was written before is written to the tables while the next run is measured.
    await _execute(server, "CHECKPOINT", f"CREATE DATABASE {name}")
    return f"{server.url}/{name}"


@contextmanager
def temporary_database(server: PostgreSQL) -> Iterator[str]:
    """Yield the address of a new database, which is dropped at the end."""
    url = asyncio.run(new_database(server))
    try:
        yield url
    finally:
        asyncio.run(_execute(server, f"DROP DATABASE {make_url(url).database} WITH (FORCE)"))


async def settings(server: PostgreSQL) -> dict[str, str]:
    """Return the version, and the settings that durability depends on."""
    names = ("server_version", "fsync", "synchronous_commit", "shared_buffers", "max_wal_size")
    async with connected(f"{server.url}/postgres") as connection:
        return {name: await connection.scalar(text(f"SHOW {name}")) for name in names}


async def _execute(server: PostgreSQL, *statements: str) -> None:
    async with connected(f"{server.url}/postgres") as connection:
        for statement in statements:
            await connection.execute(text(statement))
