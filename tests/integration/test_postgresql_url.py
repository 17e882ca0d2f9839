"""DATABASE_URL as libpq writes it: TLS, passwords, sockets. A real PostgreSQL answers.

Its package was built without OpenSSL, so TLS ends in a process of ours before it.
"""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import aiohttp
import pytest
import trustme
from pydantic import SecretStr
from sqlalchemy import URL, text

from chart_app.storage.database import Database, database_url
from chart_app.storage.errors import StoreUnavailable, WrongAddress, translate_errors
from settings import Settings
from tests.conftest import Cluster, StartProgram
from tests.integration.conftest import PASSWORD, SECRETIVE
from tests.postgresql_server import PostgreSQLServer, TLSFront
from tests.waiting import wait_for


class TLS(NamedTuple):
    """Ports of the same server by the name of its certificate, and the authorities' files."""

    ports: dict[str, int]
    authority: Path
    another: Path


@pytest.fixture(scope="module")
def tls(postgresql: PostgreSQLServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TLS]:
    """Run TLS before the server, with certificates for two names."""
    folder = tmp_path_factory.mktemp("postgresql-tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "another.pem")
    with ExitStack() as stack:
        ports = {}
        for name in ("localhost", "another.example"):
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority.issue_cert(name).configure_cert(context)
            ports[name] = stack.enter_context(TLSFront(postgresql.port, context)).port
        yield TLS(ports, folder / "ca.pem", folder / "another.pem")


def written(url: URL, query: str = "") -> str:
    """Return a URL as one writes it."""
    login = f"{url.username}:{quote(url.password or '', safe='')}"
    return f"postgresql://{login}@{url.host}:{url.port}/{url.database}?{query}"


async def answer(url: str) -> str:
    """Return who a database says that we are. Raises StoreError."""
    loaded = Settings(database_url=SecretStr(url), _env_file=None)  # type: ignore[call-arg]
    database = Database(database_url(loaded))
    try:
        with translate_errors():
            async with database.reader.connect() as connection:
                return str((await connection.execute(text("SELECT current_user"))).scalar_one())
    finally:
        await database.close()


async def test_a_password_with_any_character_lets_in_and_another_does_not(
    secretive_url: URL,
) -> None:
    assert await answer(written(secretive_url)) == SECRETIVE
    with pytest.raises(StoreUnavailable, match="password authentication failed") as caught:
        await answer(written(secretive_url.set(password="hush")))
    assert "hush" not in str(caught.value)


async def test_the_password_may_be_in_pgpassword(
    secretive_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert await answer(written(secretive_url.set(password=""))) == SECRETIVE


async def test_the_password_may_be_in_a_file(secretive_url: URL, tmp_path: Path) -> None:
    file = tmp_path / "pgpass"
    file.write_text(f"*:*:*:*:{PASSWORD}\n")
    file.chmod(0o600)
    assert await answer(written(secretive_url.set(password=""), f"passfile={file}")) == SECRETIVE


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
async def test_a_server_without_tls_is_used(secretive_url: URL, mode: str) -> None:
    assert await answer(written(secretive_url, f"sslmode={mode}")) == SECRETIVE


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_server_without_tls_is_refused(secretive_url: URL, tls: TLS, mode: str) -> None:
    with pytest.raises(StoreUnavailable, match="rejected SSL upgrade"):
        await answer(written(secretive_url, f"sslmode={mode}&sslrootcert={tls.authority}"))


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("another.example", "sslmode=require"),
        ("another.example", "sslmode=verify-ca&sslrootcert={authority}"),
        ("localhost", "sslmode=verify-full&sslrootcert={authority}"),
    ],
)
async def test_a_server_with_tls_is_used(
    secretive_url: URL, tls: TLS, name: str, query: str
) -> None:
    url = written(secretive_url.set(port=tls.ports[name]), query.format(**tls._asdict()))
    assert await answer(url) == SECRETIVE


@pytest.mark.parametrize(
    ("name", "query", "reason"),
    [
        ("localhost", "sslmode=verify-ca&sslrootcert={another}", "CERTIFICATE_VERIFY_FAILED"),
        ("localhost", "sslmode=verify-full&sslrootcert={another}", "CERTIFICATE_VERIFY_FAILED"),
        ("another.example", "sslmode=verify-full&sslrootcert={authority}", "Hostname mismatch"),
    ],
)
async def test_another_certificate_is_refused(
    secretive_url: URL, tls: TLS, name: str, query: str, reason: str
) -> None:
    url = written(secretive_url.set(port=tls.ports[name]), query.format(**tls._asdict()))
    with pytest.raises(StoreUnavailable, match=reason):
        await answer(url)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("sslmode=full", "DATABASE_URL .* `sslmode` parameter must be one of: disable, allow"),
        ("target_session_attrs=none", "DATABASE_URL .* target_session_attrs is expected to be"),
    ],
)
async def test_a_parameter_that_is_none_is_said(
    secretive_url: URL, query: str, reason: str
) -> None:
    with pytest.raises(WrongAddress, match=reason):
        await answer(written(secretive_url, query))


async def test_a_folder_is_asked_for_its_socket(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="No such file or directory"):
        await answer(f"postgresql://user:password@/name?host={tmp_path}")


async def test_a_worker_uses_tls_and_refuses_another_name(
    secretive_url: URL, tls: TLS, cluster: Cluster, start: StartProgram
) -> None:
    query = f"sslmode=verify-full&sslrootcert={tls.authority}"
    url = written(secretive_url.set(port=tls.ports["localhost"]), query)
    start("chart_app", {**cluster.settings, "DATABASE_URL": url}).wait_ready()
    url = written(secretive_url.set(port=tls.ports["another.example"]), query)
    chart = start("chart_app", {**cluster.settings, "DATABASE_URL": url})
    wait_for(lambda: "Hostname mismatch" in chart.log(), "it says what is wrong")
    async with aiohttp.ClientSession() as http, http.get(f"{chart.url}/readyz") as response:
        assert response.status == 503
        assert "Hostname mismatch" in await response.text()
