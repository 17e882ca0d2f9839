import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import pytest

from chart_app.live import corrections
from chart_app.live.corrections import MAX_MINUTES, Corrections
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.reader import StoreReader
from tests.waiting import eventually


class Store:
    """A store whose trades are voided, and that may be away."""

    def __init__(self) -> None:
        self.revision_now = 5
        self.is_away = False
        self.polls = 0
        self.asked: list[tuple[int, int]] = []

    async def revision(self) -> int:
        """Return the revision."""
        self.polls += 1
        if self.is_away:
            raise StoreUnavailable("it is away")
        return self.revision_now

    async def voided_minutes(self, since: int, limit: int) -> list[tuple[str, int]]:
        """Return minutes."""
        self.asked.append((since, limit))
        return [("BTC", 60_000), ("ETH", 0), ("BTC", 0)]


class Subscribers:
    """Subscribers who keep what is to be corrected."""

    has_subscribers = True

    def __init__(self) -> None:
        self.corrected: list[Mapping[str, set[int]]] = []

    def correct(self, minutes: Mapping[str, set[int]]) -> None:
        """Keep the minutes."""
        self.corrected.append(dict(minutes))


@pytest.fixture(autouse=True)
def _short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrections, "POLL_INTERVAL_S", 0.001)


@asynccontextmanager
async def watching(store: Store, subscribers: Subscribers) -> AsyncIterator[None]:
    service = Corrections(cast("StoreReader", store), subscribers)
    async with service:
        yield


async def some_polls(store: Store) -> None:
    before = store.polls

    async def have_been() -> bool:
        return store.polls >= before + 3

    await eventually(have_been, "the store is asked")


async def test_what_is_void_since_is_corrected_once() -> None:
    store, subscribers = Store(), Subscribers()
    async with watching(store, subscribers):
        await some_polls(store)
        assert subscribers.corrected == []
        for revision in (6, 8):
            store.revision_now = revision
            await some_polls(store)
    assert subscribers.corrected == [{"BTC": {0, 60_000}, "ETH": {0}}] * 2
    assert store.asked == [(5, MAX_MINUTES), (6, MAX_MINUTES)]


async def test_a_store_that_is_away_is_asked_again() -> None:
    store, subscribers = Store(), Subscribers()
    store.is_away = True
    async with watching(store, subscribers):
        for is_away, revision in ((True, 6), (False, 6), (True, 7), (False, 7)):
            store.is_away, store.revision_now = is_away, revision
            await some_polls(store)
    assert store.asked == [(6, MAX_MINUTES)]


async def test_without_subscribers_the_store_is_left_alone() -> None:
    store, subscribers = Store(), Subscribers()
    subscribers.has_subscribers = False
    async with watching(store, subscribers):
        store.revision_now = 6
        await asyncio.sleep(0.05)
        assert store.polls == 1
        subscribers.has_subscribers = True
        await some_polls(store)
    assert store.asked == [(5, MAX_MINUTES)], "who came later may have read before"


async def test_a_store_that_was_put_back_is_followed_from_there() -> None:
    store, subscribers = Store(), Subscribers()
    async with watching(store, subscribers):
        for revision in (2, 3):
            store.revision_now = revision
            await some_polls(store)
    assert store.asked == [(2, MAX_MINUTES)]
