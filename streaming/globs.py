"""Globs: patterns of names in which ``*`` stands for any text and ``?`` for any character. Pure."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

#: Names are cached with the verdict on them: so their length is to be bounded. Clients choose them,
#: so the cache is bounded.
CACHED_VERDICTS_MAX = 4096


@lru_cache(CACHED_VERDICTS_MAX)
def matches_any(globs: tuple[str, ...], name: str) -> bool:
    """Return whether a name matches one of the globs."""
    return any(matches(glob, name) for glob in globs)


def one_of(globs: Sequence[str]) -> Callable[[str], bool] | None:
    """Return what says whether a name matches one of the globs, or None: every name does."""
    return None if "*" in globs else partial(matches_any, tuple(globs))


def matches(glob: str, name: str) -> bool:
    """Return whether a name matches a glob, in at most ``len(glob) * len(name)`` steps."""
    if "?" in glob:
        return _matches_by_character(glob, name)
    first, *rest = glob.split("*")
    if not rest:
        return name == first
    *middle, last = rest
    start, end = len(first), len(name) - len(last)
    if start > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:
        start = name.find(part, start, end)
        if start < 0:
            return False
        start += len(part)
    return True


def _matches_by_character(glob: str, name: str) -> bool:
    at = in_glob = 0
    star: int | None = None
    star_end = 0  # where in the name the text of the last star ends
    while at < len(name):
        if in_glob < len(glob) and glob[in_glob] == "*":
            star, star_end = in_glob, at
            in_glob += 1
        elif in_glob < len(glob) and glob[in_glob] in ("?", name[at]):
            in_glob += 1
            at += 1
        elif star is not None:
            star_end += 1  # only the last star needs to be tried with more text
            in_glob, at = star + 1, star_end
        else:
            return False
    return not glob[in_glob:].strip("*")
