"""Reads about many coins, some at a time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

#: Coins of a piece: what is done about them keeps the event loop for a few ms.
PIECE_COINS = 500
#: Pieces that the database reads while another is being worked on.
PIECES_AHEAD = 2

Item = TypeVar("Item")
Piece = TypeVar("Piece")


async def in_pieces(
    names: Sequence[str], read: Callable[[Sequence[str]], Awaitable[Piece]]
) -> AsyncIterator[Piece]:
    """Yield what is read of the coins, piece by piece, in their order.

    Between two pieces others get their turn.
    """
    starts = iter(range(0, len(names), PIECE_COINS))
    reading: deque[asyncio.Future[Piece]] = deque()

    def read_next() -> None:
        for start in starts:
            reading.append(asyncio.ensure_future(read(names[start : start + PIECE_COINS])))
            return

    for _ in range(PIECES_AHEAD):
        read_next()
    try:
        while reading:
            piece = await reading[0]
            reading.popleft()
            read_next()
            await asyncio.sleep(0)  # the next one is begun
            yield piece
    finally:
        for it in reading:
            it.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


async def in_turns(items: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
    """Yield items, some at a time. Between two pieces others get their turn."""
    for start in range(0, len(items), PIECE_COINS):
        yield items[start : start + PIECE_COINS]
        await asyncio.sleep(0)
