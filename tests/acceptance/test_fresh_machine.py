"""The README's commands on a machine that has Python and make, but no Java, Node or Docker."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.environment import clean_environment
from dev.local_kafka import free_port, is_listening
from tests import logs
from tests.programs import ROOT, interruptible
from tests.waiting import PATIENCE_S, wait_for

ABSENT = re.compile(r"(java|javac|mvn|node|nodejs|npm|npx|docker|podman|uv|chromium)[\d.-]*$")
INSTALL_TIMEOUT_S = 3600
#: Some that need nothing, some that need Kafka, and one that needs a browser. All others run beside
#: this one anyway; that all is installed that they import, CI sees, whose environment is as new.
A_FEW_TESTS = (
    "tests/unit/test_settings.py tests/integration/test_kafkajs.py tests/browser/test_settings.py"
    "::test_a_korean_sees_korean_with_red_up_and_may_choose_english"
)

pytestmark = pytest.mark.timeout(5000)


class Machine:
    """A clone of the project with an empty HOME and a PATH with few programs."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "체크 아웃"
        self.output = folder / "make.log"
        self.ports = {name: free_port() for name in ("KAFKA_PORT", "TRADING_PORT", "CHART_PORT")}
        home, programs = folder / "home", folder / "bin"
        home.mkdir()
        programs.mkdir()
        for directory in ("/usr/local/bin", "/usr/bin", "/bin"):
            for program in Path(directory).glob("*"):
                link = programs / program.name
                if not ABSENT.match(program.name) and not link.is_symlink():
                    link.symlink_to(program)
        (programs / "python3").unlink(missing_ok=True)
        (programs / "python3").symlink_to(Path(sys.base_prefix, "bin", "python3").resolve())
        self.environment = {
            **{
                name: value
                for name, value in clean_environment().items()
                if name not in {"VIRTUAL_ENV", "PYTHONPATH", "COVERAGE_PROCESS_CONFIG"}
            },
            **{name: str(port) for name, port in self.ports.items()},
            "KAFKA_STARTUP_TIMEOUT": str(PATIENCE_S),
            "KAFKA_DELIVERY_TIMEOUT": str(PATIENCE_S),
            "HOME": str(home),
            "PATH": str(programs),
        }

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a command as a terminal does: in a process group of its own."""
        with self.output.open("ab") as output, interruptible():
            return subprocess.Popen(
                command,
                cwd=self.clone,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def run(
        self, *command: str, timeout_s: float = PATIENCE_S, **variables: str
    ) -> tuple[int, str]:
        """Run a command to its end; return exit code and output."""
        done = subprocess.run(
            command,
            cwd=self.clone,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return done.returncode, done.stdout

    def shows(self, text: str) -> bool:
        """Return whether the started command has written a text."""
        return text in self.output.read_text()

    def processes(self) -> list[str]:
        """Return the command lines of what still runs in the clone."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink().is_relative_to(self.clone):
                    found.append((process / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue  # it has ended meanwhile
        return found


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Return a machine that has nothing of ours but the files that git has."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    listed = subprocess.run(
        ["git", "ls-files"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        target = machine.clone / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    yield machine
    for line in machine.processes():
        pytest.fail(f"left running: {line}")


def test_make_run_shows_a_trade_and_leaves_nothing_running(machine: Machine) -> None:
    for program in ("java", "node", "docker"):
        assert machine.run("sh", "-c", f"command -v {program}")[0] != 0
    running = machine.start("make", "run")

    def is_ready() -> bool:
        assert running.poll() is None, machine.output.read_text()
        return machine.shows("Ctrl-C ends everything")

    try:
        wait_for(is_ready, "all is ready", INSTALL_TIMEOUT_S)
        curl = re.search(r"curl localhost:.*", machine.output.read_text())
        assert curl
        assert machine.run("sh", "-c", f"{curl[0]} --silent") == (0, "topic tradeData added")
        wait_for(
            lambda: machine.shows("coinName=BTC-USD price=25736.5 numOfCoin=0.25"), "it is logged"
        )

        code, output = machine.run("make", "run")
        assert code != 0
        assert "is `make run` or `make up` running already?" in output

        demo = machine.start("make", "demo")
        wait_for(lambda: machine.shows("price=25741.02"), "real trades are logged")
        os.killpg(demo.pid, signal.SIGINT)
        demo.wait(PATIENCE_S)
        assert machine.shows("Interrupted: ")

        os.killpg(running.pid, signal.SIGINT)
        running.wait(PATIENCE_S)
        assert logs.trouble(machine.output.read_text()) == []
        assert machine.processes() == []
        assert not any(is_listening(port) for port in machine.ports.values())
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(PATIENCE_S)


def test_make_test_runs_unit_and_integration_tests(machine: Machine) -> None:
    code, output = machine.run(
        "make",
        "test",
        timeout_s=INSTALL_TIMEOUT_S,
        PYTEST_ADDOPTS=f"-p no:cacheprovider {A_FEW_TESTS}",
        WORKERS="0",
        KEEP_KAFKA="no",
    )
    assert code == 0, output
    assert re.search(r" \d+ passed in ", output)


def test_make_alone_lists_the_commands(machine: Machine) -> None:
    code, output = machine.run("make")
    assert code == 0
    for command in ("run", "demo", "test", "lint", "up", "down", "logs"):
        assert f"  make {command} " in output
