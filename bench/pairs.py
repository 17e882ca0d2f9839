"""Compares the working copy with a commit: CPU per request, and requests a second, in paired runs.

``python -m bench.pairs JOB --before COMMIT [--pairs 15]`` alternates short runs of both: other
tenants of the machine disturb both runs of a pair alike, and CPU seconds less than rates. The
median of the pairs' ratios is shown with its 95 % interval.

Jobs: ``http`` (``POST /send-trading-data``, JSON, 32 connections), ``key`` (the same with a key,
which a commit without keys does not look at), ``klines`` (1,000 candles of
a store of 100,000, 4 clients), ``consume`` (trades of a topic logged and stored).
"""

import argparse
import asyncio
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import aiohttp

from bench import consumers, http, klines, load, report, venv
from bench.broker import make_topic, running_broker
from bench.chart import TOPIC, chart_app
from bench.cpu import used_s
from bench.processes import ROOT, end_on_signals, running
from bench.progress import wait_logged
from bench.store import wait_stored
from bench.topic import fill
from chart_app.model.intervals import Interval
from dev.local_kafka import LocalKafka, free_port
from streaming.http import keys
from streaming.http.keys import Scope

PAIRS = 15
SECONDS = 3.0
WARM_UP_S = 2.0
KLINES_CANDLES = 100_000
KLINES_CLIENTS = 4
CONSUME_TRADES = 100_000
#: Of the interval of the ratios' median.
CONFIDENCE = 0.95
RESAMPLES = 10_000


class Run(NamedTuple):
    """The result of one run: CPU µs per request or trade, and requests or trades a second."""

    cpu_us: float
    per_s: float


#: Loads a program for about the given number of seconds.
Measure = Callable[[float], Run]
#: Runs the code in a folder (the last argument) with its files in another (the second).
Job = Callable[[LocalKafka, Path, Path], AbstractContextManager[Measure]]


def main() -> None:
    """Run the pairs, print each and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("--before", required=True, help="a commit")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    end_on_signals()
    venv.install()
    job = JOBS[arguments.job]
    pairs: list[tuple[Run, Run]] = []
    with checked_out(arguments.before) as before, running_broker() as (broker, folder):
        PREPARATIONS[arguments.job](broker)
        with ExitStack() as stack:
            measures = []
            for code in (before, ROOT):
                own = Path(tempfile.mkdtemp(dir=folder))
                measures.append(stack.enter_context(job(broker, own, code)))
            for measure in measures:
                measure(WARM_UP_S)
            for number in range(arguments.pairs):
                order = (0, 1) if number % 2 else (1, 0)
                runs = {it: measures[it](arguments.seconds) for it in order}
                pairs.append((runs[0], runs[1]))
                print(f"pair {number + 1}: {_shown(*pairs[-1])}", flush=True)
    conclude(pairs)


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Yield a folder with the code of a commit."""
    with tempfile.TemporaryDirectory(prefix="before-") as parent:
        folder = Path(parent) / "code"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
        try:
            yield folder
        finally:
            subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def environment(code: Path) -> dict[str, str]:
    """Return the environment that makes a program run the code in a folder, reproducibly."""
    return {"PYTHONPATH": str(code), "PYTHONHASHSEED": "0"}


@contextmanager
def post(
    broker: LocalKafka, folder: Path, code: Path, *, has_key: bool = False
) -> Iterator[Measure]:
    """Measure ``POST /send-trading-data``."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/send-trading-data"
    body = {"topic": http.TOPIC, "coinName": "BTC", "price": 91234.5, "numOfCoin": 0.25}
    settings = {**http.settings(broker, port), **environment(code)}
    headers: dict[str, str] = {}
    if has_key:
        key = keys.new_key("bench")
        file = folder / "keys.txt"
        file.write_text(keys.line_of(key, Scope.WRITE, {}))
        settings["API_KEYS_FILE"] = str(file)
        headers["Authorization"] = f"Bearer {key}"
    with running("trading_app", http.TRADING_APP, settings, folder) as child:
        http.wait_until_answering(child, url, body, headers)

        def measure(seconds: float) -> Run:
            start = used_s(child.process.pid)
            measured = load.run(url, body, http.CONNECTIONS, seconds, folder, headers)
            return Run((used_s(child.process.pid) - start) / measured.answers * 1e6, measured.per_s)

        yield measure


@contextmanager
def read_klines(broker: LocalKafka, folder: Path, code: Path) -> Iterator[Measure]:
    """Measure ``GET /api/v3/klines?limit=1000``."""
    asyncio.run(klines.fill(folder, KLINES_CANDLES))
    settings = {"GROUP_ID": folder.name, **environment(code)}
    with chart_app(broker, folder, **settings) as (child, url):

        def measure(seconds: float) -> Run:
            start = used_s(child.process.pid)
            requests = asyncio.run(_ask(url, seconds))
            return Run((used_s(child.process.pid) - start) / requests * 1e6, requests / seconds)

        yield measure


async def _ask(url: str, seconds: float) -> int:
    end = time.perf_counter() + seconds
    # Compressed, the answers of a commit from before gzip would be compared with others.
    async with aiohttp.ClientSession(url, headers={"Accept-Encoding": "identity"}) as session:

        async def client(number: int) -> int:
            source = random.Random(number)
            requests = 0
            while time.perf_counter() < end:
                query = {
                    "symbol": f"COIN{source.randrange(klines.COINS)}",
                    "interval": source.choice(list(Interval)).value,
                    "limit": "1000",
                }
                async with session.get("/api/v3/klines", params=query) as answer:
                    await answer.read()
                    assert answer.status == 200
                requests += 1
            return requests

        return sum(await asyncio.gather(*map(client, range(KLINES_CLIENTS))))


@contextmanager
def read_trades(broker: LocalKafka, folder: Path, code: Path) -> Iterator[Measure]:
    """Measure chart_app on a topic of trades, from the first log line to the last trade stored."""

    def measure(_seconds: float) -> Run:
        data = Path(tempfile.mkdtemp(dir=folder))
        url = f"sqlite:///{data}/chart.sqlite"
        settings = {
            **consumers.settings(broker, TOPIC, data.name),
            **environment(code),
            "DATABASE_URL": url,
        }
        with running("chart_app", consumers.CHART_APP, settings, data) as child:
            first = wait_logged([child], 1)
            start = used_s(child.process.pid)
            end_s = asyncio.run(wait_stored(url, CONSUME_TRADES, [child]))
            trades = CONSUME_TRADES - first.trades
            return Run(
                (used_s(child.process.pid) - start) / trades * 1e6, trades / (end_s - first.time_s)
            )

    yield measure


JOBS: dict[str, Job] = {
    "http": post,
    "key": partial(post, has_key=True),
    "klines": read_klines,
    "consume": read_trades,
}


def _make_http(broker: LocalKafka) -> None:
    asyncio.run(make_topic(broker, http.TOPIC))


def _make_klines(broker: LocalKafka) -> None:
    asyncio.run(make_topic(broker, TOPIC))


def _make_consume(broker: LocalKafka) -> None:
    asyncio.run(fill(broker, TOPIC, CONSUME_TRADES))


PREPARATIONS = {
    "http": _make_http,
    "key": _make_http,
    "klines": _make_klines,
    "consume": _make_consume,
}


def conclude(pairs: Sequence[tuple[Run, Run]]) -> None:
    """Print the medians, and the ratios with their intervals."""
    rows = []
    for what, name in (("CPU, µs each", "cpu_us"), ("each s", "per_s")):
        before = [getattr(pair[0], name) for pair in pairs]
        after = [getattr(pair[1], name) for pair in pairs]
        ratios = [late / early for early, late in zip(before, after, strict=True)]
        low, high = interval(ratios)
        rows.append(
            [
                what,
                f"{median(before):,.1f}",
                f"{median(after):,.1f}",
                f"{median(ratios):.3f}",
                f"{low:.3f} to {high:.3f}",
            ]
        )
    print(f"\n{report.table(['', 'before', 'after', 'ratio', '95 % interval'], rows)}")


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """Return the bootstrap confidence interval of the ratios' median."""
    source = random.Random(1)
    medians = sorted(median(source.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    outside = round((1 - CONFIDENCE) / 2 * RESAMPLES)
    return medians[outside], medians[-1 - outside]


def _shown(before: Run, after: Run) -> str:
    return (
        f"CPU {before.cpu_us:.1f} and {after.cpu_us:.1f} µs, "
        f"{before.per_s:,.0f} and {after.per_s:,.0f} a second"
    )


if __name__ == "__main__":
    main()
