"""Makes a void, or undoes the first one, and is killed meanwhile.

``python -m tests.killed_void URL STEP COIN``: by SIGKILL, before that statement or commit, counted
from 0; the exit code is 0 if it has fewer. Without a name of a coin, "", it is the undo.
"""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

import asyncpg
from sqlalchemy import Engine, event, make_url

from chart_app.storage.database import SQLITE_ARGUMENTS, Database
from chart_app.storage.voids import Reason, Selection, Voids

REASON = Reason("root", "it was wrong", 1_700_000_000_000)


def die_at(step: int) -> None:
    """Kill this process before a step."""
    steps = count()

    def count_step(*_: Any) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count_step)
    event.listen(Engine, "commit", count_step)
    # What goes straight to the drivers: rows, and what begins and ends transactions.
    for name in ("fetch", "execute"):
        setattr(asyncpg.Connection, name, counted(getattr(asyncpg.Connection, name), count_step))

    class Connection(sqlite3.Connection):
        execute = counted(sqlite3.Connection.execute, count_step)

    SQLITE_ARGUMENTS["factory"] = Connection


def counted(function: Callable[..., Any], count_step: Callable[[], None]) -> Callable[..., Any]:
    """Return a function that counts its calls."""

    def call(*arguments: Any, **options: Any) -> Any:
        count_step()
        return function(*arguments, **options)

    return call


async def run(url: str, coin: str) -> None:
    """Make the void, or undo it."""
    database = Database(make_url(url))
    try:
        if coin:
            await Voids(database).void(Selection(coin, times=(0, 2**60)), REASON)
        else:
            await Voids(database).undo(1, REASON)
    finally:
        await database.close()


if __name__ == "__main__":
    _, url, step, coin = sys.argv
    die_at(int(step))
    asyncio.run(run(url, coin))
