"""Latency of ``GET /api/v3/klines?limit=1000`` while trades are consumed.

``python -m bench.klines``: a store of 1,000,000 candles, all intervals; 16 clients send 100
requests a second in total, for 1,000 candles of a random coin and interval, while 5,000 trades a
second are consumed and stored. This is repeated three times.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import aiohttp
from sqlalchemy import URL

from bench import feed, machine, report
from bench.broker import make_topic, running_broker
from bench.chart import TOPIC, chart_app, stored_trades
from bench.processes import end_on_signals, running
from chart_app.model.candles import Candle, CandleKey, Mark
from chart_app.model.intervals import Interval
from chart_app.model.scale import Scale
from chart_app.storage.database import Database
from chart_app.storage.rows import row_writer
from chart_app.storage.writer import StoreWriter

COINS = 20
CANDLES = 1_000_000
CLIENTS = 16
REQUESTS_PER_S = 100
TRADES_PER_S = 5000
ROUNDS = 3
SECONDS = 30
WARM_UP_S = 5
BAR_P99_MS = 50.0
INSERT_ROWS = 10_000


def main() -> None:
    """Measure, print, save the results. Exits with 1 if we miss the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--candles", type=int, default=CANDLES)
    arguments = parser.parse_args()
    end_on_signals()
    with running_broker() as (broker, folder):
        asyncio.run(fill(folder, arguments.candles))
        asyncio.run(make_topic(broker, TOPIC))
        trades = int(TRADES_PER_S * (ROUNDS * arguments.seconds + 4 * WARM_UP_S))
        command = feed.command(broker.bootstrap_server, TOPIC, trades, TRADES_PER_S, COINS)
        with chart_app(broker, folder) as (_, url), running("feed", command, {}, folder):
            asyncio.run(measure(url, WARM_UP_S))
            before = stored_trades(folder)
            start = time.monotonic()
            rounds_ms = [asyncio.run(measure(url, arguments.seconds)) for _ in range(ROUNDS)]
            stored_per_s = (stored_trades(folder) - before) / (time.monotonic() - start)
    sys.exit(0 if conclude(rounds_ms, arguments.candles, stored_per_s) else 1)


async def fill(folder: Path, candles: int) -> None:
    """Create a store with candles up to now."""
    database = Database(URL.create("sqlite", database=str(folder / "chart.sqlite")))
    await StoreWriter(database, store_trades=True).open()
    rows = row_writer(database.dialect)
    batch = {}
    for key, candle in some_candles(candles):
        batch[key] = candle
        if len(batch) == INSERT_ROWS:
            await database.write(lambda connection: rows.put_candles(connection, batch))
            batch.clear()
    await database.write(lambda connection: rows.put_candles(connection, batch))
    scales = {f"COIN{coin}": Scale(2, 3) for coin in range(COINS)}
    await database.write(lambda connection: rows.put_scales(connection, scales))
    await database.close()


def some_candles(count: int) -> Iterator[tuple[CandleKey, Candle]]:
    """Yield candles, equally many of each interval and coin."""
    now_ms = time.time_ns() // 1_000_000
    source = random.Random(1)
    for interval in Interval:
        for coin in range(COINS):
            open_time = interval.open_time(now_ms)
            for _ in range(count // (len(Interval) * COINS)):
                prices = sorted(Decimal(source.randrange(90_000, 110_000)) / 100 for _ in range(4))
                yield (
                    CandleKey(f"COIN{coin}", interval, open_time),
                    Candle(
                        Mark(open_time, 0, 0, prices[1]),
                        Mark(open_time, 1, 1, prices[2]),
                        prices[3],
                        prices[0],
                        Decimal(source.randrange(1_000_000)) / 1000,
                        Decimal(source.randrange(1_000_000_000)) / 100_000,
                        source.randrange(1, 1000),
                    ),
                )
                open_time = interval.back(open_time, 1)


async def measure(url: str, seconds: float) -> list[float]:
    """Return the latencies of requests in ms."""
    times_ms: list[float] = []
    connector = aiohttp.TCPConnector(limit=CLIENTS)
    async with aiohttp.ClientSession(connector=connector) as http:
        end = time.perf_counter() + seconds
        pause = CLIENTS / REQUESTS_PER_S

        async def client(number: int) -> None:
            due = time.perf_counter() + pause * number / CLIENTS
            source = random.Random(number)
            while due < end:
                await asyncio.sleep(max(0, due - time.perf_counter()))
                due += pause
                query = {
                    "symbol": f"COIN{source.randrange(COINS)}",
                    "interval": source.choice(list(Interval)).value,
                    "limit": "1000",
                }
                start = time.perf_counter()
                async with http.get(f"{url}/api/v3/klines", params=query) as answer:
                    assert answer.status == 200, await answer.text()
                    assert (await answer.read()).count(b"],[") == 999
                times_ms.append((time.perf_counter() - start) * 1000)

        await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return times_ms


def conclude(rounds_ms: Sequence[Sequence[float]], candles: int, stored_per_s: float) -> bool:
    """Print and save the results; return whether we meet the bar."""
    of_rounds = [report.percentiles(times_ms, [50, 90, 99]) for times_ms in rounds_ms]
    ms = {
        percent: report.of_rounds([it[percent] for it in of_rounds], 1) for percent in of_rounds[0]
    }
    shown = ", ".join(f"p{percent} {it['median']} ms {it['rounds']}" for percent, it in ms.items())
    requests = sum(map(len, rounds_ms))
    print(
        f"1,000 klines of {candles:,} candles, {requests} requests, while "
        f"{stored_per_s:,.0f} trades/s are stored: {shown}; the bar is p99 {BAR_P99_MS:g} ms"
    )
    bar = report.at_most("1,000 klines, p99 ms", ms[99]["median"], BAR_P99_MS)
    report.save(
        "klines",
        {
            "machine": machine.describe(),
            "candles": candles,
            "requests": requests,
            "requests_per_s": REQUESTS_PER_S,
            "trades_stored_per_s": round(stored_per_s),
            "ms": {f"p{percent}": it for percent, it in ms.items()},
            "bars": [bar],
        },
    )
    return bar["met"]


if __name__ == "__main__":
    main()
