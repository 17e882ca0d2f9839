"""TLS of the HTTP servers, with certificates that change and clients that have none."""

import asyncio
import contextlib
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import trustme
from aiohttp import ClientConnectorCertificateError, ClientOSError, ServerDisconnectedError
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from dev.local_kafka import LocalKafka
from streaming.http.tls import HANDSHAKE_TIMEOUT_S, HANDSHAKES_MAX
from tests.conftest import Cluster, StartProgram, make_cluster
from tests.programs import Program
from tests.waiting import PATIENCE_S, eventually, in_time, wait_for

REFUSED = (ClientOSError, ServerDisconnectedError, ssl.SSLError)


class Certificates(NamedTuple):
    """The server's, in the files that its settings name."""

    folder: Path
    authority: trustme.CA

    def issue(self, authority: trustme.CA | None = None) -> None:
        """Write a new certificate and its key."""
        leaf = (authority or self.authority).issue_cert("localhost", "127.0.0.1")
        (self.folder / "cert.pem").write_bytes(b"".join(it.bytes() for it in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(self.folder / "key.pem")

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings that name them."""
        return {
            "HTTP_TLS_CERTFILE": str(self.folder / "cert.pem"),
            "HTTP_TLS_KEYFILE": str(self.folder / "key.pem"),
        }


def trusting(authority: trustme.CA, client: trustme.LeafCert | None = None) -> ssl.SSLContext:
    """Return the context of a client that trusts an authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if client:
        client.configure_cert(context)
    return context


async def get(program: Program, context: ssl.SSLContext, path: str = "/healthz") -> int:
    """Return the status of an answer by TLS, on a new connection."""
    url = f"https://localhost:{program.port}{path}"
    async with aiohttp.ClientSession() as http, http.get(url, ssl=context) as answer:
        await answer.read()
        return answer.status


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """Return the server's files."""
    made = Certificates(tmp_path, trustme.CA())
    made.issue()
    return made


@pytest.fixture(scope="module")
def shared(kafka: LocalKafka) -> Cluster:
    """Return one topic for this module's tests."""
    return make_cluster(kafka)


async def test_a_trade_and_its_candle_go_by_tls(
    cluster: Cluster, start: StartProgram, certificates: Certificates
) -> None:
    settings = {**cluster.settings, **certificates.settings}
    trading = start("trading_app", settings).wait_ready()
    chart = start("chart_app", settings).wait_ready()
    context = trusting(certificates.authority)
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as http:
        async with http.ws_connect(f"https://localhost:{chart.port}/ws/btc@trade") as viewer:
            trade = {"topic": cluster.topic, "coinName": "BTC", "price": 1, "numOfCoin": 2}
            # A page of ours, by its address with https.
            headers = {"Origin": f"https://localhost:{trading.port}"}
            url = f"https://localhost:{trading.port}/send-trading-data"
            async with http.post(url, json=trade, headers=headers) as answer:
                assert answer.status == 201
            assert (await viewer.receive_json(timeout=PATIENCE_S))["p"] == "1"
        url = f"https://localhost:{chart.port}/"
        async with http.get(url) as answer:
            assert answer.status == 200
    reader, writer = await asyncio.open_connection("127.0.0.1", trading.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"200" not in await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    for program in (trading, chart):
        assert program.stop() == 0
        assert "Traceback" not in program.log()


def test_old_versions_of_tls_are_refused(
    shared: Cluster, start: StartProgram, certificates: Certificates
) -> None:
    trading = start("trading_app", {**shared.settings, **certificates.settings}).wait_ready()

    def version(highest: ssl.TLSVersion) -> str | None:
        context = trusting(certificates.authority)
        with warnings.catch_warnings(action="ignore"):  # of old versions
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = highest
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with (
            socket.create_connection(("127.0.0.1", trading.port)) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            return connection.version()

    with pytest.raises((ssl.SSLError, ConnectionError)):
        version(ssl.TLSVersion.TLSv1_1)
    assert version(ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    assert version(ssl.TLSVersion.TLSv1_3) == "TLSv1.3"


async def test_a_certificate_changes_without_a_restart(
    shared: Cluster, start: StartProgram, certificates: Certificates
) -> None:
    trading = start("trading_app", {**shared.settings, **certificates.settings}).wait_ready()
    old, new = trusting(certificates.authority), trustme.CA()
    assert await get(trading, old) == 200
    patient = aiohttp.TCPConnector(keepalive_timeout=PATIENCE_S)
    async with aiohttp.ClientSession(connector=patient) as http:
        url = f"https://localhost:{trading.port}/healthz"
        async with http.get(url, ssl=old) as answer:  # this connection stays open
            await answer.read()
        certificates.issue(new)

        async def is_new() -> bool:
            with contextlib.suppress(ClientConnectorCertificateError):
                return await get(trading, trusting(new)) == 200
            return False

        await eventually(is_new, "the new certificate is used")
        with pytest.raises(ClientConnectorCertificateError):
            await get(trading, old)
        async with http.get(url, ssl=old) as answer:
            assert answer.status == 200
    (certificates.folder / "key.pem").write_text("no key")
    wait_for(lambda: "HTTP_TLS_CERTFILE: the certificate" in trading.log(), "it is logged")
    assert await get(trading, trusting(new)) == 200
    (certificates.folder / "cert.pem").unlink()
    wait_for(lambda: "cert.pem cannot be read" in trading.log(), "it is logged")
    assert await get(trading, trusting(new)) == 200
    assert "Traceback" not in trading.log()


def test_with_a_certificate_that_is_none_nothing_starts(
    shared: Cluster, start: StartProgram, certificates: Certificates
) -> None:
    file = certificates.folder / "key.pem"
    encrypted = load_pem_private_key(file.read_bytes(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    for content in (b"no key", encrypted):
        file.write_bytes(content)
        program = start("trading_app", {**shared.settings, **certificates.settings})
        assert program.wait() == 1
        (line,) = program.log().splitlines()
        assert "HTTP_TLS_CERTFILE: the certificate, its key or the CAs are not valid" in line
        program.log_file.unlink()


async def test_a_client_needs_a_certificate_where_one_is_asked_for(
    shared: Cluster, start: StartProgram, certificates: Certificates
) -> None:
    clients, others = trustme.CA(), trustme.CA()
    file = certificates.folder / "clients.pem"
    clients.cert_pem.write_to_path(file)
    settings = {
        **shared.settings,
        **certificates.settings,
        "HTTP_TLS_CLIENT_CAFILE": str(file),
    }
    programs = [start(package, settings).wait_ready() for package in ("trading_app", "chart_app")]
    right = trusting(certificates.authority, clients.issue_cert("client"))
    wrong = trusting(certificates.authority, others.issue_cert("client"))
    for program in programs:
        assert await get(program, right) == 200
        for context in (wrong, trusting(certificates.authority)):
            for path in ("/healthz", "/metrics", "/ws", "/"):
                with pytest.raises(REFUSED):
                    await get(program, context, path)
        wait_for(lambda: " access refused handshake client=127.0.0.1" in program.log(), "logged")  # noqa: B023
    others.cert_pem.write_to_path(file)

    async def is_right_now() -> bool:
        with contextlib.suppress(*REFUSED):
            return await get(programs[0], wrong) == 200
        return False

    await eventually(is_right_now, "the other authority counts")
    with pytest.raises(REFUSED):
        await get(programs[0], right)
    assert all("Traceback" not in program.log() for program in programs)


@contextlib.contextmanager
def silent_connections(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Open connections on which no handshake begins."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S))
            for _ in range(count)
        ]


async def test_who_does_not_shake_hands_makes_room(
    shared: Cluster, start: StartProgram, certificates: Certificates
) -> None:
    trading = start("trading_app", {**shared.settings, **certificates.settings}).wait_ready()
    context = trusting(certificates.authority)
    with silent_connections(trading.port, 3 * HANDSHAKES_MAX) as silent:
        assert await get(trading, context) == 200
        silent[0].settimeout(PATIENCE_S)
        assert await asyncio.to_thread(closes, silent[0])  # at once, for a later one
        assert await asyncio.to_thread(closes, silent[-1])  # in time
        assert await get(trading, context) == 200
    assert trading.stop() == 0
    assert "Traceback" not in trading.log()


async def test_a_handshake_in_progress_does_not_keep_it_from_ending(
    shared: Cluster, start: StartProgram, certificates: Certificates
) -> None:
    async def attempt() -> float:
        trading = start("trading_app", {**shared.settings, **certificates.settings}).wait_ready()
        with silent_connections(trading.port, 5):
            assert await get(trading, trusting(certificates.authority)) == 200
            duration = trading.time_to_end()
        assert "Traceback" not in trading.log()
        return duration

    await in_time(HANDSHAKE_TIMEOUT_S / 2, attempt)


def closes(connection: socket.socket) -> bool:
    """Wait until the other side closes a connection."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
