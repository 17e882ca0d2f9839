"""Waiting for conditions, so that no test sleeps for a guessed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")

POLL_INTERVAL_S = 0.05
#: For what must happen at all, however busy the machine is.
PATIENCE_S = 120
ATTEMPTS = 3


def wait_for(condition: Callable[[], Found], what: str, timeout_s: float = PATIENCE_S) -> Found:
    """Return the condition's first true value; fail the test after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(POLL_INTERVAL_S)
    return found


async def eventually(
    condition: Callable[[], Awaitable[Found]], what: str, timeout_s: float = PATIENCE_S
) -> Found:
    """Do as :func:`wait_for`, with a condition that is awaited."""
    deadline = time.monotonic() + timeout_s
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        await asyncio.sleep(POLL_INTERVAL_S)
    return found


async def in_time(limit_s: float, attempt: Callable[[], Awaitable[float]]) -> None:
    """Fail the test if no attempt takes less than ``limit_s``, by the time that it returns.

    A delay of ours is in every attempt. A machine that others use too stalls for seconds,
    but not each time.
    """
    durations: list[float] = []
    for _ in range(ATTEMPTS):
        durations.append(await attempt())
        if durations[-1] < limit_s:
            return
    raise AssertionError(f"took {durations} s, which is to be below {limit_s} s")
