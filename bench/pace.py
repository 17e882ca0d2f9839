"""How evenly the workers of a group consumed: from the lines of trades in their logs."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bench.processes import Child

LINE = re.compile(
    rb"^(\S+) INFO chart_app\.trades trade topic=\S+ partition=([0-9]+) ", re.MULTILINE
)


class Logged(NamedTuple):
    """Some trades: whose they are, and when they were logged, in s."""

    worker: int
    partition: int
    time_s: float
    trades: int


def read(workers: Sequence[Child]) -> list[Logged]:
    """Return what the workers have logged, from the earliest to the latest."""
    found = [
        Logged(number, int(partition), datetime.fromisoformat(time.decode()).timestamp(), count)
        for number, worker in enumerate(workers)
        for (time, partition), count in Counter(LINE.findall(worker.log.read_bytes())).items()
    ]
    return sorted(found, key=lambda it: it.time_s)


def evenness(logged: Sequence[Logged], workers: int) -> float:
    """Return the trades of the slowest worker, of the fastest's, until the first had no more."""
    ends = {it.worker: it.time_s for it in logged}
    until = min(ends.values())
    trades = [
        sum(it.trades for it in logged if it.worker == worker and it.time_s <= until)
        for worker in range(workers)
    ]
    return min(trades) / max(trades)


def partition_ends_s(logged: Sequence[Logged]) -> list[float]:
    """Return when the last trade of each partition was logged, in s since the first of all."""
    ends = {it.partition: it.time_s - logged[0].time_s for it in logged}
    return [ends[partition] for partition in sorted(ends)]
