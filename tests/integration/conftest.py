"""The databases, and a trading_app that many tests share.

Other fixtures stand in tests/conftest.py: the browser's tests use them, too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import pytest
from sqlalchemy import URL, make_url

from dev.local_kafka import LocalKafka
from tests.conftest import Cluster, make_cluster
from tests.integration.databases import PostgreSQL
from tests.integration.live_market import LiveMarket, run_live_market
from tests.postgresql_server import PostgreSQLServer
from tests.programs import Program
from tests.released_stores import run_script
from tests.waiting import PATIENCE_S

#: A user of PostgreSQL, and a password with all characters that mean something in a URL.
SECRETIVE = "secretive"
PASSWORD = "p@s:s/w#r?d%+ &=[x]"
DATABASE = "test"
#: Ends what is still connected to the database, and takes away all that a test has made in it.
EMPTY_DATABASE = f"""
SELECT pg_terminate_backend(pid, {PATIENCE_S * 1000}) FROM pg_stat_activity
    WHERE datname = '{DATABASE}' AND pid <> pg_backend_pid();
ALTER DATABASE {DATABASE} OWNER TO postgres;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQLServer]:
    """Run a PostgreSQL server on a free port with its files in a temporary folder."""
    log_file = tmp_path_factory.mktemp("postgresql") / "postgresql.log"
    # Not in pytest's: another run of pytest closes that to others, and for root's tests
    # PostgreSQL runs as somebody else.
    with TemporaryDirectory(prefix="postgresql-") as folder:
        Path(folder).chmod(0o755)
        # After a kill -9 the system has all that was written: fsync is for the system's own end.
        server = PostgreSQLServer(Path(folder) / "data", log_file, fsync="off")
        server.start()
        asyncio.run(run_script(f"{server.url}/postgres", f"CREATE DATABASE {DATABASE}"))
        yield server
        server.stop()


@pytest.fixture
def postgresql_url(postgresql: PostgreSQLServer) -> str:
    """Return the address of an empty database of PostgreSQL: the same one for each test.

    To create one takes five times as long, and after a kill the server goes through the 300
    files of each that there is.
    """
    url = f"{postgresql.url}/{DATABASE}"
    asyncio.run(run_script(url, EMPTY_DATABASE))
    return url


@pytest.fixture
async def secretive_url(postgresql: PostgreSQLServer, postgresql_url: str) -> URL:
    """Return the address of a new database whose owner needs a password."""
    admin = PostgreSQL(postgresql_url, postgresql)
    if not await admin.fetch(f"SELECT 1 FROM pg_roles WHERE rolname = '{SECRETIVE}'"):
        await admin.run(f"CREATE ROLE {SECRETIVE} LOGIN PASSWORD '{PASSWORD}'")
        postgresql.ask_password(SECRETIVE)
    url = make_url(postgresql_url)
    await admin.run(f"ALTER DATABASE {url.database} OWNER TO {SECRETIVE}")
    return url.set(username=SECRETIVE, password=PASSWORD, host="localhost")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a new, empty database, of the one kind and of the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/chart.sqlite"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(scope="module")
def shared(kafka: LocalKafka) -> Cluster:
    """Return one topic for this module's tests."""
    return make_cluster(kafka)


@pytest.fixture(scope="module")
def trading(shared: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Run trading_app once for all tests that leave it as it was."""
    with Program("trading_app", tmp_path_factory.mktemp("trading"), shared.settings) as program:
        yield program.wait_ready()


@pytest.fixture
async def http(trading: Program) -> AsyncIterator[aiohttp.ClientSession]:
    """Open an HTTP client of trading_app."""
    async with aiohttp.ClientSession(trading.url) as session:
        yield session


@pytest.fixture(scope="session")
def live(kafka: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMarket]:
    """Run chart_app over a store with some history, for all clients."""
    with run_live_market(kafka, tmp_path_factory.mktemp("live")) as market:
        yield market
