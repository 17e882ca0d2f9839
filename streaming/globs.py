"""Globs: patterns of names, with ``*`` and ``?``. Pure."""

from collections.abc import Sequence
from functools import lru_cache

GLOB_MAX_CHARS = 64
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


class Globs:
    """Several globs, of which one is to match."""

    def __init__(self, globs: Sequence[str]) -> None:
        self._globs = tuple(globs)
        self._match_all = "*" in self._globs
        self._match = lru_cache(NAMES_KEPT)(self._matches)

    def match(self, name: str) -> bool:
        """Return whether a name matches one of the globs."""
        return self._match_all or self._match(name)

    def _matches(self, name: str) -> bool:
        return any(matches(glob, name) for glob in self._globs)
