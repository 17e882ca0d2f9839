"""CPU time of processes, as Linux counts it in ``/proc``."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def used_s(pid: int) -> float:
    """Return the CPU seconds, user and system, of a process and its descendants.

    A descendant that has ended counts once its parent has waited for it.
    """
    return sum(map(_ticks, _tree(pid))) / TICKS_PER_S


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            for child in children.read_text().split():
                yield from _tree(int(child))


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # it has ended
        return 0
    user, system, ended_user, ended_system = stat.rpartition(")")[2].split()[11:15]
    return int(user) + int(system) + int(ended_user) + int(ended_system)
