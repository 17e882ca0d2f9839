"""Latency from the response to a POST to the line in chart_app's log.

``python -m bench.latency`` sends 500 trades a second for 20 s, three times.
"""

import argparse
import asyncio
import re
import sys
import time
from datetime import datetime
from pathlib import Path
from statistics import median

import aiohttp

from bench import machine, report
from bench.broker import COINS, running_broker
from bench.chart import TOPIC, chart_app
from bench.processes import BenchFailed, Child, end_on_signals
from bench.trading import trading_app

RATE = 500
ROUNDS = 3
SECONDS = 20.0
WARM_UP_S = 3.0
LOG_TIMEOUT_S = 20
POLL_INTERVAL_S = 0.01
BARS_MS = {50: 10, 99: 50}

TRADE_LINE = re.compile(r"^(\S+Z) INFO chart_app\.trades .* tradeId=(\d+)$", re.MULTILINE)


def main() -> None:
    """Measure, print, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    seconds = parser.parse_args().seconds
    end_on_signals()
    rounds_ms: list[dict[int, float]] = []
    with running_broker() as (broker, folder), trading_app(broker, folder) as (_, url):
        for number in range(1, ROUNDS + 1):
            with chart_app(broker, folder) as (chart, _):
                asyncio.run(measure(url, chart, WARM_UP_S, number * 1_000_000))
                times_ms = asyncio.run(measure(url, chart, seconds, number * 1_000_000 + 500_000))
            rounds_ms.append(report.percentiles(times_ms, [50, 90, 99]))
    sys.exit(0 if conclude(rounds_ms) else 1)


async def measure(url: str, chart: Child, seconds: float, first: int) -> list[float]:
    """Return the times in ms from response to log line; trades are numbered from ``first``."""
    answered: dict[int, float] = {}
    async with aiohttp.ClientSession(url) as http:

        async def send(number: int) -> None:
            await post(http, number)
            answered[number] = time.time()

        start = time.perf_counter()
        async with asyncio.TaskGroup() as posts:
            for number in range(first, first + int(RATE * seconds)):
                posts.create_task(send(number))
                due = start + (number - first + 1) / RATE
                await asyncio.sleep(max(0, due - time.perf_counter()))
    deadline = time.monotonic() + LOG_TIMEOUT_S
    while not answered.keys() <= (logged := read_log(chart.log)).keys():
        if time.monotonic() > deadline:
            raise chart.failed("not all trades are logged")
        await asyncio.sleep(POLL_INTERVAL_S)
    return [(logged[number] - time_s) * 1000 for number, time_s in answered.items()]


async def post(http: aiohttp.ClientSession, number: int) -> None:
    """Send a trade. Raises BenchFailed."""
    coin = COINS[number % len(COINS)]
    trade = {"topic": TOPIC, "coinName": coin, "price": 1, "numOfCoin": 1, "tradeId": number}
    async with http.post("/send-trading-data", json=trade) as answer:
        if answer.status != 201:
            raise BenchFailed(await answer.text())


def read_log(log: Path) -> dict[int, float]:
    """Return when each trade was logged, in s with a precision of 1 ms, by trade id."""
    return {
        int(trade_id): datetime.fromisoformat(moment).timestamp()
        for moment, trade_id in TRADE_LINE.findall(log.read_text())
    }


def conclude(rounds_ms: list[dict[int, float]]) -> bool:
    """Print and save the results; return whether we meet the bars."""
    medians = {percent: median(it[percent] for it in rounds_ms) for percent in rounds_ms[0]}
    verdicts = [
        report.at_most(f"POST answered to log line, p{percent}, ms", medians[percent], bar)
        for percent, bar in BARS_MS.items()
    ]
    file = report.save(
        "latency",
        {
            "machine": machine.describe(),
            "trades_per_s": RATE,
            "answer_to_log_line_ms": {
                f"p{percent}": report.of_rounds([it[percent] for it in rounds_ms], 1)
                for percent in medians
            },
            "bars": verdicts,
        },
    )
    return report.print_verdicts(verdicts, file)


if __name__ == "__main__":
    main()
