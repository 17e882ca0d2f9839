"""Globs: patterns of names, with ``*`` and ``?``. Pure."""

from collections.abc import Callable, Sequence
from functools import lru_cache

#: Names whose answer is cached.
NAMES_KEPT = 4096


def matches(glob: str, name: str) -> bool:
    """Return whether a whole name matches: ``*`` is any text, ``?`` any character, case counts.

    Takes at most ``len(glob) * len(name)`` steps: only the last ``*`` is ever tried again.
    """
    at = place = 0
    star = start = -1
    while place < len(name):
        if at < len(glob) and glob[at] == "*":
            star, start = at, place
            at += 1
        elif at < len(glob) and glob[at] in {"?", name[place]}:
            at += 1
            place += 1
        elif star >= 0:
            start += 1
            at, place = star + 1, start
        else:
            return False
    return not glob[at:].strip("*")


def one_of(globs: Sequence[str]) -> Callable[[str], bool] | None:
    """Return what says whether a name matches one of the globs, or None: every name does.

    It caches the answers for :data:`NAMES_KEPT` names, so their length is to be bounded.
    """
    if "*" in globs:
        return None

    @lru_cache(NAMES_KEPT)
    def match(name: str) -> bool:
        return any(matches(glob, name) for glob in globs)

    return match
