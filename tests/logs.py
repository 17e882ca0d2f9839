"""The logs of what runs beside a test, Kafka, programs or database, to be named where it fails."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

LAST_LINES = 20
#: Kafka's own files of records have names like this.
RECORDS = re.compile(r"\d+\.log")
TROUBLE = ("ERROR", "CRITICAL", "Traceback")
#: How ``make run`` begins a line of Kafka's.
KAFKAS = re.compile(r"\d\d:\d\d:\d\d kafka +\| ")
#: What the programs say where Kafka has not answered for seconds.
SLOW_KAFKA = re.compile(
    r" ERROR (aiokafka\.\S+ Heartbeat |streaming\.http\.health Kafka does not answer$|"
    r"chart_app\.live\.feed Could not read \S+: TimeoutError\(\)$|"
    r"faust\.producer Kafka did not confirm the last sends)"
)


def kept(folders: Iterable[Path], test: Path | None, since: float) -> Iterator[Path]:
    """Find the logs in a run's folders: a test's own, and those of what it shares with others.

    The latter are those that were written to since ``since`` (s since 1970).
    """
    for folder in folders:
        for log in sorted(folder.rglob("*.log")):
            if RECORDS.fullmatch(log.name):
                continue
            is_own = test is not None and log.is_relative_to(test)
            is_shared = not log.relative_to(folder).parts[0].startswith("test_")
            if is_own or (is_shared and log.stat().st_mtime >= since):
                yield log


def last_lines(log: Path) -> str:
    """Return a log's name, how many lines it has, and the last of them."""
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join([f"{log}: {len(lines)} lines", *lines[-LAST_LINES:]])


def trouble(written: str) -> list[str]:
    """Return the lines of what ``make run`` or a program has written that tell of its errors.

    Kafka's own are left out: on a busy machine it says ERROR of requests to itself, which it
    repeats. What it does not get over shows in the programs' lines. That it was slow is no error
    of theirs, either.
    """
    return [
        line
        for line in written.splitlines()
        if any(it in line for it in TROUBLE)
        and not KAFKAS.match(line)
        and not SLOW_KAFKA.search(line)
    ]
