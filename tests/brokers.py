"""Brokers of tests. What each would find out anew when it starts is kept from the first one on.

``KEEP_KAFKA=no`` in the environment has each start as a user's: for a run that starts so few
that they do not make up for the first one, which takes 6 s more.
"""

import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from aiokafka.admin import AIOKafkaAdminClient

from dev.local_kafka import LocalKafka, free_port
from tests.programs import ROOT

#: Git ignores it, and ``make clean`` removes it.
KEPT = ROOT / ".kafka" / "tests"
IS_KEPT = os.environ.get("KEEP_KAFKA") != "no"
#: For the first broker's end, which writes Java's cache.
CACHE_TIMEOUT_S = 300


OPTIONS = (
    # In the minutes that a broker runs here, it gains less than the second compiler costs.
    "-XX:TieredStopAtLevel=1",
    "-Xlog:aot*=error",  # it warns of parts that it does not take from the cache
)
#: Each looks for work several times a second; alone that is a seventh of what an idle broker takes.
FEW_THREADS = {"num.network.threads": "1", "num.io.threads": "2"}


class Broker(LocalKafka):
    """A broker that starts with a copy of formatted files, and with Java's cache of classes.

    Its start takes 1.4 s of CPU instead of 3.7 s.
    """

    java_options = (*LocalKafka.java_options, *OPTIONS)

    def java(self) -> list[str]:
        """Return the command that runs a class of Kafka with the cache."""
        java, *options = super().java()
        return [java, *cache_options(), *options]

    def _properties(self) -> dict[str, str]:
        return {**FEW_THREADS, **super()._properties()}

    def format(self, config: Path) -> None:
        """Copy the files that Kafka has made once: nothing in a configuration makes another."""
        if IS_KEPT:
            shutil.copytree(_kept() / "log", self.log)
        else:
            super().format(config)


class BackgroundBroker(Broker):
    """A broker that starts while its process does something else."""

    _starting: threading.Thread | None = None

    def start_in_background(self) -> None:
        """Start it, unless it was started."""
        if not self._starting:
            self._starting = threading.Thread(target=self.start)
            self._starting.start()

    def kill(self) -> None:
        """Kill the broker, if it was started."""
        if self._starting:
            self._starting.join()
        super().kill()


class SharedBroker(LocalKafka):
    """A broker of another process, which others use as well: no test may stop it."""

    def _refuse(self, timeout_s: float = 0) -> NoReturn:  # noqa: ARG002 - LocalKafka's
        raise AssertionError("others use this broker: a test that stops one takes own_cluster")

    start = stop = kill = suspend = resume = _refuse


def cache_options() -> list[str]:
    """Return the options of Java that name the cache, if it is used."""
    return [f"-XX:AOTCache={_kept() / 'classes.aot'}"] if IS_KEPT else []


@asynccontextmanager
async def admin_of(broker: LocalKafka) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open an admin client of a broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_server)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


def environment() -> dict[str, str]:
    """Return what has a broker that is started by others use the same options and cache."""
    options = (*cache_options(), *OPTIONS)
    return {"JDK_JAVA_OPTIONS": " ".join(f'"{option}"' for option in options)}


class _FirstBroker(LocalKafka):
    def keep(self, folder: Path) -> None:
        """Keep what the others start with. Raises KafkaFailed."""
        self.prepare()
        shutil.copytree(self.log, folder / "log")
        self.java_options = (*Broker.java_options, f"-XX:AOTCacheOutput={folder / 'classes.aot'}")
        self.start()
        self.stop(CACHE_TIMEOUT_S)
        assert (folder / "classes.aot").exists()


@cache
def _kept() -> Path:
    """Return the folder with what this Kafka and this Java start with; make it, if it is new."""
    with TemporaryDirectory() as data, _one_process():
        first = _FirstBroker(free_port(), Path(data))
        kept = KEPT / _fingerprint(first.java())
        if not kept.exists():
            for old in KEPT.glob("*/"):
                shutil.rmtree(old)
            new = KEPT / "new"
            new.mkdir()
            first.keep(new)
            new.rename(kept)
    return kept


@contextmanager
def _one_process() -> Iterator[None]:
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fingerprint(command: list[str]) -> str:
    """Return a name for what Java refuses a cache of others for: the options, the files' times."""
    java, class_path = Path(command[0]), command[-1]
    files = [java, *map(Path, class_path.split(":"))]
    known = [*Broker.java_options, *(f"{it} {it.stat().st_mtime_ns}" for it in files)]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]
