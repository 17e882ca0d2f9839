"""Memory of trading_app while it accepts 5,000,000 trades through ``POST /trades``.

``python -m bench.memory`` sends 1,000 trades per request over 4 connections.
"""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import NamedTuple

from bench import load, machine, report
from bench.broker import COINS, count_records, running_broker
from bench.chart import TOPIC
from bench.processes import end_on_signals
from bench.trading import trading_app
from dev.local_kafka import LocalKafka

TRADES = 5_000_000
REQUEST_TRADES = 1_000
CONNECTIONS = 4
SAMPLE_S = 2.0
BAR_MB = 150
#: The growth allowed over the second half: the noise of the allocator.
GROWTH_BAR_MB = 5


class Sample(NamedTuple):
    """The resident memory in MB after a number of trades."""

    trades: int
    mb: float


def main() -> None:
    """Measure, print, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=TRADES)
    trades = parser.parse_args().trades
    end_on_signals()
    with running_broker() as (broker, folder):
        samples = measure(broker, folder, trades)
    sys.exit(0 if conclude(samples) else 1)


def measure(broker: LocalKafka, folder: Path, trades: int) -> list[Sample]:
    """Send ``trades``; return samples of the memory."""
    samples: list[Sample] = []
    body = [
        {"coinName": COINS[number % len(COINS)], "price": 91234.5, "numOfCoin": 0.25}
        for number in range(REQUEST_TRADES)
    ]
    with trading_app(broker, folder) as (child, url):
        while not samples or samples[-1].trades < trades:
            load.run(f"{url}/trades", body, CONNECTIONS, SAMPLE_S, folder)
            stored = asyncio.run(count_records(broker, TOPIC))
            samples.append(Sample(stored, machine.resident_mb(child.process.pid)))
            print(f"{stored:,} trades: {samples[-1].mb:.1f} MB", flush=True)
    return samples


def conclude(samples: list[Sample]) -> bool:
    """Print and save the results; return whether we meet the bars."""
    half = [sample.mb for sample in samples if sample.trades >= samples[-1].trades / 2]
    verdicts = [
        report.at_most("memory of trading_app, second half, MB", max(half), BAR_MB),
        report.at_most("its growth over the second half, MB", half[-1] - half[0], GROWTH_BAR_MB),
    ]
    file = report.save(
        "memory",
        {
            "machine": machine.describe(),
            "samples": [[sample.trades, round(sample.mb, 1)] for sample in samples],
            "bars": verdicts,
        },
    )
    return report.print_verdicts(verdicts, file)


if __name__ == "__main__":
    main()
