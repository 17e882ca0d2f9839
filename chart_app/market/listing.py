"""Answers about all coins: long ones, which many ask for at the same time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec

from streaming.clock import NowMs
from streaming.http.compression import SharedBody

#: How long an answer is given again.
MAX_AGE_MS = 1000

#: Yields the items of a list, some at a time.
ReadItems = Callable[[], AsyncIterator[Sequence[Any]]]


class Listing:
    """An answer with an item a coin: computed once for all who ask, and kept for a second.

    It is computed anew when the ``revision`` of the store has risen: trades are void. ``wrap``
    returns the content of the answer, given the items.
    """

    def __init__(
        self,
        read: ReadItems,
        revision: Callable[[], Awaitable[int]],
        now_ms: NowMs,
        wrap: Callable[[msgspec.Raw], Any] = lambda items: items,
    ) -> None:
        self._read = read
        self._revision = revision
        self._now_ms = now_ms
        self._wrap = wrap
        #: The computation, which nobody who leaves cancels for the others.
        self._computing: asyncio.Task[SharedBody] | None = None
        #: The revision before it, and the time after it.
        self._computed_of = 0
        self._computed_at_ms = 0

    async def get(self) -> SharedBody:
        """Return the answer as JSON. Raises what reading raises."""
        revision = await self._revision()
        task = self._computing
        if task is None or revision != self._computed_of or self._is_out_of_date(task):
            self._computed_of = revision
            task = self._computing = asyncio.create_task(self._compute())
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End a computation that nobody waits for any more."""
        if self._computing:
            self._computing.cancel()
            await asyncio.wait([self._computing])

    def _is_out_of_date(self, task: asyncio.Task[SharedBody]) -> bool:
        if not task.done():
            return False
        if task.cancelled() or task.exception():
            return True
        return not 0 <= self._now_ms() - self._computed_at_ms < MAX_AGE_MS

    async def _compute(self) -> SharedBody:
        pieces = [msgspec.json.encode(items)[1:-1] async for items in self._read() if items]
        answer = msgspec.json.encode(self._wrap(msgspec.Raw(b"[%b]" % b",".join(pieces))))
        self._computed_at_ms = self._now_ms()
        return SharedBody(answer)
