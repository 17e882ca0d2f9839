"""Child processes that are stopped when the benchmark ends, for whatever reason."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from dev.environment import clean_environment

ROOT = Path(__file__).parent.parent
STOP_TIMEOUT_S = 10


class BenchFailed(Exception):
    """A contender did not do what is measured, so there is no figure."""


class Child(NamedTuple):
    """A running contender and the file with its output."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """Raise :exc:`BenchFailed` if the process has ended."""
        if self.process.poll() is not None:
            raise self.failed(f"it ended with {self.process.returncode}")

    def failed(self, what: str) -> BenchFailed:
        """Return the error with the end of the process's output."""
        tail = self.log.read_text(errors="replace")[-2000:]
        return BenchFailed(f"{self.log.stem}: {what}\n{tail}")


def end_on_signals() -> None:
    """Raise SystemExit on signals, so that ``with`` blocks stop the children."""

    def end(number: int, _frame: object) -> NoReturn:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


@contextmanager
def running(
    name: str, command: list[str], environment: Mapping[str, str], folder: Path
) -> Iterator[Child]:
    """Run a command with our modules importable and its output in ``folder``."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,  # it has no .env
            env={**clean_environment(), **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Child(process, log)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
