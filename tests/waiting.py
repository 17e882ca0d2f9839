"""Waiting for conditions, so that no test sleeps for a guessed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")

POLL_INTERVAL_S = 0.05


def wait_for(condition: Callable[[], Found], timeout_s: float, what: str) -> Found:
    """Return the condition's first true value; fail the test after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(POLL_INTERVAL_S)
    return found


async def eventually(
    condition: Callable[[], Awaitable[Found]], timeout_s: float, what: str
) -> Found:
    """Do as :func:`wait_for`, with a condition that is awaited."""
    deadline = time.monotonic() + timeout_s
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        await asyncio.sleep(POLL_INTERVAL_S)
    return found
