"""What a run costs: CPU seconds of each party, and bytes on the network."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from bench import cpu, network, report
from bench.network import listener

#: Figures by what they are of.
Figures = Mapping[str, float]

PROCESSES = "processes"
BROKER = "broker"
DATABASE = "database"


class Meter:
    """Reads what some processes, their broker and their PostgreSQL have used so far."""

    def __init__(
        self, processes: Sequence[int], broker_port: int, database_port: int | None = None
    ) -> None:
        self._processes = processes
        self._ports = {BROKER: broker_port}
        if database_port:
            self._ports[DATABASE] = database_port
        self._servers = {name: listener(port) for name, port in self._ports.items()}

    def cpu_s(self) -> Figures:
        """Return the CPU seconds of the processes, of the broker and of the database."""
        used = {name: cpu.used_s(pid) for name, pid in self._servers.items()}
        return {PROCESSES: sum(map(cpu.used_s, self._processes)), **used}

    def network_bytes(self) -> Figures:
        """Return the bytes on the processes' connections to the broker and the database."""
        found: dict[str, float] = {}
        for name, port in self._ports.items():
            sent, received = network.transferred(self._processes, port)
            found |= {f"to {name}": sent, f"from {name}": received}
        return found


def each(start: Figures, end: Figures, count: float) -> Figures:
    """Return by how much figures have grown, divided by a count."""
    return {name: (it - start.get(name, 0)) / count for name, it in end.items()}


def of_runs(runs: Mapping[Any, Sequence[Any]], field: str, digits: int) -> dict[str, Figures]:
    """Return the medians of the figures in a field of each contender's runs, by contender."""
    return {
        str(name): medians([getattr(run, field) for run in found], digits)
        for name, found in runs.items()
    }


def medians(rounds: Sequence[Figures], digits: int) -> dict[str, float]:
    """Return the rounded median of each figure that all rounds have."""
    names = [name for name in rounds[0] if all(name in it for it in rounds)]
    return {name: round(median(it[name] for it in rounds), digits) for name in names}


def turned(figures: Mapping[str, Figures]) -> dict[str, Figures]:
    """Return figures with the inner names outside."""
    names = dict.fromkeys(name for row in figures.values() for name in row)
    return {
        name: {outer: row[name] for outer, row in figures.items() if name in row} for name in names
    }


def table(what: str, figures: Mapping[str, Figures]) -> str:
    """Return a table with a row for each name; a figure that a row does not have is left out."""
    columns = list(turned(figures))
    rows = [
        [name, *(f"{row[it]:,.1f}" if it in row else "" for it in columns)]
        for name, row in figures.items()
        if row
    ]
    return report.table([what, *columns], rows)
