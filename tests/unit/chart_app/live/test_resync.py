import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import pytest

from chart_app.live import resync
from chart_app.live.gaps import LiveGaps, Span
from chart_app.live.resync import GRACE_S, Resync
from chart_app.live.traded_minutes import Minutes
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.reader import Consumed, StoreReader
from chart_app.websocket.hub import Hub
from tests.waiting import eventually


class Store:
    """Says how far it is."""

    def __init__(self) -> None:
        self.stored = {0: 10}
        self.is_away = False

    async def consumed(self) -> list[Consumed]:
        """Return how far it is."""
        if self.is_away:
            raise StoreUnavailable("it is away")
        return [Consumed(log, "tradeData", log, end) for log, end in self.stored.items()]

    async def find(self, gap: Span, place: Consumed) -> Minutes:
        """Play what finds out what was traded, too."""
        if self.is_away:
            raise StoreUnavailable("it is away")
        assert place.partition == gap.partition_id
        return {"BTC": {0}}


class Subscribers:
    """Plays the hub, and keeps what it is to read again."""

    def __init__(self) -> None:
        self.gaps: list[Span] = []
        self.has_subscribers = True

    def reread(self, gap: Span, minutes: Mapping[str, set[int]]) -> None:
        """Keep it."""
        assert minutes == {"BTC": {0}}
        self.gaps.append(gap)


class Clock:
    """Tells the time that it is told."""

    now = 0.0

    def __call__(self) -> float:
        """Tell the time (s)."""
        return self.now


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def readers() -> Subscribers:
    return Subscribers()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def it(
    store: Store, readers: Subscribers, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Resync]:
    """Return one that runs, and looks when it is told to."""
    monkeypatch.setattr(resync, "POLL_INTERVAL_S", 1000)
    monkeypatch.setattr(resync, "RETRY_INTERVAL_S", 0.01)
    it = Resync(LiveGaps(), cast(StoreReader, store), cast(Hub, readers), cast(Any, store), clock)
    await it.start()
    await it.poll()
    yield it
    await it.stop()


async def gaps(readers: Subscribers, count: int = 1) -> list[Span]:
    """Wait for so many gaps to be read."""

    async def enough() -> bool:
        return len(readers.gaps) >= count

    await eventually(enough, f"{count} gaps are read")
    return readers.gaps


async def test_what_was_stored_a_while_ago_and_not_broadcast_is_read(
    it: Resync, store: Store, readers: Subscribers, clock: Clock
) -> None:
    store.stored = {0: 15}
    await it.poll()
    clock.now = GRACE_S - 0.1
    await it.poll()
    await asyncio.sleep(0)
    assert readers.gaps == []
    clock.now = GRACE_S
    await it.poll()
    assert await gaps(readers) == [Span(0, 10, 15)]


async def test_what_is_broadcast_in_time_is_not_read(
    it: Resync, store: Store, readers: Subscribers, clock: Clock
) -> None:
    store.stored = {0: 15, 7: 3}
    await it.poll()
    it.cover([Span(0, 10, 15), Span(7, 0, 3)])
    clock.now = 2 * GRACE_S
    await it.poll()
    await asyncio.sleep(0.01)
    assert readers.gaps == []


async def test_what_the_topic_has_passed_over_is_read_at_once(
    it: Resync, readers: Subscribers
) -> None:
    it.cover([Span(0, 20, 30)])
    assert await gaps(readers) == [Span(0, 10, 20)]


async def test_a_large_gap_is_read_in_pieces(
    it: Resync, readers: Subscribers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resync, "GAP_PAGE", 4)
    it.cover([Span(0, 20, 30)])
    assert await gaps(readers, 3) == [Span(0, 10, 14), Span(0, 14, 18), Span(0, 18, 20)]


async def test_a_partition_that_is_new_is_looked_up(
    it: Resync, store: Store, readers: Subscribers
) -> None:
    store.stored[8] = 30
    it.cover([Span(8, 20, 30)])
    assert await gaps(readers) == [Span(8, 0, 20)]


async def test_a_gap_waits_for_the_store(it: Resync, store: Store, readers: Subscribers) -> None:
    store.is_away = True
    it.cover([Span(0, 20, 30)])
    await asyncio.sleep(0.05)
    assert readers.gaps == []
    store.is_away = False
    assert await gaps(readers) == [Span(0, 10, 20)]


async def test_where_nobody_reads_nothing_is_read(it: Resync, readers: Subscribers) -> None:
    readers.has_subscribers = False
    it.cover([Span(0, 20, 30)])

    async def passed() -> bool:
        return it._gaps.first() is None

    await eventually(passed, "the gap is passed over")
    assert readers.gaps == []


async def test_what_was_stored_before_the_topic_is_read_is_read_from_the_store(
    it: Resync, store: Store, readers: Subscribers
) -> None:
    store.stored = {0: 15}
    store.is_away = True
    following = asyncio.create_task(it.begin_reading())
    await asyncio.sleep(0.05)
    assert not following.done()
    store.is_away = False
    await following
    assert await gaps(readers) == [Span(0, 10, 15)]
    it.cover([Span(0, 15, 20)])
    it.confirm()
    it.cover([Span(0, 20, 25)])
    store.stored = {0: 30}
    await it.begin_reading()
    assert (await gaps(readers, 2))[1:] == [Span(0, 20, 30)]


async def test_a_gap_of_any_length_is_passed_over_at_once_where_nobody_reads(
    it: Resync, readers: Subscribers
) -> None:
    readers.has_subscribers = False
    it.cover([Span(0, 2**41 - 1, 2**41 - 1)])

    async def passed() -> bool:
        return it._gaps.first() is None

    await asyncio.wait_for(eventually(passed, "the gap is passed over"), 5)
