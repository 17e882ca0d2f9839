"""One run of a consumer: its rate and what a trade costs, once every trade was counted."""

import asyncio
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import NamedTuple

from bench import cost, disk, store
from bench.consumers import POSTGRESQL, Consumer, settings
from bench.cost import Figures, Meter
from bench.postgresql import PostgreSQL, temporary_database
from bench.processes import Child, running
from bench.progress import Progress, wait_logged
from dev.local_kafka import LocalKafka

TOPIC = "trades"
PEER_LIMIT_S = 20
TRADE_LINE = re.compile(rb" coinName=.*\btradeId=([0-9]+)\s")


class Run(NamedTuple):
    """The figures of a run. Those of the network and the disk need a run that read all trades."""

    per_s: float
    cpu_s_per_million: Figures
    network_bytes_each: Figures
    disk_bytes_each: Figures


def measure(
    consumer: Consumer, broker: LocalKafka, server: PostgreSQL, trades: int, folder: Path
) -> Run:
    """Return a contender's figures. Raises BenchFailed unless each trade counts exactly once."""
    group = f"bench-{uuid.uuid4().hex[:12]}"
    with new_store(consumer, folder / group, server) as url:
        environment = {
            **settings(broker, TOPIC, group),
            "DATABASE_URL": url,
            "STORE_TRADES": str(consumer.stores_trades),
        }
        on_postgresql = consumer.database == POSTGRESQL
        wal_start = asyncio.run(disk.wal(url)) if on_postgresql else 0
        with running(group, consumer.command, environment, folder) as child:
            first = wait_logged([child], 1)
            meter = Meter([child.process.pid], broker.port, server.port if on_postgresql else None)
            start = meter.cpu_s()
            last = wait_logged([child], trades, inf if url else PEER_LIMIT_S)
            if url:
                last = Progress(trades, asyncio.run(store.wait_stored(url, trades, [child])))
            end = meter.cpu_s()
            network = meter.network_bytes()
        check_log(child, last.trades)
        is_whole = last.trades == trades
        on_disk: dict[str, int] = {}
        if url:
            check_store(child, url, trades, trades if consumer.stores_trades else 0)
            on_disk = asyncio.run(disk.relations(url))
            on_disk["all of these"] = sum(on_disk.values())
            on_disk["lines in the log"] = child.log.stat().st_size
        if on_postgresql:
            on_disk["written to the WAL"] = asyncio.run(disk.wal(url)) - wal_start
    child.log.unlink()
    return Run(
        (last.trades - first.trades) / (last.time_s - first.time_s),
        cost.each(start, end, (last.trades - first.trades) / 1e6),
        cost.each({}, network, trades) if is_whole else {},
        cost.each({}, on_disk, trades),
    )


@contextmanager
def new_store(consumer: Consumer, folder: Path, server: PostgreSQL) -> Iterator[str]:
    """Yield the address of a new database for a consumer; it is empty if that stores nothing."""
    if consumer.database == POSTGRESQL:
        with temporary_database(server) as url:
            yield url
    else:
        yield f"sqlite:///{folder}/chart.sqlite" if consumer.database else ""


def check_log(child: Child, trades: int) -> None:
    """Raise BenchFailed unless the log has so many trades, or a few more, and each once."""
    numbers = TRADE_LINE.findall(child.log.read_bytes())
    if not trades <= len(numbers) == len(set(numbers)):
        raise child.failed(f"{len(numbers)} lines, {len(set(numbers))} of {trades} trades")


def check_store(child: Child, url: str, counted: int, stored: int) -> None:
    """Raise BenchFailed unless the candles count, and the database has, so many trades."""
    found = asyncio.run(store.count(url))
    if found != (counted, stored):
        raise child.failed(f"{found} of {(counted, stored)} trades are counted and stored")
