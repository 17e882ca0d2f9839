"""Latency of a trade from the POST to the WebSocket, ours compared with a bare pipeline.

``python -m bench.live`` posts 200 trades a second, one a request, and 5,000 trades a second, 50 a
request, and measures the time from the start of a POST to each trade's event on a WebSocket: of
our programs with SQLite, with PostgreSQL, and of ``bench/peers/bare_pipeline.py``. A POST does
not wait for those before it.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import aiohttp
import msgspec
import uvloop

from bench import machine, report
from bench.broker import COINS, make_topic, running_broker
from bench.chart import chart_app, wait_ready
from bench.postgresql import new_database, running_postgresql
from bench.processes import BenchFailed, end_on_signals, running
from bench.trading import trading_app
from dev.local_kafka import LocalKafka, free_port

ROUNDS = 3
SECONDS = 15.0
WARM_UP_S = 3.0
EVENT_TIMEOUT_S = 10
#: A slower generator did not post at the rate that is reported.
POSTED_SHARE_MIN = 0.95

BARE = "bare aiohttp + aiokafka"
SQLITE = "ours, SQLite"
POSTGRESQL = "ours, PostgreSQL"
PERCENTS = (50, 90, 99)


class Rate(NamedTuple):
    """How many trades a second are posted, and how many of them in a request."""

    trades_per_s: int
    batch: int


SLOW = Rate(200, 1)
FAST = Rate(5_000, 50)
#: The highest accepted ratio of our percentile to the bare pipeline's.
BARS = {(SLOW, 50): 2, (SLOW, 99): 3, (FAST, 99): 5}


class Pipeline(NamedTuple):
    """Where a contender takes trades and pushes them; ``price`` reads that of an event."""

    post_url: str
    push_url: str
    topic: str
    price: Callable[[str], float]


class PushedTrade(msgspec.Struct):
    """What the bare pipeline pushes."""

    price: float


class TradeEvent(msgspec.Struct):
    """The data of chart_app's event."""

    p: str


class CombinedEvent(msgspec.Struct):
    """An event on chart_app's ``/stream``."""

    data: TradeEvent


_read_pushed = msgspec.json.Decoder(PushedTrade).decode
_read_combined = msgspec.json.Decoder(CombinedEvent).decode


@contextmanager
def bare(broker: LocalKafka, folder: Path) -> Iterator[Pipeline]:
    """Run the bare pipeline."""
    topic = folder.name
    asyncio.run(make_topic(broker, topic))
    with ExitStack() as stack:
        urls = {}
        for role in ("post", "push"):
            port = free_port()
            environment = {"BROKER": broker.bootstrap_server, "TOPIC": topic, "PORT": str(port)}
            command = [sys.executable, "-m", "bench.peers.bare_pipeline", role]
            child = stack.enter_context(running(role, command, environment, folder))
            urls[role] = f"http://127.0.0.1:{port}"
            wait_ready(child, urls[role])
        yield Pipeline(urls["post"], urls["push"], topic, lambda event: _read_pushed(event).price)


@contextmanager
def ours(broker: LocalKafka, folder: Path, database_url: str = "") -> Iterator[Pipeline]:
    """Run our programs, on SQLite if there is no other address."""
    topics = {"TRADE_TOPICS": folder.name, "GROUP_ID": folder.name}
    with (
        trading_app(broker, folder, **topics) as (_, post_url),
        chart_app(broker, folder, **topics, DATABASE_URL=database_url) as (_, push_url),
    ):
        yield Pipeline(
            post_url, push_url, folder.name, lambda event: float(_read_combined(event).data.p)
        )


def main() -> None:
    """Measure, print, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    end_on_signals()
    rounds: dict[tuple[Rate, str], list[dict[int, float]]] = {
        (rate, name): [] for rate in (SLOW, FAST) for name in (BARE, SQLITE, POSTGRESQL)
    }
    with running_broker() as (broker, folder), running_postgresql() as postgresql:
        for number in range(1, arguments.rounds + 1):
            contenders: dict[str, Callable[..., AbstractContextManager[Pipeline]]] = {
                BARE: bare,
                SQLITE: ours,
                POSTGRESQL: partial(ours, database_url=asyncio.run(new_database(postgresql))),
            }
            for name, run in contenders.items():
                own = Path(tempfile.mkdtemp(prefix="trades-", dir=folder))
                with run(broker, own) as pipeline:
                    for rate in (SLOW, FAST):
                        uvloop.run(measure(pipeline, rate, WARM_UP_S))
                        times_ms = uvloop.run(measure(pipeline, rate, arguments.seconds))
                        found = report.percentiles(times_ms, PERCENTS)
                        rounds[rate, name].append(found)
                        shown = ", ".join(f"p{it} {value:.1f} ms" for it, value in found.items())
                        print(f"round {number}: {name}, {rate.trades_per_s}/s: {shown}", flush=True)
    sys.exit(0 if conclude(rounds, arguments.seconds) else 1)


async def measure(pipeline: Pipeline, rate: Rate, seconds: float) -> list[float]:
    """Return the latencies of the trades in ms. Raises BenchFailed if the POSTs are late."""
    requests = int(rate.trades_per_s / rate.batch * seconds)
    trades = requests * rate.batch
    bodies = [encode(pipeline.topic, rate, number) for number in range(requests)]
    path = "/trades" if rate.batch > 1 else "/send-trading-data"
    sent = [0.0] * requests
    times_ms: list[float] = []
    async with (
        aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as http,
        http.ws_connect(f"{pipeline.push_url}/stream") as socket,
    ):
        streams = [f"{coin}@trade" for coin in COINS]
        await socket.send_json({"method": "SUBSCRIBE", "params": streams, "id": 1})
        await socket.receive_str(timeout=EVENT_TIMEOUT_S)

        async def post(number: int) -> None:
            sent[number] = time.perf_counter()
            async with http.post(f"{pipeline.post_url}{path}", data=bodies[number]) as answer:
                if answer.status != 201:
                    raise BenchFailed(await answer.text())

        async def post_all() -> float:
            start = time.perf_counter()
            async with asyncio.TaskGroup() as posts:
                for number in range(requests):
                    due = start + number * rate.batch / rate.trades_per_s
                    await asyncio.sleep(max(0, due - time.perf_counter()))
                    posts.create_task(post(number))
                return time.perf_counter() - start

        posting = asyncio.create_task(post_all())
        while len(times_ms) < trades:
            price = pipeline.price(await socket.receive_str(timeout=EVENT_TIMEOUT_S))
            request = (int(price) - 1) // rate.batch
            times_ms.append((time.perf_counter() - sent[request]) * 1000)
        posting_s = await posting
    if seconds / posting_s < POSTED_SHARE_MIN:
        raise BenchFailed(f"{trades} trades were posted in {posting_s:.1f} s, not {seconds:g}")
    return times_ms


def encode(topic: str, rate: Rate, number: int) -> bytes:
    """Return the body of a request. The price is the number of the trade, from 1."""
    first = number * rate.batch
    trades = [
        {"coinName": COINS[index % len(COINS)], "price": index + 1, "numOfCoin": 1}
        for index in range(first, first + rate.batch)
    ]
    return msgspec.json.encode(trades if rate.batch > 1 else {"topic": topic, **trades[0]})


def conclude(rounds: dict[tuple[Rate, str], list[dict[int, float]]], seconds: float) -> bool:
    """Print and save the results; return whether we meet the bars."""
    medians = {
        (rate, name, percent): median(it[percent] for it in found)
        for (rate, name), found in rounds.items()
        for percent in PERCENTS
    }
    rows = [
        [
            f"{rate.trades_per_s:,}/s, {name}",
            *(f"{medians[rate, name, percent]:.1f}" for percent in PERCENTS),
            *(
                f"{medians[rate, name, percent] / medians[rate, BARE, percent]:.1f}"
                for percent in PERCENTS
            ),
        ]
        for rate, name in rounds
    ]
    header = ["", *(f"p{it} ms" for it in PERCENTS), *(f"p{it} of bare" for it in PERCENTS)]
    print(f"\n{report.table(header, rows)}\n")
    verdicts = [
        report.at_most(
            f"POST to WebSocket at {rate.trades_per_s:,}/s, {name}: p{percent} of {BARE}",
            medians[rate, name, percent] / medians[rate, BARE, percent],
            bar,
        )
        for (rate, percent), bar in BARS.items()
        for name in (SQLITE, POSTGRESQL)
    ]
    file = report.save(
        "live",
        {
            "machine": machine.describe(),
            "seconds": seconds,
            "post_to_websocket_ms": {
                str(rate.trades_per_s): {
                    name: {
                        f"p{percent}": report.of_rounds([it[percent] for it in found], 1)
                        for percent in PERCENTS
                    }
                    for (of_rate, name), found in rounds.items()
                    if of_rate == rate
                }
                for rate in (SLOW, FAST)
            },
            "bars": verdicts,
        },
    )
    return report.print_verdicts(verdicts, file)


if __name__ == "__main__":
    main()
