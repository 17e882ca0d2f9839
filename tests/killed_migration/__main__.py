"""Opens a store, and is killed meanwhile: ``python -m tests.killed_migration URL KIND NUMBER``.

KIND ``step``: by SIGKILL before that step, counted from 0. A step is a statement, a commit, or an
opening, removal or renaming of a file. KIND ``size``: by SIGXFSZ, in the midst of what it writes,
when a file is to be larger than so many bytes; ``size-later``: once it has renamed a file. The exit
code is 0 if it does not come to that.
"""

import asyncio
import os
import resource
import signal
import sys
from itertools import count
from typing import Any

from sqlalchemy import Engine, event, make_url

from chart_app.storage.database import Database
from chart_app.storage.writer import StoreWriter

FILE_EVENTS = {"sqlite3.connect", "os.remove", "os.rename"}


def die_at(step: int) -> None:
    """Kill this process before a step."""
    steps = count()

    def count_step(*_: Any) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def count_file_event(name: str, _: Any) -> None:
        if name in FILE_EVENTS:
            count_step()

    event.listen(Engine, "before_cursor_execute", count_step)
    event.listen(Engine, "commit", count_step)
    sys.addaudithook(count_file_event)


def die_of_size(size: int) -> None:
    """Have this process killed when it makes a file larger than that."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def die_of_size_later(size: int) -> None:
    """Do so as soon as a file has been renamed."""

    def limit(name: str, _: Any) -> None:
        if name == "os.rename":
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    die_of_size(resource.RLIM_INFINITY)
    sys.addaudithook(limit)


async def open_store(url: str) -> None:
    """Open a store as a worker does at its start."""
    database = Database(make_url(url))
    try:
        await StoreWriter(database, store_trades=True).open()
    finally:
        await database.close()


if __name__ == "__main__":
    _, url, kind, number = sys.argv
    kinds = {"step": die_at, "size": die_of_size, "size-later": die_of_size_later}
    kinds[kind](int(number))
    asyncio.run(open_store(url))
