"""Trades a second of ``replay --speed max``, compared with confluent-kafka's producer.

``python -m bench.replay`` replays a CSV file of 1,000,000 trades. confluent-kafka, which is
librdkafka in C, gets the same trades already parsed, so its rate is an upper bound. The time is
measured from the first record on the topic to the last, and so is the CPU time.
"""

import argparse
import asyncio
import csv
import marshal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import cost, machine, report, venv
from bench.broker import COINS, PARTITIONS, count_records, counting, make_topic, running_broker
from bench.cost import Figures, Meter
from bench.processes import Child, end_on_signals, running
from dev.local_kafka import LocalKafka
from trading_app.parsing import trade_file
from trading_app.parsing.submission import record_of
from trading_app.parsing.trade_file import Row

TRADES = 1_000_000
ROUNDS = 3
TIMEOUT_S = 120
POLL_INTERVAL_S = 0.02
BAR = 80_000
FIRST_MS = 1_700_000_000_000

OURS = "replay --speed max"
CONFLUENT = "confluent-kafka, of parsed rows"


class Run(NamedTuple):
    """The figures of a run."""

    per_s: float
    cpu_s_per_million: Figures


def main() -> None:
    """Measure, print the table, save the results. Exits with 1 if we miss the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--trades", type=int, default=TRADES)
    arguments = parser.parse_args()
    end_on_signals()
    venv.install()
    runs: dict[str, list[Run]] = {OURS: [], CONFLUENT: []}
    with running_broker() as (broker, folder):
        write_files(folder, arguments.trades)
        for number in range(1, arguments.rounds + 1):
            for place, (name, found) in enumerate(runs.items()):
                topic = f"trades-{number}-{place}"
                found.append(measure(name, broker, topic, arguments.trades, folder))
                print(f"round {number}: {name}: {found[-1].per_s:,.0f} trades/s", flush=True)
    sys.exit(0 if conclude(runs, arguments.trades) else 1)


def write_files(folder: Path, trades: int) -> None:
    """Write the CSV file, and a file of its parsed rows."""
    with (folder / "trades.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["coinName", "price", "numOfCoin", "timestamp", "tradeId"])
        for number in range(trades):
            coin = COINS[number % len(COINS)]
            price = f"{90_000 + number % 1000}.{number % 100:02}"
            writer.writerow([coin, price, f"0.{1 + number % 9999:04}", FIRST_MS + number, number])
    with (folder / "trades.csv").open(newline="") as file:
        rows = [row for row in trade_file.read(file) if isinstance(row, Row)]
    with (folder / "trades.parsed").open("wb") as parsed:
        marshal.dump([tuple(record_of(row.trade, row.timestamp_ms)) for row in rows], parsed)


def measure(name: str, broker: LocalKafka, topic: str, trades: int, folder: Path) -> Run:
    """Return the figures of a contender. Raises BenchFailed if not all are on the topic."""
    asyncio.run(make_topic(broker, topic))
    commands = {
        OURS: [
            *(sys.executable, "-m", "faust", "-A", "trading_app", "replay", "trades.csv"),
            *("--speed", "max"),
        ],
        CONFLUENT: [str(venv.BIN / "python"), "-m", "bench.peers.confluent_producer"],
    }
    environment = {
        "KAFKA_CLIENT_BOOTSTRAP_SERVER": broker.bootstrap_server,
        "TRADE_TOPICS": topic,
        "BROKER": broker.bootstrap_server,
        "TOPIC": topic,
        "FILE": "trades.parsed",
    }
    with running(topic, commands[name], environment, folder) as child:
        run = asyncio.run(follow(child, broker, topic, trades))
        child.process.wait(TIMEOUT_S)
    stored = asyncio.run(count_records(broker, topic))
    if child.process.returncode or stored != trades:
        raise child.failed(f"{stored} of {trades} trades, exit code {child.process.returncode}")
    return run


async def follow(child: Child, broker: LocalKafka, topic: str, trades: int) -> Run:
    """Watch the topic until it has all trades; return the figures since the first."""
    deadline = time.monotonic() + TIMEOUT_S
    meter = Meter([child.process.pid], broker.port)
    first = None
    async with counting(broker, topic) as count:
        while True:
            stored = await count()
            now = time.monotonic()
            if stored >= trades and first:
                measured = stored - first[0]
                return Run(
                    measured / (now - first[1]),
                    cost.each(first[2], meter.cpu_s(), measured / 1e6),
                )
            if stored:
                first = first or (stored, now, meter.cpu_s())
            elif now > deadline:
                raise child.failed("nothing is on the topic")
            await asyncio.sleep(POLL_INTERVAL_S)


def conclude(runs: Mapping[str, Sequence[Run]], trades: int) -> bool:
    """Print and save the results; return whether we meet the bar."""
    rates = {name: [run.per_s for run in found] for name, found in runs.items()}
    medians = {name: median(found) for name, found in rates.items()}
    cpu = cost.of_runs(runs, "cpu_s_per_million", 2)
    rows = [
        [
            name,
            f"{medians[name]:,.0f}",
            report.spread(found),
            f"{medians[name] / medians[OURS]:.2f}",
        ]
        for name, found in rates.items()
    ]
    print(f"\n{report.table(['', 'trades/s, median', 'rounds', 'of ours'], rows)}\n")
    print(f"{cost.table('CPU s a million trades', cpu)}\n")
    verdicts = [report.at_least(f"{OURS}, trades/s", medians[OURS], BAR)]
    file = report.save(
        "replay",
        {
            "machine": machine.describe(),
            "trades": trades,
            "partitions": PARTITIONS,
            "trades_per_s": {name: report.of_rounds(found) for name, found in rates.items()},
            "cpu_s_per_million_trades": cpu,
            "bars": verdicts,
        },
    )
    return report.print_verdicts(verdicts, file)


if __name__ == "__main__":
    main()
