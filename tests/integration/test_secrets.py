"""No password is in anything that the programs write, at DEBUG, whatever fails."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import aiohttp
import pytest
from sqlalchemy import URL

from dev.local_kafka import LocalKafka, free_port
from tests.brokers import Broker
from tests.conftest import Cluster, StartProgram, make_cluster
from tests.integration.conftest import PASSWORD
from tests.programs import ROOT, Program
from tests.waiting import wait_for

USER = "trader"
KAFKA_PASSWORD = "k@fka:hu/sh#%+ =x"
JAAS = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    f'user_{USER}="{KAFKA_PASSWORD}";'
)
#: Wrong ones: no part of them may be written either.
WRONG_KAFKA_PASSWORD = "wr0ng-kafka-hush"
WRONG_PASSWORD = "wr0ng-database-hush"
FILE = ROOT / "trading_app" / "sample" / "coinbase_btcusd_trades_2023-09-05.csv.gz"
#: What the messages of the programs and of their libraries could be made of.
ENCODINGS = (
    str,
    lambda it: quote(it, safe=""),
    quote_plus,
    lambda it: json.dumps(it)[1:-1],
    lambda it: repr(it.encode())[2:-1],
    lambda it: base64.b64encode(it.encode()).decode(),
    lambda it: base64.b64encode(f"\0{USER}\0{it}".encode()).decode(),
)


def assert_no_secret(*programs: Program) -> None:
    """Fail the test if a password, in any form, is in a program's log or among its arguments."""
    for program in programs:
        log = program.log()
        assert log
        for secret in (PASSWORD, KAFKA_PASSWORD, WRONG_PASSWORD, WRONG_KAFKA_PASSWORD):
            for encode in ENCODINGS:
                assert encode(secret) not in log, program.package
        if program.running:
            assert program.process is not None
            arguments = Path(f"/proc/{program.process.pid}/cmdline").read_bytes().decode()
            assert "hush" not in arguments
            assert PASSWORD not in arguments


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """Run a broker whose users have passwords."""
    broker = Broker(
        free_port(),
        tmp_path_factory.mktemp("kafka"),
        {
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,USERS:SASL_PLAINTEXT"
            ),
            "listener.name.users.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.users.plain.sasl.jaas.config": JAAS,
        },
    )
    broker.listeners["USERS"] = free_port()
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def secret(broker: LocalKafka, secretive_url: URL) -> Cluster:
    """Return settings with the passwords of Kafka and of PostgreSQL, that log at DEBUG."""
    cluster = make_cluster(broker)
    cluster.settings.update(
        KAFKA_CLIENT_BOOTSTRAP_SERVER=f"localhost:{broker.listeners['USERS']}",
        KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        KAFKA_SASL_USERNAME=USER,
        KAFKA_SASL_PASSWORD=KAFKA_PASSWORD,
        DATABASE_URL=secretive_url.render_as_string(hide_password=False),
        LOG_LEVEL="DEBUG",
    )
    return cluster


@pytest.mark.parametrize("form", ["text", "json"])
async def test_where_all_is_well(secret: Cluster, start: StartProgram, form: str) -> None:
    settings = {**secret.settings, "LOG_FORMAT": form}
    trading = start("trading_app", settings).wait_ready()
    chart = start("chart_app", settings).wait_ready()
    trade = {"topic": secret.topic, "coinName": "BTC", "price": 1, "numOfCoin": 2}
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{trading.url}/send-trading-data", json=trade) as answer:
            assert answer.status == 201
        for program in (trading, chart):
            for page in ("readyz", "metrics", "openapi.json", "none"):
                async with http.get(f"{program.url}/{page}") as answer:
                    text = await answer.text()
                    assert PASSWORD not in text
                    assert KAFKA_PASSWORD not in text
    wait_for(lambda: "coinName=BTC" in chart.log(), "the trade is logged")
    commands = [start("chart_app", settings, command) for command in ("rebuild", "schema")]
    assert [command.wait() for command in commands] == [0, 0]
    assert_no_secret(trading, chart, *commands)
    assert (trading.stop(), chart.stop()) == (0, 0)
    assert_no_secret(trading, chart)


def test_where_kafkas_password_is_wrong(secret: Cluster, start: StartProgram) -> None:
    settings = {
        **secret.settings,
        "KAFKA_SASL_PASSWORD": WRONG_KAFKA_PASSWORD,
        "KAFKA_STARTUP_TIMEOUT": "10",
    }
    programs = [
        start("trading_app", settings),
        start("chart_app", settings),
        start("trading_app", settings, "replay", str(FILE)),
    ]
    assert [program.wait() for program in programs] == [1, 1, 1]
    for program in programs:
        assert "Authentication failed" in program.log()
    assert_no_secret(*programs)


def test_where_kafka_is_not_there(secret: Cluster, start: StartProgram) -> None:
    settings = {
        **secret.settings,
        "KAFKA_CLIENT_BOOTSTRAP_SERVER": f"localhost:{free_port()}",
        "KAFKA_STARTUP_TIMEOUT": "10",
    }
    programs = [start(package, settings) for package in ("trading_app", "chart_app")]
    assert [program.wait() for program in programs] == [1, 1]
    assert_no_secret(*programs)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": WRONG_PASSWORD}, "password authentication failed"),
        ({"username": "nobody-of-that-name"}, 'role "nobody-of-that-name" does not exist'),
        ({"database": "none"}, 'database "none" does not exist'),
        ({"port": 1}, "Connect"),
        ({"port": 99_999}, ""),
        ({"host": "no-host.invalid"}, ""),
    ],
)
def test_where_the_database_does_not_let_us_in(
    secret: Cluster,
    secretive_url: URL,
    start: StartProgram,
    change: dict[str, str],
    reason: str,
) -> None:
    url = secretive_url.set(**change).render_as_string(hide_password=False)  # type: ignore[arg-type]
    settings = {**secret.settings, "DATABASE_URL": url}
    chart = start("chart_app", settings)
    commands = [start("chart_app", settings, command) for command in ("rebuild", "schema")]
    assert [command.wait() for command in commands] == [2, 1]
    wait_for(lambda: "the store does not answer" in chart.log(), "it says what is wrong")
    for program in (chart, *commands):
        assert "The store does not answer: " in program.log() or program is chart
        assert reason in program.log()
    assert_no_secret(chart, *commands)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hush@hush2@host/name",
        "postgresql://user:hush@host:port/name",
        "postgresql://user:hush@host:5:5/name",
        "postgresql://user:hush@host/name?sslmode=hush",
        "postgresql://user:hush@host/name?sslrootcert=/nowhere",
        "postgres://user:hush@host/name",
        "mysql://user:hush@host/name",
        "hush",
    ],
)
@pytest.mark.parametrize("command", ["worker", "rebuild", "schema"])
def test_a_bad_url_ends_the_start(
    cluster: Cluster, start: StartProgram, url: str, command: str
) -> None:
    settings = {**cluster.settings, "DATABASE_URL": url, "LOG_LEVEL": "DEBUG"}
    program = start("chart_app", settings, command)
    assert program.wait() != 0
    assert "DATABASE_URL" in program.log()
    assert "Traceback" not in program.log()
    assert "hush" not in program.log().replace("sslmode", "")
