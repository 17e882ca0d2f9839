"""A PostgreSQL server in a benchmark, with its default settings."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from tests.postgresql_server import PostgreSQLServer


@contextmanager
def running_postgresql() -> Iterator[PostgreSQLServer]:
    """Run a server with its files in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # to root's benchmarks PostgreSQL runs as somebody else
        server = PostgreSQLServer(Path(folder) / "data", Path(folder) / "postgresql.log")
        server.start()
        try:
            yield server
        finally:
            server.stop()


async def new_database(server: PostgreSQLServer) -> str:
    """Create a database; return its address."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(f"{server.url}/postgres")  # type: ignore[no-untyped-call]
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return f"{server.url}/{name}"
