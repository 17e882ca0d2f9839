"""One real Kafka for the session; a topic and a group of its own for each test.

Where several processes run tests, each of them has a session, and a Kafka, of its own.
"""

import gc
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from dev.local_kafka import LocalKafka, free_port
from streaming import runtime
from tests import logs
from tests.brokers import Broker
from tests.programs import Program
from tests.waiting import PATIENCE_S

if TYPE_CHECKING:  # xdist is there where several processes run tests
    from xdist.remote import Producer
    from xdist.scheduler.protocol import Scheduling

# Tests run on the event loop of the programs.
runtime.set_up()

# A busy machine stalls for seconds; how long an example takes says nothing here.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

#: Kafka looks for what to delete every 5 minutes, the first time after 30 s. It takes 50 ms of CPU
#: with the 600 partitions of fifty tests.
RETENTION_AT_ONCE = {
    "log.retention.check.interval.ms": "2000",
    "log.initial.task.delay.ms": "500",
    "log.segment.delete.delay.ms": "500",
}

FILE_BEGAN = pytest.StashKey[float]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "Scheduling | None":
    """Schedule as tests/schedule.py says, unless ``--dist`` asks for another way."""
    from tests.schedule import LongestFirst  # noqa: PLC0415

    return LongestFirst(config, log) if config.getvalue("dist") == "load" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes longest first, in a process that is one of several."""
    if hasattr(config, "workerinput"):
        from tests.schedule import place  # noqa: PLC0415

        items.sort(key=lambda item: place(item.nodeid))


def pytest_sessionfinish() -> None:
    """Look for garbage, which may complain, once: what is not, is not gone through again.

    pytest and Python would, six times: 4 s of CPU in each process.
    """
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note when the first test of a file began."""
    item.listchain()[-2].stash.setdefault(FILE_BEGAN, time.time())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Name the logs that are kept of a test that failed."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    if report.failed and "tmp_path_factory" in fixtures:
        run, test = fixtures["tmp_path_factory"].getbasetemp(), fixtures.get("tmp_path")
        since = item.listchain()[-2].stash[FILE_BEGAN]
        found = "\n\n".join(map(logs.last_lines, logs.kept(run, test, since)))
        report.sections.append((f"Logs kept after {report.when}", found))
    return report


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """Run a broker on a free port with its files in a temporary folder."""
    broker = Broker(free_port(), tmp_path_factory.mktemp("kafka"), RETENTION_AT_ONCE)
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
            "KAFKA_STARTUP_TIMEOUT": str(PATIENCE_S),
            "KAFKA_DELIVERY_TIMEOUT": str(PATIENCE_S),  # a busy machine stalls for seconds
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
            is_fresh: bool = False,
            open_files: int | None = None,
        ) -> Program:
            program = Program(package, tmp_path, settings, *command)
            program.log_file = log_file or program.log_file
            program.is_fresh = is_fresh
            program.open_files = open_files
            return stack.enter_context(program)

        yield start_program
