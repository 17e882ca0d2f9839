import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chart_app.market.listing import MAX_AGE_MS, Listing


class Source:
    """Coins that come in two pieces, once they are let."""

    def __init__(self) -> None:
        self.reads = 0
        self.revision = 0
        self.fails = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def read_revision(self) -> int:
        """Return the store's revision."""
        return self.revision

    async def read(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the coins."""
        self.reads += 1
        yield [{"symbol": "A", "read": self.reads}, {"symbol": 'B"'}]
        yield []
        await self.answers.wait()
        if self.fails:
            raise OSError("away")
        yield [{"symbol": "C"}]


class Clock:
    """Stands until it is set."""

    now_ms = 5000

    def __call__(self) -> int:
        """Return the time."""
        return self.now_ms


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listing(source: Source, clock: Clock) -> Listing:
    return Listing(source.read, source.read_revision, clock)


async def test_the_pieces_are_one_list(listing: Listing) -> None:
    expected = [{"symbol": "A", "read": 1}, {"symbol": 'B"'}, {"symbol": "C"}]
    assert json.loads(await listing.get()) == expected


async def test_no_coins_are_an_empty_list(clock: Clock) -> None:
    async def read() -> AsyncIterator[list[str]]:
        for _ in ():
            yield []

    assert await Listing(read, Source().read_revision, clock).get() == b"[]"


async def test_the_list_may_be_a_part_of_the_answer(source: Source, clock: Clock) -> None:
    listing = Listing(
        source.read, source.read_revision, clock, lambda items: {"at": clock(), "items": items}
    )
    answer = json.loads(await listing.get())
    assert answer["at"] == clock.now_ms
    assert [it["symbol"] for it in answer["items"]] == ["A", 'B"', "C"]


async def test_all_who_ask_at_once_get_the_same(listing: Listing, source: Source) -> None:
    first, *others = await asyncio.gather(*(listing.get() for _ in range(50)))
    assert source.reads == 1
    assert all(answer is first for answer in others)


async def test_an_answer_is_kept_for_a_second(
    listing: Listing, source: Source, clock: Clock
) -> None:
    first = await listing.get()
    clock.now_ms += MAX_AGE_MS - 1
    assert await listing.get() is first
    clock.now_ms += 1
    assert json.loads(await listing.get())[0]["read"] == 2
    clock.now_ms -= 1  # somebody has set the clock back
    await listing.get()
    assert source.reads == 3


async def test_an_answer_is_not_kept_when_trades_are_void(listing: Listing, source: Source) -> None:
    source.answers.clear()
    before = asyncio.create_task(listing.get())
    await asyncio.sleep(0.01)
    source.revision = 1
    after = asyncio.create_task(listing.get())
    await asyncio.sleep(0.01)
    source.answers.set()
    assert json.loads(await before)[0]["read"] == 1
    assert json.loads(await after)[0]["read"] == 2
    assert await listing.get() is await after


async def test_who_leaves_does_not_end_it_for_the_others(listing: Listing, source: Source) -> None:
    source.answers.clear()
    leaving, staying = (asyncio.create_task(listing.get()) for _ in range(2))
    await asyncio.sleep(0.01)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    source.answers.set()
    assert len(json.loads(await staying)) == 3
    assert source.reads == 1


async def test_a_failure_is_told_to_all_and_not_kept(listing: Listing, source: Source) -> None:
    source.fails = True
    answers = await asyncio.gather(*(listing.get() for _ in range(3)), return_exceptions=True)
    assert [type(it) for it in answers] == [OSError] * 3
    source.fails = False
    assert len(json.loads(await listing.get())) == 3
    assert source.reads == 2


async def test_it_can_be_closed_at_any_time(listing: Listing, source: Source) -> None:
    await listing.close()
    source.answers.clear()
    asking = asyncio.create_task(listing.get())
    await asyncio.sleep(0.01)
    await listing.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
