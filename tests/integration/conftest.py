"""The databases. Other fixtures stand in tests/conftest.py: the browser's tests use them, too."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.integration.databases import PostgreSQLServer


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """Run a PostgreSQL server on a free port with its files in a temporary folder."""
    # Not in pytest's: another run of pytest closes that to others, and for root's tests
    # PostgreSQL runs as somebody else.
    with TemporaryDirectory(prefix="postgresql-") as folder:
        Path(folder).chmod(0o755)
        server = PostgreSQLServer(Path(folder) / "data")
        server.start()
        yield server
        server.stop()


@pytest.fixture
def postgresql_url(postgresql: PostgreSQLServer) -> str:
    """Return the address of a new, empty database of PostgreSQL."""
    name = f"test_{uuid.uuid4().hex[:12]}"

    async def create() -> None:
        url = make_url(f"{postgresql.url}/postgres").set(drivername="postgresql+asyncpg")
        engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))

    asyncio.run(create())
    return f"{postgresql.url}/{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a new, empty database, of the one kind and of the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/chart.sqlite"
    url: str = request.getfixturevalue("postgresql_url")
    return url
