"""One real Kafka for all tests; a topic and a group of its own for each.

Where several processes run tests, Kafka runs beside the process that hands them out.
"""

import gc
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from dev.local_kafka import LocalKafka, free_port, is_listening
from streaming import runtime
from tests import logs
from tests.brokers import CACHE_TIMEOUT_S, BackgroundBroker, Broker, SharedBroker
from tests.programs import Program
from tests.waiting import PATIENCE_S, wait_for

if TYPE_CHECKING:  # xdist is there where several processes run tests
    from xdist.remote import Producer
    from xdist.scheduler.protocol import Scheduling
    from xdist.workermanage import WorkerController

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

#: Where no test needs Kafka.
WITHOUT_KAFKA = "tests/unit/"
#: Of the process that hands out tests.
BROKER_OF_ALL = pytest.StashKey[BackgroundBroker]()
FILE_BEGAN = pytest.StashKey[float]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "Scheduling | None":
    """Schedule as tests/schedule.py says, unless ``--dist`` asks for another way."""
    from tests.schedule import LongestFirst  # noqa: PLC0415

    return LongestFirst(config, log) if config.getvalue("dist") == "load" else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "WorkerController") -> None:
    """Tell a process that runs tests where the Kafka of all will be."""
    stash = node.config.stash
    if BROKER_OF_ALL not in stash:
        folders = node.config._tmp_path_factory  # type: ignore[attr-defined]  # as xdist does
        broker = BackgroundBroker(free_port(), folders.mktemp("kafka"), RETENTION_AT_ONCE)
        stash[BROKER_OF_ALL] = broker
    broker = stash[BROKER_OF_ALL]
    node.workerinput["kafka"] = (broker.port, str(broker.data))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: "WorkerController", ids: list[str]) -> None:
    """Start the Kafka of all, if a test that was found may need it."""
    if not all(it.startswith(WITHOUT_KAFKA) for it in ids):
        node.config.stash[BROKER_OF_ALL].start_in_background()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes longest first, in a process that is one of several."""
    if hasattr(config, "workerinput"):
        from tests.schedule import place  # noqa: PLC0415

        items.sort(key=lambda item: place(item.nodeid))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the Kafka of all, and look for garbage, which may complain, once.

    What is not garbage is not gone through again. pytest and Python would, six times: 4 s of CPU
    in each process.
    """
    if broker := session.config.stash.get(BROKER_OF_ALL, None):
        broker.kill()
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
        kafka = fixtures.get("kafka")
        folders = [run, kafka.data] if isinstance(kafka, SharedBroker) else [run]
        since = item.listchain()[-2].stash[FILE_BEGAN]
        found = "\n\n".join(map(logs.last_lines, logs.kept(folders, test, since)))
        report.sections.append((f"Logs kept after {report.when}", found))
    return report


@contextmanager
def run_broker(factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """Run a broker on a free port with its files in a temporary folder."""
    broker = Broker(free_port(), factory.mktemp("kafka"), RETENTION_AT_ONCE)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="session")
def kafka(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalKafka]:
    """Return the broker of all tests, whatever process runs them."""
    if hasattr(request.config, "workerinput"):
        port, folder = request.config.workerinput["kafka"]
        wait_for(lambda: is_listening(port), f"Kafka runs: {folder}", CACHE_TIMEOUT_S)
        yield SharedBroker(port, Path(folder))
    else:
        with run_broker(tmp_path_factory) as broker:
            yield broker


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """Return a broker that a file's tests may kill or suspend."""
    with run_broker(tmp_path_factory) as broker:
        yield broker


class Cluster(NamedTuple):
    """The broker as one test sees it."""

    broker: LocalKafka
    topic: str
    settings: dict[str, str]


@pytest.fixture
def cluster(kafka: LocalKafka) -> Cluster:
    """Return settings that name the broker of all and this test's own topic and group."""
    return make_cluster(kafka)


@pytest.fixture
def own_cluster(own_kafka: LocalKafka) -> Cluster:
    """Return settings that name a broker which the test may kill or suspend."""
    return make_cluster(own_kafka)


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
