"""How many trades stand in the logs of running consumers."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from math import inf
from typing import NamedTuple

from bench.processes import Child

#: A line of a trade has it. Nothing else is looked for while consumers run, because it costs least.
TRADE_MARK = b" coinName="
POLL_INTERVAL_S = 0.01
START_TIMEOUT_S = 60
STALL_TIMEOUT_S = 60


class Progress(NamedTuple):
    """The number of trades in the logs at a time, in s of the monotonic clock."""

    trades: int
    time_s: float


def wait_logged(consumers: Sequence[Child], trades: int, limit_s: float = inf) -> Progress:
    """Wait until the logs have so many trades, or for ``limit_s``; return what they have.

    Raises BenchFailed if a consumer ends or nothing more is logged.
    """
    count = 0
    rests = [b""] * len(consumers)
    start = time.monotonic()
    deadline = start + START_TIMEOUT_S
    with ExitStack() as stack:
        logs = [stack.enter_context(consumer.log.open("rb")) for consumer in consumers]
        while True:
            before = count
            for index, log in enumerate(logs):
                lines, _, rests[index] = (rests[index] + log.read()).rpartition(b"\n")
                count += lines.count(TRADE_MARK)
            now = time.monotonic()
            if count >= trades or now > start + limit_s:
                return Progress(count, now)
            if count > before:
                deadline = now + STALL_TIMEOUT_S
            for consumer in consumers:
                if now > deadline:
                    raise consumer.failed(f"{count} of {trades} trades are logged")
                consumer.check()
            time.sleep(POLL_INTERVAL_S)
