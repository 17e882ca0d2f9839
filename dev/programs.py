"""Runs programs side by side in one terminal, each line of output prefixed with its program."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

POLL_INTERVAL_S = 0.3
#: How much of a program's output is read at once.
CHUNK_BYTES = 64 * 1024


class ProgramEnded(Exception):
    """A program ended without having been stopped."""


class Programs:
    """The started programs, each in its own session, so that the terminal's Ctrl-C misses them."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._printers: dict[str, threading.Thread] = {}
        self._ended: queue.Queue[str] = queue.Queue()
        self._output_lock = threading.Lock()

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a program."""
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._running[name] = process
        thread = threading.Thread(target=self._print, args=(name, process.stdout), daemon=True)
        self._printers[name] = thread
        thread.start()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition. Raises :exc:`ProgramEnded` as soon as a program ends."""
        while not condition():
            with contextlib.suppress(queue.Empty):
                name = self._ended.get(timeout=POLL_INTERVAL_S)
                code = self._running[name].wait()
                raise ProgramEnded(f"{name} ended with exit code {code}")

    def stop(self, timeouts_s: Mapping[str, float]) -> None:
        """Stop programs by SIGTERM; kill those that take longer than their timeouts."""
        processes = {name: self._running[name] for name in timeouts_s if name in self._running}
        for process in processes.values():
            _signal(process, signal.SIGTERM)
        start = time.monotonic()
        for name, process in processes.items():
            try:
                process.wait(max(0, start + timeouts_s[name] - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.write("system", f"{name} did not end in time and is killed")
                _signal(process, signal.SIGKILL)
                process.wait()
            self._printers[name].join(POLL_INTERVAL_S)

    def write(self, name: str, text: str) -> None:
        """Print a program's lines; if the output is closed, send SIGTERM to this process."""
        head = f"{time.strftime('%H:%M:%S')} {name:<8}| "
        with self._output_lock:
            try:
                sys.stdout.write("".join(f"{head}{line}\n" for line in text.split("\n")))
                sys.stdout.flush()
            except OSError:
                _discard_output()
                os.kill(os.getpid(), signal.SIGTERM)

    def _print(self, name: str, pipe: IO[bytes]) -> None:
        partial_line = b""
        with pipe:
            while chunk := os.read(pipe.fileno(), CHUNK_BYTES):
                lines, end, rest = chunk.rpartition(b"\n")
                if end:
                    self.write(name, (partial_line + lines).decode(errors="replace"))
                    partial_line = b""
                partial_line += rest
        if partial_line:
            self.write(name, partial_line.decode(errors="replace"))
        self._ended.put(name)


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)


def _discard_output() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    for output in (sys.stdout, sys.stderr):
        os.dup2(null, output.fileno())
