"""One, two and four workers of a group on one PostgreSQL: the rate, and what it costs.

``python -m bench.workers``: chart_app logs and stores 1,000,000 trades of 4 partitions and their
candles. Once with a coin on one partition, as records with keys are; once with every coin on all
partitions, where the transactions of all workers change the same candles. Measured is from the
first trade logged to the last stored, after the whole group has joined.
"""

import argparse
import asyncio
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import uvloop
from sqlalchemy import text

from bench import cost, disk, machine, pace, postgresql, report, store, topic
from bench.broker import PARTITIONS, running_broker
from bench.consumers import CHART_APP, settings
from bench.cost import Figures, Meter
from bench.postgresql import PostgreSQL, running_postgresql, temporary_database
from bench.processes import Child, end_on_signals, running
from bench.progress import wait_logged
from dev.local_kafka import LocalKafka

TRADES = 1_000_000
ROUNDS = 3
WORKERS = (1, 2, 4)
WITH_KEYS = "a coin on one partition"
WITHOUT_KEYS = "every coin on all partitions"
TOPICS = {WITH_KEYS: "trades-with-keys", WITHOUT_KEYS: "trades-without-keys"}
#: A new group waits so long for another member, so that all are there when the first trade is read.
BROKER = {"group.initial.rebalance.delay.ms": "4000"}
#: What is counted, by texts in PostgreSQL's log and in the workers'.
ERRORS = {"conflicts, tried again": b"could not serialize access", "all errors": b"ERROR: "}
WARNINGS = {
    "superseded": b"continuing from the stored offsets",
    "store unavailable": b"the store does not answer",
}
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


class Case(NamedTuple):
    """A number of workers, and how the coins lie on the partitions."""

    coins: str
    workers: int

    def __str__(self) -> str:
        return f"{self.workers}, {self.coins}"


CASES = [Case(coins, workers) for coins in TOPICS for workers in WORKERS]


class Run(NamedTuple):
    """The figures of a run."""

    per_s: float
    cpu_s_per_million: Figures
    bytes_each: Figures
    conflicts: Figures
    pace: Figures


def main() -> None:
    """Measure, print the tables, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--trades", type=int, default=TRADES)
    arguments = parser.parse_args()
    end_on_signals()
    runs: dict[Case, list[Run]] = {case: [] for case in CASES}
    with running_broker(BROKER) as (broker, folder), running_postgresql() as server:
        for coins, name in TOPICS.items():
            with_keys = coins == WITH_KEYS
            uvloop.run(topic.fill(broker, name, arguments.trades, with_keys=with_keys))
        for number in range(1, arguments.rounds + 1):
            for case, found in runs.items():
                found.append(measure(case, broker, server, arguments.trades, folder))
                print(f"round {number}: {case}: {found[-1].per_s:,.0f} trades/s", flush=True)
        facts = {
            "machine": machine.describe(),
            "postgresql": asyncio.run(postgresql.settings(server)),
            "trades": arguments.trades,
            "partitions": PARTITIONS,
        }
    sys.exit(0 if conclude(runs, facts) else 1)


def measure(case: Case, broker: LocalKafka, server: PostgreSQL, trades: int, folder: Path) -> Run:
    """Return the figures of a case. Raises BenchFailed unless each trade counts exactly once."""
    group = f"bench-{uuid.uuid4().hex[:12]}"
    log_start = server.log.stat().st_size
    with temporary_database(server) as url:
        wal_start = asyncio.run(disk.wal(url))
        with ExitStack() as stack:
            workers = [
                stack.enter_context(
                    running(
                        f"{group}-{number}",
                        CHART_APP,
                        {**settings(broker, TOPICS[case.coins], group), "DATABASE_URL": url},
                        folder,
                    )
                )
                for number in range(case.workers)
            ]
            first = wait_logged(workers, 1)
            meter = Meter([it.process.pid for it in workers], broker.port, server.port)
            start = meter.cpu_s()
            wait_logged(workers, trades)
            end_s = asyncio.run(store.wait_stored(url, trades, workers))
            end = meter.cpu_s()
            network = meter.network_bytes()
        counts = asyncio.run(store.count(url))
        if counts != (trades, trades):
            raise workers[0].failed(f"{counts} of {trades} trades are counted and stored")
        wal = asyncio.run(disk.wal(url)) - wal_start
        deadlocks = asyncio.run(read_deadlocks(url))
    measured = trades - first.trades
    logged = pace.read(workers)
    ends_s = pace.partition_ends_s(logged)
    return Run(
        measured / (end_s - first.time_s),
        cost.each(start, end, measured / 1e6),
        cost.each({}, {**network, "written to the WAL": wal}, trades),
        {
            **count_texts(ERRORS, server.log.read_bytes()[log_start:]),
            "deadlocks": deadlocks,
            **count_texts(WARNINGS, b"".join(take_log(worker) for worker in workers)),
            "trades logged again": sum(it.trades for it in logged) - trades,
        },
        {
            "slowest worker, of the fastest": pace.evenness(logged, case.workers),
            "first partition's end, s": min(ends_s),
            "last partition's end, s": max(ends_s),
        },
    )


def count_texts(texts: Mapping[str, bytes], log: bytes) -> dict[str, int]:
    """Return how often each text stands in a log."""
    return {name: log.count(it) for name, it in texts.items()}


def take_log(worker: Child) -> bytes:
    """Return the log of a worker, and delete it: it has a line for each trade."""
    log = worker.log.read_bytes()
    worker.log.unlink()
    return log


async def read_deadlocks(url: str) -> int:
    """Return how many deadlocks PostgreSQL has found in a database."""
    async with store.connected(url) as connection:
        return int(await connection.scalar(text(DEADLOCKS)) or 0)


def conclude(runs: Mapping[Case, Sequence[Run]], facts: Mapping[str, Any]) -> bool:
    """Print and save the results; return whether we meet the bars."""
    rates = {case: [run.per_s for run in found] for case, found in runs.items()}
    figures = {
        "cpu_s_per_million_trades": cost.of_runs(runs, "cpu_s_per_million", 2),
        "bytes_per_trade": cost.of_runs(runs, "bytes_each", 1),
        "conflicts": cost.of_runs(runs, "conflicts", 0),
        "pace": cost.of_runs(runs, "pace", 2),
    }
    rows = [
        [str(case), f"{median(found):,.0f}", report.spread(found)] for case, found in rates.items()
    ]
    print(f"\n{report.table(['workers', 'trades/s, median', 'rounds'], rows)}\n")
    for what, found in figures.items():
        print(f"{cost.table(what.replace('_', ' '), found)}\n")
    deadlocks = sum(run.conflicts["deadlocks"] for found in runs.values() for run in found)
    verdicts = [report.at_most("deadlocks between workers", deadlocks, 0)]
    file = report.save(
        "workers",
        {
            **facts,
            "trades_per_s": {str(case): report.of_rounds(found) for case, found in rates.items()},
            **figures,
            "bars": verdicts,
        },
    )
    return report.print_verdicts(verdicts, file)


if __name__ == "__main__":
    main()
