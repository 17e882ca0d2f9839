"""Trades a second that our agent consumes, and what a trade costs, compared with its peers.

``python -m bench.consume``: one broker, one topic with 1,000,000 trades in 4 partitions; each
contender reads it from the beginning, in its own consumer group, and logs every trade to a file.
Rates and CPU are measured from the first trade in the contender's log to the last, without its
startup. chart_app also stores the trades, and its time ends when the last is stored. A peer ends
after 20 s if it has not read all by then.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import uvloop

from bench import cost, disk, machine, postgresql, report, topic, venv
from bench.broker import PARTITIONS, running_broker
from bench.consumers import (
    CANDLES,
    CANDLES_ON_POSTGRESQL,
    CONFLUENT,
    CONSUMERS,
    GETMANY,
    KAFKAJS,
    LOG_ONLY,
    ON_POSTGRESQL,
    OURS,
    QUIXSTREAMS,
)
from bench.consumption import TOPIC, Run, measure
from bench.postgresql import running_postgresql
from bench.processes import end_on_signals
from dev import node

TRADES = 1_000_000
ROUNDS = 3
#: The lowest accepted ratio of the first's rate to the second's.
BARS = {
    (OURS, KAFKAJS): 1,
    (CANDLES, KAFKAJS): 1.5,
    (LOG_ONLY, KAFKAJS): 2,
    (LOG_ONLY, QUIXSTREAMS): 1,
    (LOG_ONLY, GETMANY): 0.5,
    (ON_POSTGRESQL, OURS): 0.85,
    (CANDLES_ON_POSTGRESQL, CANDLES): 1,
    (OURS, CONFLUENT): 1,
    (ON_POSTGRESQL, CONFLUENT): 1,
}


def main() -> None:
    """Measure, print the tables, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--trades", type=int, default=TRADES)
    arguments = parser.parse_args()
    end_on_signals()
    node.install()
    venv.install()
    runs: dict[str, list[Run]] = {name: [] for name in CONSUMERS}
    with running_broker() as (broker, folder), running_postgresql() as server:
        uvloop.run(topic.fill(broker, TOPIC, arguments.trades))
        for number in range(1, arguments.rounds + 1):
            for name, found in runs.items():
                found.append(measure(CONSUMERS[name], broker, server, arguments.trades, folder))
                print(f"round {number}: {name}: {found[-1].per_s:,.0f} trades/s", flush=True)
        facts = {
            "machine": machine.describe(),
            "postgresql": asyncio.run(postgresql.settings(server)),
            "trades": arguments.trades,
            "partitions": PARTITIONS,
            "topic_bytes_per_trade": round(disk.topic(broker, TOPIC) / arguments.trades, 1),
        }
    sys.exit(0 if conclude(runs, facts) else 1)


def conclude(runs: Mapping[str, Sequence[Run]], facts: Mapping[str, Any]) -> bool:
    """Print and save the results; return whether we meet the bars."""
    rates = {name: [run.per_s for run in found] for name, found in runs.items()}
    medians = {name: median(found) for name, found in rates.items()}
    cpu = cost.of_runs(runs, "cpu_s_per_million", 2)
    network = cost.of_runs(runs, "network_bytes_each", 1)
    on_disk = cost.of_runs(runs, "disk_bytes_each", 1)
    rows = [
        [
            name,
            f"{medians[name]:,.0f}",
            report.spread(found),
            f"{medians[name] / medians[KAFKAJS]:.2f}",
        ]
        for name, found in rates.items()
    ]
    print(f"\n{report.table(['contender', 'trades/s, median', 'rounds', 'of kafkajs'], rows)}\n")
    print(f"{cost.table('CPU s a million trades', cpu)}\n")
    print(f"{cost.table('bytes a trade on the network', network)}\n")
    shown = {name: row for name, row in cost.turned(on_disk).items() if max(row.values()) > 0.1}
    print(f"{cost.table('bytes a trade on disk', shown)}\n")
    verdicts = [
        report.at_least(f"{first}, of {second}", medians[first] / medians[second], bar)
        for (first, second), bar in BARS.items()
    ]
    file = report.save(
        "consume",
        {
            **facts,
            "trades_per_s": {name: report.of_rounds(found) for name, found in rates.items()},
            "cpu_s_per_million_trades": cpu,
            "network_bytes_per_trade": network,
            "disk_bytes_per_trade": on_disk,
            "bars": verdicts,
        },
    )
    return report.print_verdicts(verdicts, file)


if __name__ == "__main__":
    main()
