"""Trades a second and latency of ``POST /send-trading-data``, ours compared with its peers.

``python -m bench.http``: one broker, one topic with 4 partitions; 32 keep-alive connections
send JSON, and each server answers 201 once the broker has stored the trade. Also measured are
two of our processes on one port, and our ``POST /trades``: 1,000 trades per request over 4
connections.
"""

import argparse
import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench import cost, load, machine, report, venv
from bench.broker import COINS, PARTITIONS, count_records, make_topic, running_broker
from bench.cost import Figures, Meter
from bench.load import Load
from bench.processes import Child, end_on_signals, running
from dev import node
from dev.local_kafka import LocalKafka, free_port

TOPIC = "trades"
CONNECTIONS = 32
BULK_CONNECTIONS = 4
BULK_TRADES = 1_000
ROUNDS = 3
SECONDS = 10.0
WARM_UP_S = 2.0
START_TIMEOUT_S = 60
POLL_INTERVAL_S = 0.1

OURS = "trading_app"
TWO = "two trading_app on one port"
BULK = "trading_app, POST /trades"
BARE = "bare aiohttp + aiokafka"
FASTAPI = "FastAPI + aiokafka"
FASTAPI_TUNED = "the same on uvloop, httptools"
EXPRESS = "Express + kafkajs"
TRADING_APP = [sys.executable, "-m", "faust", "-A", "trading_app", "worker"]
UVICORN = [
    *(str(venv.BIN / "python"), "-m", "uvicorn", "bench.peers.fastapi_app:app"),
    "--no-access-log",
]
COMMANDS = {
    OURS: TRADING_APP,
    TWO: TRADING_APP,
    BULK: TRADING_APP,
    BARE: [sys.executable, "-m", "bench.peers.bare_aiohttp"],
    # First as `pip install fastapi uvicorn` runs it, then with its fastest options.
    FASTAPI: [*UVICORN, "--loop", "asyncio", "--http", "h11"],
    FASTAPI_TUNED: [*UVICORN, "--loop", "uvloop", "--http", "httptools"],
    EXPRESS: node.command("bench_express.js"),
}
#: The lowest accepted ratio of our rate to the peer's.
BARS = {BARE: 0.85, FASTAPI: 3, FASTAPI_TUNED: 3, EXPRESS: 3}
P99_BAR = 1.3
BULK_BAR = 60_000
BULK_OF_SINGLE_BAR = 6


class Run(NamedTuple):
    """The figures of a run."""

    load: Load
    cpu_s_per_million: Figures
    network_bytes_each: Figures


def main() -> None:
    """Measure, print the table, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    end_on_signals()
    node.install()
    venv.install()
    runs: dict[str, list[Run]] = {name: [] for name in COMMANDS}
    with running_broker() as (broker, folder):
        asyncio.run(make_topic(broker, TOPIC))
        for number in range(1, arguments.rounds + 1):
            for name, found in runs.items():
                found.append(measure(name, broker, arguments.seconds, folder))
                per_s = found[-1].load.per_s * trades_of(name)
                print(f"round {number}: {name}: {per_s:,.0f} trades/s", flush=True)
    sys.exit(0 if conclude(runs, arguments.seconds) else 1)


def measure(name: str, broker: LocalKafka, seconds: float, folder: Path) -> Run:
    """Return the rate, the latency and the cost of a server under load.

    Raises BenchFailed if a response is not a 201, or a trade is not on the topic afterwards.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}/send-trading-data"
    trade = {
        "topic": TOPIC,
        "coinName": f"COIN{{{{ randomInt(1, {len(COINS)}) }}}}",
        "price": 91234.5,
        "numOfCoin": 0.25,
    }
    log_name = name.replace(" ", "_").replace("/", "_")
    with ExitStack() as servers:
        children = [
            servers.enter_context(
                running(f"{log_name}-{number}", COMMANDS[name], settings(broker, port), folder)
            )
            for number in range(1 + (name == TWO))
        ]
        child = children[0]
        for _ in range(CONNECTIONS):  # each may reach a different process
            wait_until_answering(child, url, trade)
        body: Any = trade
        connections = CONNECTIONS
        if name == BULK:
            url = f"http://127.0.0.1:{port}/trades"
            body = [trade] * BULK_TRADES
            connections = BULK_CONNECTIONS
        load.run(url, body, connections, WARM_UP_S, folder)
        before = asyncio.run(count_records(broker, TOPIC))
        meter = Meter([it.process.pid for it in children], broker.port)
        cpu_s, network_bytes = meter.cpu_s(), meter.network_bytes()
        measured = load.run(url, body, connections, seconds, folder)
        cpu = cost.each(cpu_s, meter.cpu_s(), measured.answers * trades_of(name) / 1e6)
        network = cost.each(
            network_bytes, meter.network_bytes(), measured.answers * trades_of(name)
        )
        stored = asyncio.run(count_records(broker, TOPIC)) - before
    if stored != measured.answers * trades_of(name):
        raise child.failed(f"{measured.answers} answers of 201, but {stored} trades stored")
    return Run(measured, cpu, network)


def trades_of(name: str) -> int:
    """Return the number of trades in a request to a contender."""
    return BULK_TRADES if name == BULK else 1


def settings(broker: LocalKafka, port: int) -> Mapping[str, str]:
    """Return the environment, with the names that our program and the peers use."""
    return {
        "KAFKA_CLIENT_BOOTSTRAP_SERVER": broker.bootstrap_server,
        "TRADE_TOPICS": TOPIC,
        "TRADING_PORT": str(port),
        "HTTP_REUSE_PORT": "true",
        "BROKER": broker.bootstrap_server,
        "TOPIC": TOPIC,
        "PORT": str(port),
        "UVICORN_PORT": str(port),
    }


def wait_until_answering(
    child: Child, url: str, body: Mapping[str, Any], headers: Mapping[str, str] = load.NO_HEADERS
) -> None:
    """Send a POST until the response is a 201. Raises BenchFailed."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        with suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:
            if answer.status == 201:
                return
        child.check()
        if time.monotonic() > deadline:
            raise child.failed(f"no 201 within {START_TIMEOUT_S} s")
        time.sleep(POLL_INTERVAL_S)


def conclude(runs: Mapping[str, Sequence[Run]], seconds: float) -> bool:
    """Print and save the results; return whether we meet the bars."""
    loads = {name: [run.load for run in found] for name, found in runs.items()}
    cpu = cost.of_runs(runs, "cpu_s_per_million", 2)
    network = cost.of_runs(runs, "network_bytes_each", 1)
    medians = {
        name: Load(*(median(values) for values in zip(*rounds, strict=True)))
        for name, rounds in loads.items()
    }
    rates = {name: it.per_s * trades_of(name) for name, it in medians.items()}
    rows = [
        [
            name,
            f"{rates[name]:,.0f}",
            report.spread([it.per_s * trades_of(name) for it in rounds]),
            f"{medians[name].p50_ms:.1f}",
            f"{medians[name].p99_ms:.1f}",
            f"{rates[name] / rates[OURS]:.2f}",
        ]
        for name, rounds in loads.items()
    ]
    header = ["server", "trades/s, median", "rounds", "p50 ms", "p99 ms", "of ours"]
    print(f"\n{report.table(header, rows)}\n")
    print(f"{cost.table('CPU s a million trades', cpu)}\n")
    print(f"{cost.table('bytes a trade on the network', network)}\n")
    verdicts = [
        *(
            report.at_least(f"single POST, requests/s of {peer}", rates[OURS] / rates[peer], bar)
            for peer, bar in BARS.items()
        ),
        report.at_most(
            f"single POST, p99 of {BARE}", medians[OURS].p99_ms / medians[BARE].p99_ms, P99_BAR
        ),
        report.at_least("POST /trades, trades/s", rates[BULK], BULK_BAR),
        report.at_least(
            "POST /trades, trades/s of single POST", rates[BULK] / rates[OURS], BULK_OF_SINGLE_BAR
        ),
    ]
    file = report.save(
        "http",
        {
            "machine": machine.describe(),
            "connections": CONNECTIONS,
            "seconds": seconds,
            "partitions": PARTITIONS,
            "cpu_s_per_million_trades": cpu,
            "network_bytes_per_trade": network,
            "servers": {
                name: {
                    "median": medians[name]._asdict(),
                    "rounds": [it._asdict() for it in rounds],
                }
                for name, rounds in loads.items()
            },
            "bars": verdicts,
        },
    )
    return report.print_verdicts(verdicts, file)


if __name__ == "__main__":
    main()
