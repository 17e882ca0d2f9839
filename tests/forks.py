"""Programs as forks of a process that has their libraries loaded: :mod:`tests.zygote`."""

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parent.parent
POLL_INTERVAL_S = 0.02
END_LIMIT_S = 10


class Fork:
    """A program, with what is used here of :class:`subprocess.Popen`."""

    def __init__(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        stdin: Path = Path(os.devnull),
        stdout: Path | None = None,
        open_files: int | None = None,
    ) -> None:
        request = {
            "args": args,
            "cwd": str(cwd),
            "env": dict(env),
            "files": [str(it) for it in (stdin, stdout or log, log)],
            "open_files": open_files,
        }
        self.pid: int = _zygote().ask(request)["pid"]
        self._returncode: int | None = None
        self._polling = threading.Lock()

    def poll(self) -> int | None:
        """Return the exit code, or None as long as it runs."""
        with self._polling:  # who asks first is told, and nobody else
            if self._returncode is None:
                self._returncode = _zygote().ask({"pid": self.pid})["status"]
            return self._returncode

    def wait(self, timeout: float) -> int:
        """Wait for its end; return the exit code. Raises subprocess.TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(POLL_INTERVAL_S)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


def run(
    args: Sequence[str], *, cwd: Path, env: Mapping[str, str], text: str = "", timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with a text from a pipe. Raises subprocess.TimeoutExpired."""
    with TemporaryDirectory() as folder:
        stdin, stdout, stderr = (Path(folder) / name for name in ("in", "out", "err"))
        os.mkfifo(stdin)
        fork = Fork(args, cwd=cwd, env=env, log=stderr, stdin=stdin, stdout=stdout)
        stdin.write_text(text)  # waits until the program has opened it
        status = fork.wait(timeout_s)
        return subprocess.CompletedProcess(args, status, stdout.read_text(), stderr.read_text())


class _Zygote:
    """The process that forks; one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self._end)

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a request."""
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def _end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(END_LIMIT_S)


@cache
def _zygote() -> _Zygote:
    return _Zygote()
