"""What ``klines?timeZone=…&limit=1000`` takes, over SQLite and PostgreSQL.

``python -m bench.zones``: candles that are put together from shorter ones, from the question to the
last byte, and how long all others wait meanwhile: the longest turn of the event loop. Each of the
stored candles that they are made of has a trade. For comparison the same by UTC, as it is stored.
The client runs in the same process.
"""

import argparse
import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import uvloop

from bench import machine, postgresql, report
from bench.coins import Clock, serve, timed
from bench.postgresql import running_postgresql, temporary_database
from bench.processes import end_on_signals
from chart_app.model.intervals import Interval
from chart_app.model.zones import ZonedInterval, parse_offset
from streaming import runtime
from streaming.clock import now_ms
from tests.integration.filled_store import FilledStore, Given

COIN = "BTCUSDT"
LIMIT = 1000
ROUNDS = 15
BATCH = 2000
BAR_TURN_MS = 50.0


class Asked(NamedTuple):
    """What is asked for."""

    interval: Interval
    zone: str

    def __str__(self) -> str:
        return f"{self.interval}, {self.zone}"


#: A month at -05:17 begins and ends within an hour: it is made of as many as one can be.
ASKED = (
    Asked(Interval.H1, "+05:30"),
    Asked(Interval.D1, "+00:00"),
    Asked(Interval.D1, "+09:00"),
    Asked(Interval.MONTH, "+00:00"),
    Asked(Interval.MONTH, "+09:00"),
    Asked(Interval.MONTH, "-05:17"),
)


class Figures(NamedTuple):
    """Times in ms, of each round, and of how many stored candles the answer is made."""

    took: list[float]
    kept: list[float]
    candles: int


def main() -> None:
    """Measure, print the table, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    end_on_signals()
    runtime.set_up()
    now = now_ms()
    found = {}
    with running_postgresql() as server, TemporaryDirectory(prefix="bench-") as folder:
        facts = {
            "machine": machine.describe(),
            "postgresql": asyncio.run(postgresql.settings(server)),
        }
        with temporary_database(server) as url:
            sqlite = f"sqlite:///{Path(folder) / 'chart.sqlite'}"
            for name, address in (("SQLite", sqlite), ("PostgreSQL", url)):
                found[name] = uvloop.run(measure(address, now, arguments.rounds))
                print(f"{name}: measured", flush=True)
    sys.exit(0 if conclude(found, facts) else 1)


def times_of(asked: Asked, now: int) -> list[int]:
    """Return when the stored candles open that the newest buckets are made of."""
    zoned = ZonedInterval(asked.interval, parse_offset(asked.zone) or 0)
    bucket = zoned.open_time(now)
    buckets = zoned.open_times(zoned.back(bucket, LIMIT - 1), bucket + 1)
    if zoned.is_stored:
        return [*buckets]
    return [piece.open_time for bucket in buckets for piece in zoned.pieces(bucket)]


async def measure(url: str, now: int, rounds: int) -> dict[Asked, Figures]:
    """Return the figures of a new store."""
    times = {asked: times_of(asked, now) for asked in ASKED}
    found = {}
    async with FilledStore(url) as store:
        trades = [
            Given(COIN, time, f"{1 + index % 9973}.25", f"{1 + index % 97}.125")
            for index, time in enumerate(sorted({it for some in times.values() for it in some}))
        ]
        for start in range(0, len(trades), BATCH):
            await store.feed(*trades[start : start + BATCH])
        async with serve(store.reader, Clock()) as client:
            for asked in ASKED:
                query = {
                    "symbol": COIN,
                    "interval": asked.interval.value,
                    "timeZone": asked.zone,
                    "limit": str(LIMIT),
                }

                async def ask(query: dict[str, str] = query) -> None:
                    async with client.get("/api/v3/klines", params=query) as answer:
                        assert (await answer.read()).count(b"],[") == LIMIT - 1

                await ask()
                figures = Figures([], [], len(times[asked]))
                for _ in range(rounds):
                    took, kept = await timed(ask)
                    figures.took.append(took)
                    figures.kept.append(kept)
                found[asked] = figures
    return found


def conclude(found: dict[str, dict[Asked, Figures]], facts: dict[str, Any]) -> bool:
    """Print and save the results; return whether we meet the bars."""
    rows, bars, results = [], [], {}
    for store, by_asked in found.items():
        for asked, figures in by_asked.items():
            name = f"{asked}, {store}"
            took, kept = (report.of_rounds(it, 1) for it in (figures.took, figures.kept))
            rows.append(
                [name, f"{figures.candles:,}", f"{took['median']:,.0f}", f"{kept['median']:,.0f}"]
            )
            bars.append(report.at_most(f"{name}: longest turn, ms", kept["median"], BAR_TURN_MS))
            results[name] = {"candles": figures.candles, "ms": took, "longest turn, ms": kept}
    header = [f"{LIMIT:,} klines", "stored candles", "ms, median", "longest turn"]
    print(f"\n{report.table(header, rows)}\n")
    file = report.save("zones", {**facts, "klines": results, "bars": bars})
    return report.print_verdicts(bars, file)


if __name__ == "__main__":
    main()
