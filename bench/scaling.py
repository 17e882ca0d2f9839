"""How the cost of a trade depends on the number of coins, its size and the trades per request.

``python -m bench.scaling`` measures ``POST /trades`` over 4 connections and draws two charts. The
load client generates the names of the coins, which costs it more than the trades cost us: only
the ratios of the figures are meaningful.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import load, machine, plot, report
from bench.broker import running_broker
from bench.processes import end_on_signals
from bench.trading import trading_app

CONNECTIONS = 4
ROUNDS = 3
SECONDS = 5.0
WARM_UP_S = 1.0
#: Approximate size of a trade's JSON, padded by the field `note`; unpadded it has 60 bytes.
SMALL_BYTES = 100
LARGE_BYTES = 10_000


class Case(NamedTuple):
    """The content of a request."""

    trades: int = 1_000
    coins: int = 20
    size: int = SMALL_BYTES

    def body(self) -> list[dict[str, object]]:
        """Return the body of the request, with k9's templates."""
        trade: dict[str, object] = {
            "coinName": f"C{{{{ randomInt(1, {self.coins}) }}}}",
            "price": 91234.5,
            "numOfCoin": 0.25,
        }
        trade["note"] = "x" * (self.size - len('{"coinName":"C10","price":,"numOfCoin":,"note":}'))
        return [trade] * self.trades


OVER_COINS = [Case(coins=coins) for coins in (1, 10, 1_000, 100_000)]
OVER_BATCH = [Case(trades=trades) for trades in (1, 10, 100, 1_000, 10_000)]
OVER_SIZE = [Case(trades=100), Case(trades=100, size=LARGE_BYTES)]


def main() -> None:
    """Measure, print the table, draw the charts, save the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    end_on_signals()
    rates: dict[Case, list[float]] = {
        case: [] for case in dict.fromkeys([*OVER_COINS, *OVER_BATCH, *OVER_SIZE])
    }
    with running_broker() as (broker, folder), trading_app(broker, folder) as (_, url):
        for number in range(arguments.rounds + 1):
            seconds = arguments.seconds if number else WARM_UP_S
            for case, found in rates.items():
                per_s = measure(f"{url}/trades", case, seconds, folder)
                if number:
                    found.append(per_s)
                    print(f"round {number}: {case}: {per_s:,.0f} trades/s", flush=True)
    conclude({case: median(found) for case, found in rates.items()})
    sys.exit(0)


def measure(url: str, case: Case, seconds: float, folder: Path) -> float:
    """Return the trades/s of a case."""
    return load.run(url, case.body(), CONNECTIONS, seconds, folder).per_s * case.trades


def conclude(rates: Mapping[Case, float]) -> None:
    """Print and save the results, with the charts."""
    rows = [[f"{case.trades:,}", f"{case.coins:,}", f"{case.size:,}", f"{rate:,.0f}"]
            for case, rate in rates.items()]  # fmt: skip
    print(f"\n{report.table(['trades a request', 'coins', 'bytes', 'trades/s'], rows)}\n")
    report.save(
        "scaling",
        {
            "machine": machine.describe(),
            "connections": CONNECTIONS,
            "trades_per_s": [{**case._asdict(), "rate": round(it)} for case, it in rates.items()],
        },
    )
    plot.save(
        report.RESULTS / "over_batch.svg",
        "trades/s of POST /trades",
        "trades a request",
        [(case.trades, rates[case]) for case in OVER_BATCH],
    )
    plot.save(
        report.RESULTS / "over_coins.svg",
        "trades/s of POST /trades",
        "different coins",
        [(case.coins, rates[case]) for case in OVER_COINS],
    )
    print(f"Charts in {report.RESULTS}")


if __name__ == "__main__":
    main()
