"""The nginx of docs/security.md, as it stands there, before both programs."""

import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import trustme
from aiohappyeyeballs import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from dev.local_kafka import LocalKafka, free_port
from tests import nginx
from tests.conftest import make_cluster
from tests.nginx import Nginx
from tests.programs import ROOT, Program
from tests.waiting import PATIENCE_S, eventually
from trading_app.endpoints.bulk import BODY_LIMIT

SEND, CHART = "send.example", "chart.example"
#: Behind the proxy each address has a rate of its own.
LIMITED = {"HTTP_TRUSTED_PROXIES": "127.0.0.1", "HTTP_RATE_LIMIT": "0.01"}
SPOOFED = ("203.0.113.7", "127.0.0.1, 198.51.100.1", "::1, 127.0.0.1", "x" * 4000)


class ThisMachine(AbstractResolver):
    """Every name leads here."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return where a name leads."""
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Do nothing."""


class Site(NamedTuple):
    """Both programs behind nginx."""

    topic: str
    tls: ssl.SSLContext
    port: int

    @asynccontextmanager
    async def client(self, address: str = "127.0.0.1") -> AsyncIterator[aiohttp.ClientSession]:
        """Yield a client whose connections come from an address of this machine.

        One that nginx has cut short is still being closed when the client is: it is waited for.
        """
        sockets: list[socket.socket] = []

        def make_socket(address_info: AddrInfoType) -> socket.socket:
            sockets.append(socket.socket(*address_info[:3]))
            return sockets[-1]

        connector = aiohttp.TCPConnector(
            resolver=ThisMachine(),
            ssl=self.tls,
            local_addr=(address, 0),
            socket_factory=make_socket,
        )
        async with aiohttp.ClientSession(connector=connector) as client:
            yield client

        async def are_closed() -> bool:
            return all(it.fileno() == -1 for it in sockets)

        await eventually(are_closed, "the connections are closed")

    def url(self, host: str, path: str) -> str:
        """Return an address by one of the names."""
        return f"https://{host}:{self.port}{path}"

    async def post(self, client: aiohttp.ClientSession, **headers: str) -> int:
        """Post a trade; return the status of the answer."""
        trade = {"topic": self.topic, "coinName": "BTC", "price": 1, "numOfCoin": 2}
        url = self.url(SEND, "/send-trading-data")
        async with client.post(url, json=trade, headers=headers) as answer:
            return answer.status


@pytest.fixture(scope="module")
def site(kafka: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run both programs, and nginx as the documentation has it before them.

    A machine without nginx skips these tests; CI must have one.
    """
    folder, cluster = tmp_path_factory.mktemp("nginx"), make_cluster(kafka)
    try:
        binary = nginx.find(folder)
    except nginx.NoNginx as none:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(none))
    settings = cluster.settings | LIMITED | {"HTTP_ALLOWED_HOSTS": f"{SEND},{CHART}"}
    authority = trustme.CA()
    certificate = authority.issue_cert(SEND, CHART)
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "site.pem")
    tls, port = ssl.create_default_context(), free_port()
    authority.configure_trust(tls)
    with (
        Program("trading_app", folder, settings) as trading,
        Program("chart_app", folder, settings) as chart,
        Nginx(binary, folder, configuration(folder, port, trading, chart), port),
    ):
        for program in (trading, chart):
            program.wait_ready()
        yield Site(cluster.topic, tls, port)


def configuration(folder: Path, port: int, trading: Program, chart: Program) -> str:
    """Return the configuration of the documentation, with the ports and files of a test."""
    page = (ROOT / "docs/security.md").read_text()
    (shown,) = re.findall(r"^```nginx\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for old, new, count in (
        ("listen 443", f"listen 127.0.0.1:{port}", 2),
        ("127.0.0.1:3000", f"127.0.0.1:{trading.port}", 1),
        ("127.0.0.1:3001", f"127.0.0.1:{chart.port}", 1),
        ("/etc/ssl/example/fullchain.pem", f"{folder}/site.pem", 1),
        ("/etc/ssl/example/key.pem", f"{folder}/site.pem", 1),
    ):
        assert shown.count(old) == count
        shown = shown.replace(old, new)
    return str(shown)


async def test_a_trade_that_is_posted_is_read_and_streamed(site: Site) -> None:
    async with site.client("127.0.0.11") as client:
        stream = site.url(CHART, "/ws/btc@trade")
        async with client.ws_connect(stream, origin=site.url(CHART, "")) as socket:
            assert await site.post(client, Origin=site.url(SEND, "")) == 201
            event = await socket.receive_json(timeout=PATIENCE_S)
            assert (event["e"], event["s"], event["q"]) == ("trade", "BTC", "2")
        klines = site.url(CHART, "/api/v3/klines?symbol=BTC&interval=1d")
        async with client.get(klines) as answer:
            assert answer.status == 200
            assert [kline[5] for kline in await answer.json()] == ["2"]
        async with client.get(site.url(CHART, "/")) as answer:
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Strict-Transport-Security"]


async def test_a_list_may_be_as_long_as_without_a_proxy(site: Site) -> None:
    line = b'{"coinName":"ETH","price":1,"numOfCoin":2}'.ljust(511) + b"\n"
    headers = {"Content-Type": "application/x-ndjson"}
    async with site.client("127.0.0.12") as client:
        for count, status in ((BODY_LIMIT // 512, 201), (BODY_LIMIT // 512 + 1, 413)):
            url, body = site.url(SEND, "/trades"), BytesIO(line * count)
            async with client.post(url, data=body, headers=headers) as answer:
                assert answer.status == status, await answer.text()


async def test_a_foreign_host_is_refused_by_the_programs(site: Site) -> None:
    async with site.client("127.0.0.13") as client:
        for host in (SEND, CHART):
            url, headers = site.url(host, "/healthz"), {"Host": "evil.example"}
            async with client.get(url, headers=headers) as answer:
                assert answer.status == 421
                assert "HTTP_ALLOWED_HOSTS" in (await answer.json(content_type=None))["detail"]


async def test_a_foreign_page_is_refused(site: Site) -> None:
    async with site.client("127.0.0.14") as client:
        assert await site.post(client, Origin="https://evil.example") == 403
        # Another port is another origin: the proxy hands on that of the Host.
        assert await site.post(client, Origin=f"https://{SEND}") == 403


async def test_no_name_but_ours_is_certified(site: Site) -> None:
    async with site.client("127.0.0.15") as client:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.get(site.url("other.example", "/healthz"))


async def test_a_client_is_who_the_proxy_says_and_not_who_it_says_itself(site: Site) -> None:
    async with site.client("127.0.0.16") as one, site.client("127.0.0.17") as other:
        trades = [{"coinName": "BTC", "price": 1, "numOfCoin": 2}] * 1000  # for 1,000 s, then
        async with one.post(site.url(SEND, "/trades"), json=trades) as answer:
            assert answer.status == 201
        for spoofed in SPOOFED:
            assert await site.post(one, **{"X-Forwarded-For": spoofed}) == 429
        assert await site.post(other) == 201
