import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest

from chart_app.storage import gate
from chart_app.storage.database import Database
from chart_app.storage.errors import StoreError, StoreUnavailable, WrongStore
from chart_app.storage.gate import StoreGate
from chart_app.storage.writer import StoreWriter
from streaming.deadlines import HELD_UP_S
from tests.waiting import eventually


def gate_of(*results: StoreError | None) -> StoreGate:
    """Return the gate of a store whose opening has these results."""
    writer = AsyncMock()
    writer.open.side_effect = results
    return StoreGate(cast(StoreWriter, writer), cast(Database, AsyncMock()))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RETRY_INTERVAL_S", 0)


async def test_the_gate_opens_once_the_store_is_there(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    store_gate = gate_of(StoreUnavailable("locked"), StoreUnavailable("locked"), None)
    assert store_gate.check() == "the store has not answered yet"
    await store_gate.on_start()
    assert store_gate.check() is None
    assert caplog.messages == ["the store does not answer: locked", "The store answers"]


async def test_a_store_that_is_not_ours_ends_the_program() -> None:
    with pytest.raises(SystemExit):
        await gate_of(WrongStore("it has version 7")).on_start()


async def test_the_connections_are_closed_at_the_end() -> None:
    store_gate = gate_of()
    await store_gate.on_stop()
    cast(AsyncMock, store_gate._database).close.assert_awaited_once()


@pytest.mark.parametrize("is_held_up", [False, True])
async def test_what_holds_this_program_up_is_not_put_down_to_the_store(
    is_held_up: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gate, "PING_INTERVAL_S", 0.01)
    asked = 0

    @asynccontextmanager
    async def connect() -> AsyncIterator[Any]:
        nonlocal asked
        asked += 1
        if asked == 2:
            monkeypatch.setattr(gate, "PING_TIMEOUT_S", 60)  # of the next one
            if is_held_up:
                time.sleep(2 * HELD_UP_S)  # noqa: ASYNC251
            raise TimeoutError
        yield AsyncMock()

    async def is_asked_again() -> bool:
        return asked > 3

    database = SimpleNamespace(reader=SimpleNamespace(connect=connect), close=AsyncMock())
    writer = AsyncMock()
    monkeypatch.setattr(gate, "PING_TIMEOUT_S", 0)
    async with StoreGate(cast(StoreWriter, writer), cast(Database, database)):
        await eventually(is_asked_again, "it is asked again")
    told = [line for line in caplog.messages if "the store does not answer" in line]
    assert bool(told) is not is_held_up
