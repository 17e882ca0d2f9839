"""A broker with an authorizer: the ACLs of docs/security.md are enough, and each is needed."""

import argparse
import asyncio
import re
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

import topics
from dev.local_kafka import LocalKafka, free_port
from settings import Settings
from streaming import internals
from streaming.kafka.topics import ensure_topics
from tests.brokers import Broker, admin_of
from tests.conftest import Cluster, StartProgram, make_cluster
from tests.programs import ROOT, Program
from tests.waiting import PATIENCE_S, eventually, wait_for

JAAS = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    'user_trading_app="secret of trading_app" user_chart_app="secret of chart_app";'
)
#: Kafka's codes.
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "DescribeConfigs": 10, "AlterConfigs": 11}
TOPIC, GROUP = 2, 3
LITERAL = 3
ALLOW = 3


class Acl(NamedTuple):
    """What lets a user do something; the names are those of the documentation."""

    user: str
    kind: int
    name: str
    operation: str


def documented() -> set[Acl]:
    """Return what the commands of docs/security.md make."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--allow-principal", required=True)
    parser.add_argument("--operation", action="append", required=True)
    resource = parser.add_mutually_exclusive_group(required=True)
    resource.add_argument("--topic")
    resource.add_argument("--group")
    text = (ROOT / "docs" / "security.md").read_text()
    found = set()
    for command in re.findall(r"^acls (--.*)$", text, re.MULTILINE):
        made = parser.parse_args(shlex.split(command))
        user = made.allow_principal.removeprefix("User:")
        kind = TOPIC if made.topic else GROUP
        found |= {Acl(user, kind, made.topic or made.group, it) for it in made.operation}
    return found


TO_CREATE = {acl for acl in documented() if acl.operation == "Create"}
TO_WORK = documented() - TO_CREATE
#: Without these a program works, and warns that it does not know how the topics are configured.
TO_WARN = {acl for acl in TO_WORK if acl.operation == "DescribeConfigs"}
NEEDED = sorted(TO_WORK - TO_WARN)


class Authorized:
    """A cluster with an authorizer, as its administrator."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.topic = cluster.topic
        self._bootstrap_server = cluster.broker.bootstrap_server
        self._admin = Settings(
            kafka_client_bootstrap_server=[self._bootstrap_server],
            trade_topics=[cluster.topic],
        )

    def settings(self, user: str) -> dict[str, str]:
        """Return the settings of a program that is this user."""
        return {
            **self._cluster.settings,
            "KAFKA_CLIENT_BOOTSTRAP_SERVER": f"localhost:{self._cluster.broker.listeners['USERS']}",
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": f"secret of {user}",
        }

    def name(self, acl: Acl) -> str:
        """Return the name of an ACL's topic or group here."""
        if acl.kind == GROUP:
            return self._cluster.settings["GROUP_ID"]
        return acl.name.replace("tradeData", self.topic)

    async def allow(self, *acls: Acl) -> None:
        """Add ACLs."""
        async with admin_of(self._cluster.broker) as client:
            for acl in acls:
                response = await _send(client, CreateAclsRequest(*self._fields(acl), ALLOW))
                assert [code for code, _ in response.creation_responses] == [0]

    async def forbid(self, acl: Acl) -> None:
        """Remove an ACL."""
        async with admin_of(self._cluster.broker) as client:
            response = await _send(client, DeleteAclsRequest(*self._fields(acl), ALLOW))
            ((code, _, removed),) = response.filter_responses
            assert (code, len(removed)) == (0, 1)

    def _fields(self, acl: Acl) -> tuple[int, str, int, str, str, int]:
        operation = OPERATIONS[acl.operation]
        return acl.kind, self.name(acl), LITERAL, f"User:{acl.user}", "*", operation

    async def create_topics(self) -> None:
        """Create all topics of both programs."""
        specs = [
            *topics.trade_topics(self._admin),
            *topics.dead_letter_topics(self._admin),
            topics.live_topic(self._admin),
        ]
        async with admin_of(self._cluster.broker) as client:
            await ensure_topics(client, specs, 1)

    async def send_no_trade(self) -> None:
        """Send what is not a trade."""
        async with AIOKafkaProducer(bootstrap_servers=self._bootstrap_server) as producer:
            await producer.send_and_wait(self.topic, b"no trade")

    async def dead_letter(self) -> bytes | None:
        """Return the first dead letter."""
        async with AIOKafkaConsumer(
            topics.dead_letter_topic(self.topic),
            bootstrap_servers=self._bootstrap_server,
            auto_offset_reset="earliest",
        ) as consumer:
            value: bytes | None = (await asyncio.wait_for(consumer.getone(), PATIENCE_S)).value
            return value


async def _send(client: AIOKafkaAdminClient, request: Any) -> Any:
    connection = internals.admin_connection(client)
    return await connection.send(connection.get_random_node(), request)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """Run a broker whose plain listener is its administrator's, and another for users."""
    broker = Broker(
        free_port(),
        tmp_path_factory.mktemp("kafka"),
        {
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,USERS:SASL_PLAINTEXT"
            ),
            "listener.name.users.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.users.plain.sasl.jaas.config": JAAS,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        },
    )
    broker.listeners["USERS"] = free_port()
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def authorized(broker: LocalKafka) -> Authorized:
    """Return the broker with a new topic and a new group, on which nobody has a right."""
    return Authorized(make_cluster(broker))


async def readiness(program: Program) -> tuple[int, str]:
    """Return the status and the text of ``/readyz``; (0, "") while it does not listen yet."""
    assert program.running, program.log()
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{program.url}/readyz") as answer:
            return answer.status, await answer.text()
    except aiohttp.ClientConnectionError:
        return 0, ""


async def post(trading: Program, topic: str) -> tuple[int, str]:
    """Post a trade; return the status and the text."""
    trade = {"topic": topic, "coinName": "BTC", "price": 1, "numOfCoin": 2}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{trading.url}/send-trading-data", json=trade) as answer,
    ):
        return answer.status, await answer.text()


async def is_unready_for(program: Program, reason: str) -> bool:
    """Return whether a program says that it is not ready, and why."""
    status, text = await readiness(program)
    return status == 503 and reason in text


@pytest.mark.parametrize("creates", [True, False])
async def test_the_documented_acls_are_enough(
    authorized: Authorized, start: StartProgram, creates: bool
) -> None:
    if creates:
        await authorized.allow(*TO_WORK, *TO_CREATE)
    else:
        await authorized.create_topics()
        await authorized.allow(*TO_WORK)
    trading = start("trading_app", authorized.settings("trading_app"))
    chart = start("chart_app", authorized.settings("chart_app"))
    other = start("chart_app", authorized.settings("chart_app"))
    for program in (trading, chart, other):
        wait_for(program.is_ready, "it is ready")
    assert (await post(trading, authorized.topic))[0] == 201
    wait_for(lambda: chart.trades() + other.trades(), "the trade is logged")
    await authorized.send_no_trade()
    assert await authorized.dead_letter() == b"no trade"
    for program in (trading, chart, other):
        wait_for(program.is_ready, "it is ready")
        assert not re.search("ACL|Traceback|does not show", program.log()), program.log()


@pytest.mark.parametrize("acl", NEEDED, ids=lambda it: f"{it.user}-{it.operation}-{it.name}")
async def test_a_right_that_is_missing_is_named_and_waited_for(
    authorized: Authorized, start: StartProgram, acl: Acl
) -> None:
    await authorized.create_topics()
    await authorized.allow(*(TO_WORK - {acl}))
    kind = "topic" if acl.kind == TOPIC else "group"
    reason = f"Kafka's ACLs do not give this program {acl.operation} on {kind} "
    program = start(acl.user, authorized.settings(acl.user))
    await eventually(
        lambda: is_unready_for(program, reason + authorized.name(acl)), "it says what is missing"
    )
    if acl.user == "trading_app":
        assert (await post(program, authorized.topic))[0] == 503
    await authorized.allow(acl)
    wait_for(program.is_ready, "it is ready")
    assert program.log().count(reason) == 1
    assert "Traceback" not in program.log()


@pytest.mark.parametrize(
    ("acl", "reason"),
    [
        (Acl("trading_app", TOPIC, "tradeData", "Write"), "Write on topic tradeData"),
        (Acl("chart_app", TOPIC, "tradeData", "Read"), "Read on topic tradeData"),
        (Acl("chart_app", TOPIC, "tradeData.live", "Write"), "Write on topic tradeData.live"),
    ],
    ids=str,
)
async def test_a_right_that_is_taken_away_meanwhile_is_named_and_waited_for(
    authorized: Authorized, start: StartProgram, acl: Acl, reason: str
) -> None:
    await authorized.create_topics()
    await authorized.allow(*TO_WORK)
    program = start(acl.user, authorized.settings(acl.user)).wait_ready()
    wait_for(program.is_ready, "all is well")
    await authorized.forbid(acl)
    reason = reason.replace("tradeData", authorized.topic)
    await eventually(lambda: is_unready_for(program, reason), "it says what is missing")
    if acl.user == "trading_app":
        assert (await post(program, authorized.topic))[0] == 503
    await asyncio.sleep(5)
    await authorized.allow(acl)
    wait_for(program.is_ready, "all is well again")
    assert program.log().count(reason) == 1
    assert "Traceback" not in program.log()
    assert len(program.log().splitlines()) < 30


async def test_a_group_that_may_no_longer_be_read_ends_the_worker(
    authorized: Authorized, start: StartProgram
) -> None:
    await authorized.create_topics()
    await authorized.allow(*TO_WORK)
    chart = start("chart_app", authorized.settings("chart_app"))
    wait_for(chart.is_ready, "it is ready")
    await authorized.forbid(Acl("chart_app", GROUP, "chartMonitoringGroup", "Read"))
    assert chart.wait() == 1
    assert chart.log().count("Kafka's ACLs no longer let this program read its group") == 1
    assert chart.log().count("Traceback") <= 1  # Faust's, of its end


async def test_in_vain_a_program_waits_for_rights_no_longer_than_for_kafka(
    authorized: Authorized, start: StartProgram
) -> None:
    await authorized.create_topics()
    for user, missing in (
        ("trading_app", f"Write on topic {authorized.topic}"),
        ("chart_app", f"Read on topic {authorized.topic}, Write on topic"),
    ):
        program = start(user, authorized.settings(user) | {"KAFKA_STARTUP_TIMEOUT": "1"})
        assert program.wait() == 1
        last = program.log().split("\n")[-2]
        assert (
            f"within 1 s (KAFKA_STARTUP_TIMEOUT): Kafka's ACLs do not give this program {missing}"
            in last
        )
        assert "Traceback" not in program.log()


async def test_a_topic_that_may_not_be_created_ends_the_start(
    authorized: Authorized, start: StartProgram
) -> None:
    await authorized.allow(*TO_WORK)
    trading = start("trading_app", authorized.settings("trading_app"))
    assert trading.wait() == 1
    reason = f"Kafka refuses to create topic {authorized.topic}: Authorization failed."
    assert reason in trading.log()
    assert "Traceback" not in trading.log()


async def test_configs_that_may_not_be_seen_are_said(
    authorized: Authorized, start: StartProgram
) -> None:
    await authorized.create_topics()
    await authorized.allow(*(TO_WORK - TO_WARN))
    for user, seen in (("trading_app", 1), ("chart_app", 3)):
        program = start(user, authorized.settings(user)).wait_ready()
        assert program.log().count("Kafka does not show the configs of topic") == seen


async def test_replay_says_what_is_missing(authorized: Authorized, start: StartProgram) -> None:
    await authorized.create_topics()
    await authorized.allow(Acl("trading_app", TOPIC, "tradeData", "DescribeConfigs"))
    file = ROOT / "trading_app" / "sample" / "coinbase_btcusd_trades_2023-09-05.csv.gz"
    settings = authorized.settings("trading_app") | {"KAFKA_STARTUP_TIMEOUT": "1"}
    replay = start("trading_app", settings, "replay", str(file))
    assert replay.wait() == 1
    assert f"Kafka's ACLs do not give this program Write on topic {authorized.topic}" in (
        replay.log()
    )
    assert "Traceback" not in replay.log()
