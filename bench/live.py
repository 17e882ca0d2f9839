"""Latency of a trade through both programs, from the POST to the page's WebSocket.

``python -m bench.live`` posts 200 trades a second to trading_app for 30 s and measures the time
from the start of a POST to the trade's event on a WebSocket of chart_app.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence

import aiohttp

from bench import machine, report
from bench.broker import COINS, running_broker
from bench.chart import TOPIC, chart_app
from bench.processes import end_on_signals
from bench.trading import trading_app

RATE = 200
SECONDS = 30
WARM_UP_S = 5
BARS_MS = {50: 50.0, 99: 250.0}


def main() -> None:
    """Measure, print, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    seconds = parser.parse_args().seconds
    end_on_signals()
    with (
        running_broker() as (broker, folder),
        trading_app(broker, folder) as (_, trading_url),
        chart_app(broker, folder) as (_, chart_url),
    ):
        asyncio.run(measure(trading_url, chart_url, WARM_UP_S))
        times_ms = asyncio.run(measure(trading_url, chart_url, seconds))
    sys.exit(0 if conclude(times_ms) else 1)


async def measure(trading_url: str, chart_url: str, seconds: float) -> list[float]:
    """Return the latencies in ms of :data:`RATE` trades a second."""
    count = int(RATE * seconds)
    sent: dict[int, float] = {}
    times_ms: list[float] = []
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{chart_url}/stream") as socket:
        streams = [f"{coin}@trade" for coin in COINS]
        await socket.send_json({"method": "SUBSCRIBE", "params": streams, "id": 1})
        await socket.receive_json()

        async def post(number: int) -> None:
            body = {
                "topic": TOPIC,
                "coinName": COINS[number % len(COINS)],
                "price": number + 1,
                "numOfCoin": 1,
            }
            sent[number] = time.perf_counter()
            async with http.post(f"{trading_url}/send-trading-data", json=body) as answer:
                assert answer.status == 201, await answer.text()

        async def post_all() -> None:
            start = time.perf_counter()
            async with asyncio.TaskGroup() as posts:
                for number in range(count):
                    posts.create_task(post(number))
                    due = start + (number + 1) / RATE
                    await asyncio.sleep(max(0, due - time.perf_counter()))

        posting = asyncio.create_task(post_all())
        while len(times_ms) < count:
            event = json.loads(await socket.receive_str(timeout=10))["data"]
            times_ms.append((time.perf_counter() - sent[int(event["p"]) - 1]) * 1000)
        await posting
    return times_ms


def conclude(times_ms: Sequence[float]) -> bool:
    """Print and save the results; return whether we meet the bars."""
    percentiles = report.percentiles(times_ms, [50, 90, 99])
    for percent, value in percentiles.items():
        bar = f", the bar is {BARS_MS[percent]:g} ms" if percent in BARS_MS else ""
        print(f"POST to WebSocket at {RATE} trades/s: p{percent} {value:.1f} ms{bar}")
    report.save(
        "live",
        {
            "machine": machine.describe(),
            "trades": len(times_ms),
            "trades_per_s": RATE,
            "post_to_websocket_ms": {f"p{key}": round(it, 1) for key, it in percentiles.items()},
            "bars": [
                report.at_most(f"POST to WebSocket, p{key} ms", percentiles[key], bar)
                for key, bar in BARS_MS.items()
            ],
        },
    )
    return all(percentiles[percent] < bar for percent, bar in BARS_MS.items())


if __name__ == "__main__":
    main()
