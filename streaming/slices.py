"""Cutting a long list into what is done between two turns of the event loop. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def slices(
    items: Sequence[Item], count: int, size: int, size_of: Callable[[Sequence[Item]], int]
) -> Iterator[Sequence[Item]]:
    """Yield the items in order, at most ``count`` at a time, of at most ``size`` together.

    ``size_of`` tells that of some items. An item that is larger comes alone.
    """
    for start in range(0, len(items), count):
        yield from _halves(items[start : start + count], size, size_of)


def _halves(
    items: Sequence[Item], size: int, size_of: Callable[[Sequence[Item]], int]
) -> Iterator[Sequence[Item]]:
    if len(items) > 1 and size_of(items) > size:
        middle = len(items) // 2
        yield from _halves(items[:middle], size, size_of)
        yield from _halves(items[middle:], size, size_of)
    else:
        yield items
