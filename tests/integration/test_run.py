"""``make run`` and ``make demo``, and how they end, in a folder with a name that is not plain."""

import asyncio
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dev.environment import clean_environment
from dev.local_kafka import LocalKafka, free_port, is_listening
from tests import brokers, logs
from tests.posting import Poster
from tests.programs import ROOT
from tests.waiting import PATIENCE_S, wait_for

READY = "Ctrl-C ends everything"


class Run:
    """``run.py`` in a folder of its own, started as a terminal does: in a process group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "체크 아웃 #1"
        self.folder.mkdir()
        for path in ROOT.iterdir():
            if path.suffix == ".py" or (path / "__init__.py").exists():
                (self.folder / path.name).symlink_to(path)
        (self.folder / ".venv").symlink_to(sys.prefix)
        self.ports = {name: free_port() for name in ("KAFKA_PORT", "TRADING_PORT", "CHART_PORT")}
        lines = [f"{name}={port}\n" for name, port in self.ports.items()]
        (self.folder / ".env").write_text("".join(lines))
        self.output = folder / "run.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it, with an empty output."""
        # Not the tests' PYTHONPATH, and no locale.
        left_out = {"PYTHONPATH", "LANG", "LC_ALL", "LC_CTYPE"}
        environment = {k: v for k, v in clean_environment().items() if k not in left_out}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [".venv/bin/python", "-m", "dev.run"],
                cwd=self.folder,
                env={**environment, **brokers.environment()},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return self.process

    def wait_for(self, text: str) -> None:
        """Wait until it has written a text."""

        def written() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.written()
            return text in self.written()

        wait_for(written, f"it writes {text}")

    def end(self, number: signal.Signals) -> int:
        """Send a signal to its process group; return its exit code."""
        assert self.process is not None
        os.killpg(self.process.pid, number)
        return self.process.wait(PATIENCE_S)

    def written(self) -> str:
        """Return all it has written."""
        return self.output.read_text()

    def processes(self) -> dict[int, str]:
        """Return the command line of each process that runs in the folder, by its id."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink() == self.folder:
                    command_line = (process / "cmdline").read_text()
                    found[int(process.name)] = command_line.replace("\0", " ")
            except OSError:
                continue  # it has ended meanwhile
        return found


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Return one that does not run yet, and leaves nothing behind."""
    run = Run(tmp_path)
    yield run
    if run.process is not None and run.process.poll() is None:
        run.end(signal.SIGTERM)
    assert run.processes() == {}


async def test_ctrl_c_under_load_ends_all_in_order_and_the_next_start_is_as_the_first(
    run: Run,
) -> None:
    for hurry in (False, True):
        run.start()
        await asyncio.to_thread(run.wait_for, READY)
        async with Poster(f"http://127.0.0.1:{run.ports['TRADING_PORT']}", "tradeData") as posting:
            await posting.wait_accepted(300)
            assert run.process is not None
            os.killpg(run.process.pid, signal.SIGINT)
            if hurry:
                await asyncio.sleep(0.3)
                os.killpg(run.process.pid, signal.SIGINT)
            assert await asyncio.to_thread(run.process.wait, PATIENCE_S) == 0
        assert logs.trouble(run.written()) == []
        assert "is killed" not in run.written()
        assert (run.folder / ".kafka/data/log/.kafka_cleanshutdown").exists()
        assert run.processes() == {}
        assert not any(is_listening(port) for port in run.ports.values())
    made = {it.name for it in run.folder.iterdir() if not it.is_symlink()}
    assert made - {"__pycache__"} == {".env", ".kafka", ".kafka.lock", "data"}
    assert (run.folder / ".kafka/data/log/tradeData-0").is_dir()
    assert {it.name for it in run.folder.parent.iterdir()} == {run.folder.name, "run.log"}


@pytest.mark.parametrize(
    ("number", "when"),
    [(signal.SIGTERM, "Kafka's files"), (signal.SIGHUP, "INFO streaming.app Ready")],
)
def test_it_ends_at_any_time_by_other_signals_too(
    run: Run, number: signal.Signals, when: str
) -> None:
    run.start()
    run.wait_for(when)
    assert run.end(number) == 0
    wait_for(lambda: not run.processes(), "what was just beginning has ended")


def test_it_ends_when_nobody_reads_what_it_writes(run: Run) -> None:
    reading, writing = os.pipe()
    run.output.unlink(missing_ok=True)
    run.output.symlink_to(f"/proc/{os.getpid()}/fd/{writing}")
    process = run.start()
    os.close(writing)
    written = b""
    while b"INFO streaming.app Ready" not in written:  # and more is to come
        written += os.read(reading, 1000)
    os.close(reading)
    # What it logs: it may have written all that comes by itself.
    elsewhere = urllib.request.Request(
        f"http://127.0.0.1:{run.ports['TRADING_PORT']}/healthz", headers={"Host": "elsewhere"}
    )

    def has_ended() -> bool:
        with suppress(OSError), urllib.request.urlopen(elsewhere, timeout=PATIENCE_S):
            pass
        return process.poll() is not None

    wait_for(has_ended, "it ends")
    assert process.returncode == 0
    assert run.processes() == {}


def test_when_kafka_ends_all_ends_and_it_says_so(run: Run) -> None:
    run.start()
    run.wait_for(READY)
    (kafka,) = (pid for pid, line in run.processes().items() if f"{run.folder}/.kafka" in line)
    os.kill(kafka, signal.SIGKILL)
    assert run.process is not None
    assert run.process.wait(PATIENCE_S) == 1
    assert "kafka ended with exit code -9" in run.written()


def test_a_port_that_is_taken_is_told_with_its_setting(run: Run, kafka: LocalKafka) -> None:
    (run.folder / ".env").write_text(f"KAFKA_PORT={kafka.port}\n")
    assert run.start().wait(PATIENCE_S) == 1
    assert run.written() == (
        f"KAFKA_PORT {kafka.port} is taken: is `make run` or `make up` running already?\n"
    )
