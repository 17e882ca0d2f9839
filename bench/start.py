"""Start of chart_app beside that of an empty Faust worker; takeover of a worker's partitions.

``python -m bench.start``: the start is measured from the start of the process to the first trade
in its log, which waits on the topic; the Faust worker is ``bench/peers/stock_faust.py``. Both
have run before, so their topics exist. For the takeover two chart_app share a group and a store;
one is killed, or sent SIGTERM, and the time ends when the other has logged a newer trade of each
of its partitions.
"""

import argparse
import asyncio
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from statistics import median

from aiokafka import AIOKafkaProducer

import trade_rules
from bench import chart, feed, machine, report
from bench.broker import COINS, PARTITIONS, make_topic, running_broker
from bench.chart import TOPIC, chart_app
from bench.processes import BenchFailed, Child, end_on_signals, running
from dev.local_kafka import LocalKafka, free_port
from settings import Settings
from streaming.app import HEARTBEAT_INTERVAL_S
from trade_rules import TradeMessage

ROUNDS = 5
TAKEOVERS = 3
TRADES_PER_S = 200
POLL_INTERVAL_S = 0.005
#: Of logs in which each line has its time.
LOG_INTERVAL_S = 0.1
START_TIMEOUT_S = 60
TAKEOVER_TIMEOUT_S = 60
#: For two workers to share the partitions, and for how long they must have shared them.
SHARE_TIMEOUT_S = 60
SHARE_S = 2.0

OURS = "chart_app"
STOCK_FAUST = "empty Faust worker"
RATIO_BAR = 1.5
SESSION_TIMEOUT_S = float(Settings.model_fields["kafka_session_timeout"].default)
TAKEOVER_BARS_S = {signal.SIGKILL: SESSION_TIMEOUT_S + 1, signal.SIGTERM: 2.0}

#: What both contenders' lines have.
TRADE_MARK = b" coinName="
TRADE_LINE = re.compile(
    r"^(\S+Z) INFO chart_app\.trades trade topic=\S+ partition=(\d+) ", re.MULTILINE
)


def main() -> None:
    """Measure, print, save the results. Exits with 1 if we miss a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--takeovers", type=int, default=TAKEOVERS)
    arguments = parser.parse_args()
    end_on_signals()
    with running_broker() as (broker, folder):
        asyncio.run(make_topic(broker, TOPIC))
        starts_s = measure_starts(broker, folder, arguments.rounds)
        takeovers_s = measure_takeovers(broker, folder, arguments.takeovers)
    sys.exit(0 if conclude(starts_s, takeovers_s) else 1)


def measure_starts(broker: LocalKafka, folder: Path, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each start, by contender."""
    contenders: dict[str, Callable[[], tuple[list[str], Mapping[str, str]]]] = {
        STOCK_FAUST: lambda: stock_faust(broker, folder),
        OURS: lambda: (chart.COMMAND, chart.environment(broker, folder, free_port())),
    }
    starts_s: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            asyncio.run(send_trade(broker))
            command, environment = contender()
            start = time.monotonic()
            with running(name.replace(" ", "_"), command, environment, folder) as child:
                wait_for_trade(child)
                seconds = time.monotonic() - start
            if number:  # the first one created the topics
                starts_s[name].append(seconds)
                print(f"round {number}: start of {name}: {seconds:.2f} s", flush=True)
    return starts_s


async def send_trade(broker: LocalKafka) -> None:
    """Send a trade that both contenders can read."""
    trade = TradeMessage(COINS[0], Decimal(1), Decimal(1), tradeId=1)
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_server) as producer:
        await producer.send_and_wait(TOPIC, trade_rules.encode(trade), key=COINS[0].encode())


def stock_faust(broker: LocalKafka, folder: Path) -> tuple[list[str], Mapping[str, str]]:
    """Return the command and the environment of the Faust worker, with its web server."""
    options = ["--loop", "uvloop", "--datadir", str(folder / "faust")]
    worker = ["worker", "--loglevel", "info", "--web-port", str(free_port())]
    return (
        [sys.executable, "-m", "faust", "-A", "bench.peers.stock_faust", *options, *worker],
        {"BROKER": broker.bootstrap_server, "TOPIC": TOPIC, "GROUP": "stock-faust"},
    )


def wait_for_trade(child: Child) -> None:
    """Wait for the first trade in a log. Raises BenchFailed."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while TRADE_MARK not in child.log.read_bytes():
        child.check()
        if time.monotonic() > deadline:
            raise child.failed("it has logged no trade")
        time.sleep(POLL_INTERVAL_S)


def measure_takeovers(
    broker: LocalKafka, folder: Path, rounds: int
) -> dict[signal.Signals, list[float]]:
    """Return the seconds of each takeover, by the signal that ended the other worker."""
    takeovers_s: dict[signal.Signals, list[float]] = {number: [] for number in TAKEOVER_BARS_S}
    with ExitStack() as stack:
        endless = feed.command(
            broker.bootstrap_server, TOPIC, sys.maxsize, TRADES_PER_S, len(COINS)
        )
        stack.enter_context(running("feed", endless, {}, folder))
        for round_number in range(1, rounds + 1):
            for number, seconds in takeovers_s.items():
                with two_workers(broker, folder, f"{round_number}-{number.name}") as workers:
                    # The next heartbeat, by which the other learns of the rebalance, would always
                    # be equally far.
                    time.sleep(HEARTBEAT_INTERVAL_S * (round_number - 1) / rounds)
                    seconds.append(take_over(*workers, number))
                print(f"round {round_number}: after {number.name}: {seconds[-1]:.2f} s", flush=True)
    return takeovers_s


@contextmanager
def two_workers(broker: LocalKafka, folder: Path, name: str) -> Iterator[tuple[Child, Child]]:
    """Run two chart_app that share the group and the store, each with partitions."""
    with ExitStack() as stack:
        workers = []
        for number in (1, 2):
            own = folder / f"{name}-{number}"
            own.mkdir()
            shared = {"DATA_DIR": str(folder)}
            workers.append(stack.enter_context(chart_app(broker, own, **shared))[0])
        first, second = workers
        deadline = time.monotonic() + SHARE_TIMEOUT_S
        while not share(first, second):
            if time.monotonic() > deadline:
                raise first.failed("the partitions are not shared")
            time.sleep(SHARE_S / 2)
        yield first, second


def share(first: Child, second: Child) -> bool:
    """Return whether both have logged only partitions of their own of late, together all."""
    since = time.time() - SHARE_S
    one, other = read_log(first, since).keys(), read_log(second, since).keys()
    return bool(one and other) and not one & other and len(one | other) == PARTITIONS


def take_over(ending: Child, other: Child, number: signal.Signals) -> float:
    """End one worker; return the seconds until the other has logged trades of its partitions."""
    lost = read_log(ending, time.time() - SHARE_S).keys()
    start = time.time()
    ending.process.send_signal(number)
    while not lost <= (found := read_log(other, start)).keys():
        other.check()
        if time.time() - start > TAKEOVER_TIMEOUT_S:
            raise BenchFailed(f"{lost - found.keys()} was not taken over")
        time.sleep(LOG_INTERVAL_S)
    return max(found[partition] for partition in lost) - start


def read_log(child: Child, since: float) -> dict[int, float]:
    """Return when the first trade since a time was logged, in s, by partition."""
    found: dict[int, float] = {}
    for moment, partition in TRADE_LINE.findall(child.log.read_text()):
        time_s = datetime.fromisoformat(moment).timestamp()
        if time_s >= since:
            found.setdefault(int(partition), time_s)
    return found


def conclude(
    starts_s: dict[str, list[float]], takeovers_s: dict[signal.Signals, list[float]]
) -> bool:
    """Print and save the results; return whether we meet the bars."""
    ratio = median(starts_s[OURS]) / median(starts_s[STOCK_FAUST])
    verdicts = [
        report.at_most(f"start to first trade logged, of {STOCK_FAUST}", ratio, RATIO_BAR),
        *(
            report.at_most(
                f"slowest takeover after {number.name}, s", max(takeovers_s[number]), bar
            )
            for number, bar in TAKEOVER_BARS_S.items()
        ),
    ]
    file = report.save(
        "start",
        {
            "machine": machine.describe(),
            "start_s": {name: report.of_rounds(it, 2) for name, it in starts_s.items()},
            "session_timeout_s": SESSION_TIMEOUT_S,
            "takeover_s": {
                number.name: report.of_rounds(it, 2) for number, it in takeovers_s.items()
            },
            "bars": verdicts,
        },
    )
    return report.print_verdicts(verdicts, file)


if __name__ == "__main__":
    main()
