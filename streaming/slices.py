"""Cuts a long list into slices, each short enough for one turn of the event loop. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def chunks(items: Sequence[Item], count: int) -> Iterator[Sequence[Item]]:
    """Yield the items in order, ``count`` at a time."""
    for start in range(0, len(items), count):
        yield items[start : start + count]


def slices(
    items: Sequence[Item], count: int, size: int, size_of: Callable[[Sequence[Item]], int]
) -> Iterator[Sequence[Item]]:
    """Yield the items in order, in slices of at most ``count`` items and a total ``size``.

    ``size_of`` returns the total size of some items. An item that is larger is a slice alone.
    """
    for chunk in chunks(items, count):
        yield from _split(chunk, size, size_of)


def _split(
    items: Sequence[Item], size: int, size_of: Callable[[Sequence[Item]], int]
) -> Iterator[Sequence[Item]]:
    if len(items) > 1 and size_of(items) > size:
        middle = len(items) // 2
        yield from _split(items[:middle], size, size_of)
        yield from _split(items[middle:], size, size_of)
    else:
        yield items
