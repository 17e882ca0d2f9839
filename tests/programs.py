"""The two programs as a user runs them: processes of their own, told what to do by settings."""

import math
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from dev.environment import clean_environment
from dev.local_kafka import free_port
from tests.forks import Fork
from tests.waiting import PATIENCE_S, wait_for

ROOT = Path(__file__).parent.parent
#: Whether it is counted what the programs reach: who is killed does not say so.
IS_MEASURED = "COVERAGE_PROCESS_CONFIG" in os.environ
END_LIMIT_S = 10
FAUST = [sys.executable, "-m", "faust"]

TRADE_LINE = re.compile(
    r" INFO chart_app\.trades trade topic=(?P<topic>\S+) partition=(?P<partition>\d+) "
    r"offset=(?P<offset>\d+) coinName=(?P<coin>\"(?:[^\"\\]|\\.)*\"|\S+) price=(?P<price>\S+) "
    r"numOfCoin=(?P<amount>\S+) time=(?P<time>\S+)(?: tradeId=(?P<trade_id>.*))?$"
)


class LoggedTrade(NamedTuple):
    """What a line of the trade log says, as text."""

    topic: str
    partition: str
    offset: str
    coin: str
    price: str
    amount: str
    time: str
    trade_id: str | None


class Program:
    """``faust -A PACKAGE worker``, or another command of it; ended with the ``with`` block."""

    def __init__(self, package: str, folder: Path, settings: dict[str, str], *command: str) -> None:
        self.package = package
        self.port = free_port()
        port_name = {"trading_app": "TRADING_PORT", "chart_app": "CHART_PORT"}[package]
        self.settings = {port_name: str(self.port), **settings}
        self.command = command or ("worker",)
        self.folder = folder
        self.log_file = folder / f"{package}-{self.port}.log"
        #: In an interpreter of its own, not as a fork of one that has the libraries loaded.
        self.is_fresh = False
        #: How many files a fork may have open; None for as many as the test.
        self.open_files: int | None = None
        self.process: subprocess.Popen[bytes] | Fork | None = None
        self._earlier_starts = 0

    @property
    def url(self) -> str:
        """Return the address of its web server."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start it, without waiting."""
        arguments = ["faust", "-A", self.package, *self.command]
        environment = {**clean_environment(), **self.settings}
        self._earlier_starts = self._starts()
        cwd = self.folder  # where there is no .env, and which is theirs to write to
        if not self.is_fresh:
            self.process = Fork(
                arguments,
                cwd=cwd,
                env=environment,
                log=self.log_file,
                open_files=self.open_files,
            )
            return self
        with self.log_file.open("ab") as log, interruptible():
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=cwd,
                env=environment,
                stdout=log,
                stderr=log,
            )
        return self

    def wait_ready(self) -> Self:
        """Wait for the line that says it is ready."""

        def ready() -> bool:
            assert self.running, self.log()
            return self._starts() > self._earlier_starts

        wait_for(ready, f"{self.package} is ready:\n{self.log()}")
        return self

    def _starts(self) -> int:
        return self.log().count("Ready: http")

    def is_ready(self) -> bool:
        """Return whether it has all it needs, and a worker its place in the group."""
        assert self.running, self.log()
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=PATIENCE_S) as answer:
                return bool(answer.status == 200)
        except OSError:  # also of 503
            return False

    @property
    def running(self) -> bool:
        """Return whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def log(self) -> str:
        """Return all it has written."""
        return self.log_file.read_text() if self.log_file.is_file() else ""

    def trades(self) -> list[LoggedTrade]:
        """Return the trades it has logged."""
        lines = self.log().split("\n")[:-1]  # the last may be half written
        return [
            LoggedTrade(**found.groupdict()) for line in lines if (found := TRADE_LINE.search(line))
        ]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> int:
        """End it with SIGTERM; return the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def time_to_end(self) -> float:
        """End it with SIGTERM; return how long it took (s), infinity if it gave up in the end."""
        begin = time.monotonic()
        status = self.stop()
        return time.monotonic() - begin if status == 0 else math.inf

    def kill(self) -> None:
        """End it as a crash would."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for its end; return the exit code."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.running:
            self.signal(signal.SIGCONT)
            if IS_MEASURED:
                self.signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    self.wait(END_LIMIT_S)
            self.kill()


@contextmanager
def interruptible() -> Iterator[None]:
    """Have what is started in the ``with`` block heed Ctrl-C, as what a terminal starts does.

    It would not where a shell has started us in the background, with SIGINT ignored.
    """
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
