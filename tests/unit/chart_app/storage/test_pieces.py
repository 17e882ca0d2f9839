import asyncio
from collections.abc import Sequence

import pytest

from chart_app.storage import pieces
from chart_app.storage.pieces import PIECES_AHEAD, in_pieces, in_turns

NAMES = [f"COIN{number}" for number in range(10)]


class Source:
    """Returns what it is asked for, once it is let."""

    def __init__(self) -> None:
        self.asked: list[Sequence[str]] = []
        self.cancelled = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def read(self, names: Sequence[str]) -> Sequence[str]:
        """Return the names."""
        self.asked.append(names)
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return names


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_COINS", 3)


async def test_all_are_read_in_their_order() -> None:
    found = [piece async for piece in in_pieces(NAMES, Source().read)]
    assert found == [NAMES[:3], NAMES[3:6], NAMES[6:9], NAMES[9:]]
    assert [piece async for piece in in_pieces([], Source().read)] == []
    assert [piece async for piece in in_turns(NAMES)] == found


async def test_the_next_pieces_are_read_meanwhile_and_no_more() -> None:
    source = Source()
    async for piece in in_pieces(NAMES, source.read):
        worked_on = NAMES.index(piece[0]) // 3 + 1
        assert len(source.asked) == min(worked_on + PIECES_AHEAD, 4)


async def test_others_get_their_turn() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    for number, pieces_read in enumerate((in_pieces(NAMES, Source().read), in_turns(NAMES))):
        async for _ in pieces_read:
            pass
        assert turns >= 4 * (number + 1)
    running.cancel()


async def test_who_is_cancelled_leaves_nothing_running() -> None:
    source = Source()
    source.answers.clear()

    async def read() -> None:
        async for _ in in_pieces(NAMES, source.read):
            pass

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert source.cancelled == PIECES_AHEAD


async def test_what_reading_raises_is_raised_and_the_rest_is_not_read() -> None:
    asked = []

    async def read(names: Sequence[str]) -> Sequence[str]:
        asked.append(names)
        raise OSError(names[0])

    with pytest.raises(OSError, match="COIN0"):
        async for _ in in_pieces(NAMES, read):
            pass
    assert len(asked) == PIECES_AHEAD
