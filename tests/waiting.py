"""Waiting for conditions, so that no test sleeps for a guessed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")

#: The least and the longest time until a condition is asked for again.
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.4
#: For what must happen at all, however busy the machine is.
PATIENCE_S = 120


def wait_for(condition: Callable[[], Found], what: str, timeout_s: float = PATIENCE_S) -> Found:
    """Return the condition's first true value; fail the test after ``timeout_s``."""
    begin = time.monotonic()
    while not (found := condition()):
        time.sleep(_pause(begin, what, timeout_s))
    return found


async def eventually(
    condition: Callable[[], Awaitable[Found]], what: str, timeout_s: float = PATIENCE_S
) -> Found:
    """Do as :func:`wait_for`, with a condition that is awaited."""
    begin = time.monotonic()
    while not (found := await condition()):
        pause_s = _pause(begin, what, timeout_s)
        await asyncio.sleep(pause_s)
    return found


def _pause(begin: float, what: str, timeout_s: float) -> float:
    """Return how long to wait (s) before the next attempt; fail the test if it has taken too long.

    A tenth of the time until now: what takes long is not asked for a thousand times.
    """
    waited_s = time.monotonic() - begin
    assert waited_s < timeout_s, f"not within {timeout_s} s: {what}"
    return min(max(waited_s / 10, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)


async def in_time(limit_s: float, attempt: Callable[[], Awaitable[float]]) -> None:
    """Fail the test if no attempt takes less than ``limit_s``, by the time that it returns.

    A delay of ours is in every attempt. A machine that others use too stalls for seconds,
    but not each time. Attempts are made for ``PATIENCE_S``.
    """
    durations: list[float] = []
    end = time.monotonic() + PATIENCE_S
    while not durations or time.monotonic() < end:
        durations.append(await attempt())
        if durations[-1] < limit_s:
            return
    raise AssertionError(f"took {durations} s, which is to be below {limit_s} s")
