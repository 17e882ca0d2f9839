"""One real Kafka for the session; a topic and a group of its own for each test."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from local_kafka import LocalKafka, free_port
from tests.programs import Program

# A busy machine stalls for seconds; how long an example takes says nothing here.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

#: Kafka looks for what to delete every 5 minutes, the first time after 30 s.
RETENTION_AT_ONCE = {
    "log.retention.check.interval.ms": "500",
    "log.initial.task.delay.ms": "500",
    "log.segment.delete.delay.ms": "500",
}


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """Run a broker on a free port with its files in a temporary folder."""
    broker = LocalKafka(free_port(), tmp_path_factory.mktemp("kafka"), RETENTION_AT_ONCE)
    broker.start()
    yield broker
    broker.kill()


class Cluster(NamedTuple):
    """The broker as one test sees it."""

    broker: LocalKafka
    topic: str
    settings: dict[str, str]


@pytest.fixture
def cluster(kafka: LocalKafka) -> Cluster:
    """Return settings that name the session's broker and this test's own topic and group."""
    return make_cluster(kafka)


def make_cluster(broker: LocalKafka) -> Cluster:
    """Return settings for the broker with a new topic and a new group."""
    name = uuid.uuid4().hex[:12]
    topic = f"trades-{name}"
    return Cluster(
        broker,
        topic,
        {
            "KAFKA_CLIENT_BOOTSTRAP_SERVER": broker.bootstrap_server,
            "TRADE_TOPICS": topic,
            "GROUP_ID": f"group-{name}",
            "KAFKA_SESSION_TIMEOUT": "6",
        },
    )


StartProgram = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartProgram]:
    """Return a function that starts a program, which ends with the test."""
    with ExitStack() as stack:

        def start_program(
            package: str,
            settings: dict[str, str],
            *command: str,
            log_file: Path | None = None,
        ) -> Program:
            program = Program(package, tmp_path, settings, *command)
            program.log_file = log_file or program.log_file
            return stack.enter_context(program)

        yield start_program
