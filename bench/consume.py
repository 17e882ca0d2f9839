"""Trades a second that our agent consumes, compared with its peers; all log every trade to a file.

``python -m bench.consume``: one broker, one topic with 200,000 trades in 4 partitions; each
contender reads it from the beginning, in its own consumer group. The time is measured from the
first trade in the contender's log to the last, without its startup. All log the same fields;
chart_app also stores the trades, and its time ends when the last is stored.
"""

import argparse
import asyncio
import re
import sys
import time
import uuid
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import NamedTuple

import uvloop
from aiokafka import AIOKafkaProducer

import trade_rules
from bench import machine, report, venv
from bench.broker import COINS, PARTITIONS, make_topic, running_broker
from bench.chart import stored_trades
from bench.processes import Child, end_on_signals, running
from dev import node
from dev.local_kafka import LocalKafka, free_port
from trade_rules import TradeMessage

TOPIC = "trades"
TRADES = 200_000
ROUNDS = 3
POLL_INTERVAL_S = 0.005
START_TIMEOUT_S = 60
STALL_TIMEOUT_S = 30

TRADE_LINE = re.compile(rb" coinName=.*\btradeId=([0-9]+)")
#: What is counted while the contenders run, because it costs least.
TRADE_MARK = b" coinName="

FAUST = [sys.executable, "-m", "faust", "-A"]
OURS = "chart_app"
CANDLES_ONLY = "chart_app, STORE_TRADES=false"
LOG_ONLY = "chart_app's parts, log only"
STOCK_FAUST = "stock Faust agent"
GETMANY = "aiokafka getmany"
QUIXSTREAMS = "quixstreams"
KAFKAJS = "kafkajs eachMessage"
COMMANDS = {
    OURS: [*FAUST, "chart_app", "worker"],
    CANDLES_ONLY: [*FAUST, "chart_app", "worker"],
    LOG_ONLY: [*FAUST, "bench.log_only", "worker"],
    STOCK_FAUST: [
        *(*FAUST, "bench.peers.stock_faust", "--loop", "uvloop"),
        *("worker", "--loglevel", "info", "--without-web"),
    ],
    GETMANY: [sys.executable, "-m", "bench.peers.aiokafka_getmany"],
    QUIXSTREAMS: [str(venv.BIN / "python"), "-m", "bench.peers.quixstreams_app"],
    KAFKAJS: node.command("bench_each_message.js"),
}
#: The lowest accepted ratio of our rate to the peer's.
BARS = {
    (OURS, KAFKAJS): 1,
    (CANDLES_ONLY, KAFKAJS): 1.5,
    (LOG_ONLY, KAFKAJS): 2,
    (LOG_ONLY, QUIXSTREAMS): 1,
    (LOG_ONLY, GETMANY): 0.5,
}


class Progress(NamedTuple):
    """The number of trades in a log at a time, in s of the monotonic clock."""

    trades: int
    time_s: float


def main() -> None:
    """Measure, print the table, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--trades", type=int, default=TRADES)
    arguments = parser.parse_args()
    end_on_signals()
    node.install()
    venv.install()
    rates: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with running_broker() as (broker, folder):
        uvloop.run(fill(broker, arguments.trades))
        for number in range(1, arguments.rounds + 1):
            for name in COMMANDS:
                rates[name].append(measure(name, broker, arguments.trades, folder))
                print(f"round {number}: {name}: {rates[name][-1]:,.0f} trades/s", flush=True)
    sys.exit(0 if conclude(rates, arguments.trades) else 1)


async def fill(broker: LocalKafka, trades: int) -> None:
    """Create the topic and send the trades to it, numbered by ``tradeId``."""
    await make_topic(broker, TOPIC)
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap_server, max_batch_size=500_000, linger_ms=20
    )
    async with producer:
        sent = []
        for number in range(trades):
            coin = COINS[number % len(COINS)]
            price = Decimal(9_000_000 + number % 100_000) / 100
            amount = Decimal(1 + number % 10_000) / 10_000
            value = trade_rules.encode(
                TradeMessage(coinName=coin, numOfCoin=amount, price=price, tradeId=number)
            )
            sent.append(await producer.send(TOPIC, value, key=coin.encode()))
        await asyncio.gather(*sent)


def measure(name: str, broker: LocalKafka, trades: int, folder: Path) -> float:
    """Return a contender's trades/s. Raises BenchFailed if a trade is not logged exactly once."""
    group = f"bench-{uuid.uuid4().hex[:12]}"
    data = folder / group
    environment = {**settings(broker, group, data), "STORE_TRADES": str(name != CANDLES_ONLY)}
    log_name = name.replace(" ", "_")
    with running(log_name, COMMANDS[name], environment, folder) as child:
        first, last = follow(child, trades)
        if name in (OURS, CANDLES_ONLY):
            last = wait_stored(child, data, trades)
    numbers = TRADE_LINE.findall(child.log.read_bytes())
    if len(numbers) != trades or len(set(numbers)) != trades:
        raise child.failed(f"{len(numbers)} lines, {len(set(numbers))} of {trades} trades")
    return (last.trades - first.trades) / (last.time_s - first.time_s)


def settings(broker: LocalKafka, group: str, data: Path) -> Mapping[str, str]:
    """Return the environment, with the names that our program and the peers use."""
    return {
        "KAFKA_CLIENT_BOOTSTRAP_SERVER": broker.bootstrap_server,
        "TRADE_TOPICS": TOPIC,
        "GROUP_ID": group,
        "CHART_PORT": str(free_port()),
        "DATA_DIR": str(data),
        "BROKER": broker.bootstrap_server,
        "TOPIC": TOPIC,
        "GROUP": group,
    }


def follow(child: Child, trades: int) -> tuple[Progress, Progress]:
    """Watch the log until it has ``trades``; return the readings at the first and the last."""
    count = 0
    rest = b""
    first = None
    deadline = time.monotonic() + START_TIMEOUT_S
    with child.log.open("rb") as log:
        while True:
            lines, newline, rest = (rest + log.read()).rpartition(b"\n")
            now = time.monotonic()
            if newline:
                found = lines.count(TRADE_MARK)
                if found:
                    count += found
                    first = first or Progress(count, now)
                    deadline = now + STALL_TIMEOUT_S
                if first and count >= trades:
                    return first, Progress(count, now)
            if now > deadline:
                raise child.failed(f"it stands at {count} of {trades} trades")
            child.check()
            time.sleep(POLL_INTERVAL_S)


def wait_stored(child: Child, data: Path, trades: int) -> Progress:
    """Wait until ``trades`` are stored; return the time."""
    deadline = time.monotonic() + STALL_TIMEOUT_S
    while (stored := stored_trades(data)) < trades:
        if time.monotonic() > deadline:
            raise child.failed(f"{stored} of {trades} trades are stored")
        child.check()
        time.sleep(POLL_INTERVAL_S)
    return Progress(trades, time.monotonic())


def conclude(rates: Mapping[str, list[float]], trades: int) -> bool:
    """Print and save the results; return whether we meet the bars."""
    medians = {name: median(values) for name, values in rates.items()}
    verdicts = [
        report.at_least(f"{ours}, of {peer}", medians[ours] / medians[peer], bar)
        for (ours, peer), bar in BARS.items()
    ]
    rows = [
        [
            name,
            f"{medians[name]:,.0f}",
            report.spread(values),
            f"{medians[name] / medians[STOCK_FAUST]:.1f}",
            f"{medians[name] / medians[KAFKAJS]:.2f}",
        ]
        for name, values in rates.items()
    ]
    header = ["contender", "trades/s, median", "rounds", "× stock Faust", "× kafkajs"]
    print(f"\n{report.table(header, rows)}\n")
    file = report.save(
        "consume",
        {
            "machine": machine.describe(),
            "trades": trades,
            "partitions": PARTITIONS,
            "trades_per_s": {name: report.of_rounds(values) for name, values in rates.items()},
            "bars": verdicts,
        },
    )
    return report.print_verdicts(verdicts, file)


if __name__ == "__main__":
    main()
