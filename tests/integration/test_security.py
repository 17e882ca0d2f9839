"""TLS and SASL against a broker that asks for them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from dev.local_kafka import LocalKafka, free_port
from tests.brokers import Broker
from tests.conftest import Cluster, StartProgram, make_cluster
from tests.programs import Program
from tests.records import read_all
from tests.waiting import eventually, wait_for

JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_trader="secret";'


def write_keystore(certificate: trustme.LeafCert, file: Path) -> Path:
    """Write key and certificates in the form that Kafka reads (PKCS #8)."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem + b"".join(it.bytes() for it in certificate.cert_chain_pems))
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a CA and a client's certificate."""
    return tmp_path_factory.mktemp("security")


@pytest.fixture(scope="module")
def secure_kafka(folder: Path) -> Iterator[LocalKafka]:
    """Run a broker with a listener for SASL over TLS and one for TLS with client certificates."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    client = authority.issue_cert("client")
    client.private_key_and_cert_chain_pem.write_to_path(folder / "client.pem")
    keystore = write_keystore(authority.issue_cert("localhost", "127.0.0.1"), folder / "server.pem")
    broker = Broker(
        free_port(),
        folder / "kafka",
        {
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECRET:SASL_SSL,MUTUAL:SSL"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(keystore),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(folder / "ca.pem"),
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.secret.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.secret.plain.sasl.jaas.config": JAAS,
        },
    )
    broker.listeners |= {"SECRET": free_port(), "MUTUAL": free_port()}
    broker.start()
    yield broker
    broker.kill()


def secured(broker: LocalKafka, listener: str, folder: Path, **settings: str) -> Cluster:
    """Return settings for a listener of the broker."""
    cluster = make_cluster(broker)
    cluster.settings.update(
        KAFKA_CLIENT_BOOTSTRAP_SERVER=f"localhost:{broker.listeners[listener]}",
        KAFKA_SSL_CAFILE=str(folder / "ca.pem"),
        **settings,
    )
    return cluster


async def check_a_trade_arrives(cluster: Cluster, start: StartProgram) -> None:
    """Post a trade and see it logged."""
    trading = start("trading_app", cluster.settings).wait_ready()
    chart = start("chart_app", cluster.settings).wait_ready()
    assert await post(trading, cluster.topic) == 201
    wait_for(chart.trades, "the trade is logged")


async def post(trading: Program, topic: str) -> int:
    """Post a trade; return the status."""
    trade = {"topic": topic, "coinName": "BTC", "price": 1, "numOfCoin": 2}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{trading.url}/send-trading-data", json=trade) as answer,
    ):
        return answer.status


async def has_status(program: Program, status: int) -> bool:
    """Return whether ``/readyz`` answers with a status."""
    assert program.running, program.log()
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{program.url}/readyz") as answer:
            return answer.status == status
    except aiohttp.ClientConnectionError:  # it does not listen yet
        return False


async def test_sasl_over_tls(secure_kafka: LocalKafka, folder: Path, start: StartProgram) -> None:
    cluster = secured(
        secure_kafka,
        "SECRET",
        folder,
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_SASL_USERNAME="trader",
        KAFKA_SASL_PASSWORD="secret",
    )
    await check_a_trade_arrives(cluster, start)


async def test_tls_with_a_client_certificate(
    secure_kafka: LocalKafka, folder: Path, start: StartProgram
) -> None:
    cluster = secured(
        secure_kafka,
        "MUTUAL",
        folder,
        KAFKA_SECURITY_PROTOCOL="SSL",
        KAFKA_SSL_CERTFILE=str(folder / "client.pem"),
    )
    await check_a_trade_arrives(cluster, start)


def test_a_wrong_password_is_said_and_not_logged(
    secure_kafka: LocalKafka, folder: Path, start: StartProgram
) -> None:
    cluster = secured(
        secure_kafka,
        "SECRET",
        folder,
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_SASL_USERNAME="trader",
        KAFKA_SASL_PASSWORD="a-wrong-one",
        LOG_LEVEL="DEBUG",
    )
    trading = start("trading_app", cluster.settings)
    wait_for(lambda: "Authentication failed" in trading.log(), "it says what is wrong")
    assert "a-wrong-one" not in trading.log()


class EncryptedKafka:
    """A broker with a listener for TLS, whose certificate's name can be another."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(folder / "ca.pem")
        self._keystore = folder / "server.pem"
        self.broker = Broker(
            free_port(),
            folder / "kafka",
            {
                "listener.security.protocol.map": (
                    "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,ENCRYPTED:SSL"
                ),
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(self._keystore),
            },
        )
        self.broker.listeners["ENCRYPTED"] = free_port()

    def restart(self, name: str) -> None:
        """Start the broker, or end and start it, with a certificate for a name."""
        self.broker.kill()
        write_keystore(self._authority.issue_cert(name), self._keystore)
        self.broker.start()


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[EncryptedKafka]:
    """Run a broker whose certificate is for localhost."""
    kafka = EncryptedKafka(tmp_path)
    kafka.restart("localhost")
    yield kafka
    kafka.broker.kill()


async def test_a_certificate_of_another_name_is_refused(
    encrypted: EncryptedKafka, tmp_path: Path, start: StartProgram
) -> None:
    cluster = secured(encrypted.broker, "ENCRYPTED", tmp_path, KAFKA_SECURITY_PROTOCOL="SSL")
    cluster.settings["KAFKA_DELIVERY_TIMEOUT"] = "5"
    trading = start("trading_app", cluster.settings).wait_ready()
    chart = start("chart_app", cluster.settings).wait_ready()
    assert await post(trading, cluster.topic) == 201
    encrypted.restart("another.example")
    new_trading = start("trading_app", cluster.settings)
    programs = [trading, chart, new_trading, start("chart_app", cluster.settings)]
    for program in programs:
        wait_for(partial(says, program, "Hostname mismatch"), "it says what is wrong")
        await eventually(partial(has_status, program, 503), "it is not ready")
    assert await post(trading, cluster.topic) == await post(new_trading, cluster.topic) == 503
    assert len(await read_all(cluster)) == 1
    encrypted.restart("localhost")
    for program in programs:
        await eventually(partial(has_status, program, 200), "it is ready")
        assert not says(program, "Traceback")


def says(program: Program, text: str) -> bool:
    """Return whether a text is in a program's log."""
    return text in program.log()
