"""Memory of chart_app while it consumes 5,000,000 trades of 200 coins.

``python -m bench.chart_memory`` samples the resident memory four times a second.
"""

import argparse
import asyncio
import sys
import time

from bench import feed, machine, report
from bench.broker import make_topic, running_broker
from bench.chart import TOPIC, chart_app, stored_trades
from bench.machine import resident_mb
from bench.processes import end_on_signals, running

TRADES = 5_000_000
COINS = 200
POLL_INTERVAL_S = 0.25
STALL_TIMEOUT_S = 60
BAR_MB = 250
#: How far the maximum of the second half may exceed that of the first, as a fraction of the latter.
BAR_GROWTH = 0.1


def main() -> None:
    """Measure, print, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=TRADES)
    trades = parser.parse_args().trades
    end_on_signals()
    with running_broker() as (broker, folder):
        asyncio.run(make_topic(broker, TOPIC))
        command = feed.command(broker.bootstrap_server, TOPIC, trades, 0, COINS)
        with chart_app(broker, folder, LOG_LEVEL="WARNING") as (child, _):
            before_mb = resident_mb(child.process.pid)
            start = time.monotonic()
            samples: list[tuple[int, float]] = []
            with running("feed", command, {}, folder):
                stored, deadline = 0, start + STALL_TIMEOUT_S
                while stored < trades:
                    time.sleep(POLL_INTERVAL_S)
                    now = stored_trades(folder)
                    if now > stored:
                        stored, deadline = now, time.monotonic() + STALL_TIMEOUT_S
                    elif time.monotonic() > deadline:
                        raise child.failed(f"it stands at {stored} of {trades} trades")
                    samples.append((stored, resident_mb(child.process.pid)))
            seconds = time.monotonic() - start
    sys.exit(0 if conclude(samples, trades, before_mb, seconds) else 1)


def conclude(
    samples: list[tuple[int, float]], trades: int, before_mb: float, seconds: float
) -> bool:
    """Print and save the results; return whether we meet the bars."""
    first = max(mb for stored, mb in samples if stored <= trades / 2)
    second = max(mb for stored, mb in samples if stored > trades / 2)
    print(
        f"chart_app, {trades:,} trades of {COINS} coins in {seconds:.0f} s: {before_mb:.0f} MB "
        f"before, at most {first:.0f} MB in the first half, {second:.0f} MB in the second; "
        f"the bar is {BAR_MB} MB, and flat"
    )
    report.save(
        "chart_memory",
        {
            "machine": machine.describe(),
            "trades": trades,
            "coins": COINS,
            "seconds": round(seconds),
            "mb": {
                "before": round(before_mb),
                "first_half": round(first),
                "second_half": round(second),
            },
            "bars": [
                report.at_most("memory of chart_app, MB", max(first, second), BAR_MB),
                report.at_most("its second half, times the first", second / first, 1 + BAR_GROWTH),
            ],
        },
    )
    return max(first, second) < BAR_MB and second <= first * (1 + BAR_GROWTH)


if __name__ == "__main__":
    main()
