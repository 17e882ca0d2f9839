"""Programs side by side in one terminal: each line that they write bears its program's name."""

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
#: Of what is printed at once of a program that writes much.
CHUNK_BYTES = 64 * 1024


class ProgramEnded(Exception):
    """A program ended that nobody told to."""


class Programs:
    """Started programs, each in a session of its own: a terminal's Ctrl-C does not reach them."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._printing: dict[str, threading.Thread] = {}
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
        self._printing[name] = thread
        thread.start()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition. Raises :exc:`ProgramEnded`."""
        while not condition():
            with contextlib.suppress(queue.Empty):
                name = self._ended.get(timeout=POLL_INTERVAL_S)
                code = self._running[name].wait()
                raise ProgramEnded(f"{name} ended with exit code {code}")

    def stop(self, timeouts_s: Mapping[str, float]) -> None:
        """End programs, by name, in order; kill what takes longer than its timeout."""
        processes = {name: self._running[name] for name in timeouts_s if name in self._running}
        for process in processes.values():
            _signal(process, signal.SIGTERM)
        start = time.monotonic()
        for name, process in processes.items():
            try:
                process.wait(max(0, start + timeouts_s[name] - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.write("system", f"{name} does not end, and is killed")
                _signal(process, signal.SIGKILL)
                process.wait()
            self._printing[name].join(POLL_INTERVAL_S)

    def write(self, name: str, text: str) -> None:
        """Write a program's lines; once nobody reads them, have this process told to end."""
        head = f"{time.strftime('%H:%M:%S')} {name:<8}| "
        with self._output_lock:
            try:
                sys.stdout.write("".join(f"{head}{line}\n" for line in text.split("\n")))
                sys.stdout.flush()
            except OSError:
                _write_nowhere()
                os.kill(os.getpid(), signal.SIGTERM)

    def _print(self, name: str, pipe: IO[bytes]) -> None:
        begun = b""  # of a line
        with pipe:
            while chunk := os.read(pipe.fileno(), CHUNK_BYTES):
                lines, end, rest = chunk.rpartition(b"\n")
                if end:
                    self.write(name, (begun + lines).decode(errors="replace"))
                    begun = b""
                begun += rest
        if begun:
            self.write(name, begun.decode(errors="replace"))
        self._ended.put(name)


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)


def _write_nowhere() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (sys.stdout, sys.stderr):
        os.dup2(nowhere, output.fileno())
