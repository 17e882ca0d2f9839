"""Few trades in one statement of PostgreSQL: exact whatever else happens to the same rows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest
from faust.types import TP

from chart_app.storage.errors import StoreUnavailable, Superseded, WrongStore
from chart_app.storage.rebuild import Rebuild
from chart_app.storage.rows.postgresql import CAREFUL_TRANSACTIONS, ONE_STATEMENT_TRADES
from chart_app.storage.write_batch import Change
from tests.integration.filled_store import FilledStore, Given
from tests.waiting import eventually

START = 1_682_882_400_000
COINS = ("BTC", "ETH")
#: Afterwards the worker knows the coins and their scales.
FIRST = [Given(coin, START, "1.25", "0.5") for coin in COINS]
FEW = [Given(coin, START + number, "1.75") for number in range(3) for coin in COINS]

LOCK_BTC = "UPDATE candles SET trades = trades WHERE coin = 'BTC'"
LOCK_ETH = "UPDATE candles SET trades = trades WHERE coin = 'ETH'"
MOVE_ON = "UPDATE partitions SET next_offset = next_offset + 1 WHERE id = {}"
TRADES = "SELECT coalesce(sum(trades), 0) FROM candles WHERE \"interval\" = '1M'"
BACKENDS_THAT_WAIT = """SELECT pid FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()"""


class Ways:
    """Counts the ways by which a worker's transactions go."""

    def __init__(self, store: FilledStore, patch: pytest.MonkeyPatch) -> None:
        self.at_once = 0
        self.in_steps = 0
        write, write_at_once = store.database.write, store.database.write_at_once

        async def count_write(function: Any, **options: Any) -> Any:
            self.in_steps += "snapshot" not in options  # which are rebuild's
            return await write(function, **options)

        async def count_write_at_once(*statement: Any) -> Any:
            self.at_once += 1
            return await write_at_once(*statement)

        patch.setattr(store.database, "write", count_write)
        patch.setattr(store.database, "write_at_once", count_write_at_once)

    @property
    def counted(self) -> tuple[int, int]:
        """Return how many there were at once, and in steps."""
        return self.at_once, self.in_steps


@pytest.fixture
async def store(postgresql_url: str) -> AsyncIterator[FilledStore]:
    """Return a store with a trade of each coin."""
    async with FilledStore(postgresql_url) as store:
        await store.feed(*FIRST)
        yield store


@pytest.fixture
def ways(store: FilledStore, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Count the ways of what is stored after the first trades."""
    return Ways(store, monkeypatch)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)  # type: ignore[no-untyped-call]
    yield connection
    await connection.close()


@pytest.fixture
async def other(postgresql_url: str) -> AsyncIterator[Any]:
    """Return a connection to the database."""
    async with connected(postgresql_url) as connection:
        yield connection


async def content(other: Any) -> list[list[Any]]:
    """Return all rows that transactions change, but for coins."""
    queries = ("SELECT * FROM partitions", "SELECT * FROM trades", "SELECT * FROM candles")
    return [sorted(map(repr, await other.fetch(query))) for query in queries]


async def check(store: FilledStore, trades: int) -> None:
    """Check that so many trades are stored, and that the candles are theirs."""
    rebuild = Rebuild(store.database, repair=False)
    assert [it async for it in rebuild.run(None)] == []
    async with store.database.reader.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM trades")).scalar() == trades
        assert (await connection.exec_driver_sql(TRADES)).scalar() == trades


async def test_few_trades_go_by_one_statement(store: FilledStore, ways: Ways) -> None:
    change = await store.feed(*FEW)
    assert ways.counted == (1, 0)
    assert len(change.trades) == len(FEW)
    assert {(key.coin, it.trades) for key, it in change.candles.items()} == {("BTC", 4), ("ETH", 4)}
    await check(store, len(FIRST + FEW))


async def test_candles_only_go_by_one_statement_whatever_the_number(
    store: FilledStore, ways: Ways, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.writer, "_store_trades", False)
    many = FEW * ONE_STATEMENT_TRADES
    await store.feed(*many)
    assert ways.counted == (1, 0)
    assert await other.fetchval("SELECT count(*) FROM trades") == len(FIRST)
    assert await other.fetchval(TRADES) == len(FIRST + many)

    await other.execute(MOVE_ON.format(0))
    before = await content(other)
    with pytest.raises(Superseded):
        await store.feed(*FEW)
    assert await content(other) == before


@pytest.mark.parametrize(
    "trades",
    [
        pytest.param([Given("BTC", START, "1")] * (ONE_STATEMENT_TRADES + 1), id="many"),
        pytest.param([Given("NEW", START, "1")], id="a new coin"),
        pytest.param([Given("BTC", START, "1.125")], id="a larger scale"),
    ],
)
async def test_what_needs_more_goes_in_steps(
    store: FilledStore, ways: Ways, trades: Sequence[Given]
) -> None:
    await store.feed(*trades)
    assert ways.counted == (0, 1)
    await store.feed(*trades[:1])
    assert ways.counted == (1, 1)
    await check(store, len(FIRST) + len(trades) + 1)


async def test_a_partition_that_another_worker_has_moved_stops_all_partitions(
    store: FilledStore, ways: Ways, other: Any, postgresql_url: str
) -> None:
    async with FilledStore(postgresql_url, TP("tradeData", 1)) as second:
        batches = store.write_batch(FEW), second.write_batch(FEW)
        await other.execute(MOVE_ON.format(1))
        before = await content(other)
        with pytest.raises(Superseded, match="partition=1"):
            await store.writer.apply(*batches)
        assert ways.counted == (1, 1)
        assert await content(other) == before


async def test_a_fence_that_is_moved_while_the_statement_waits_for_it(
    store: FilledStore, ways: Ways, other: Any
) -> None:
    async with other.transaction():
        await other.execute(MOVE_ON.format(0))
        storing = asyncio.create_task(store.feed(*FEW))
        await waits(other)
    with pytest.raises(Superseded):
        await storing
    assert ways.counted == (1, 1)
    await check(store, len(FIRST))


async def test_trades_that_are_not_new_are_left_out(store: FilledStore, ways: Ways) -> None:
    repeated = Given("BTC", START + 5, "1.5", id="a")
    await store.feed(repeated)
    change = await store.feed(*FEW, repeated, Given("BTC", START + 6, "1.5", id="b"))
    assert change.trades.sender_ids == (None,) * len(FEW) + ("b",)
    assert ways.counted == (2, 1)  # the conflict of COPY is repeated within the database's write
    await check(store, len(FIRST) + len(FEW) + 2)

    for number in range(CAREFUL_TRANSACTIONS):
        await store.feed(Given("BTC", START + number, "1"))
    assert ways.at_once == 3


@pytest.mark.parametrize(
    "migration", [None, "ALTER TABLE candles RENAME COLUMN trades TO number"], ids=["", "renamed"]
)
async def test_a_store_that_was_migrated_is_said_to_be(
    store: FilledStore, other: Any, migration: str | None
) -> None:
    await store.feed(*FEW)
    async with other.transaction():
        await other.execute("UPDATE store SET version = 99")
        if migration:
            await other.execute(migration)
    before = await content(other)
    with pytest.raises(WrongStore, match="version 99"):
        await store.feed(*FEW)
    assert await content(other) == before


async def test_a_candle_that_another_transaction_changes_is_waited_for(
    store: FilledStore, ways: Ways, other: Any
) -> None:
    async with other.transaction():
        await other.execute("UPDATE candles SET trades = trades + 10 WHERE coin = 'BTC'")
        storing = asyncio.create_task(store.feed(*FEW))
        await waits(other)
    change = await storing
    assert ways.counted == (1, 0)
    assert {it.trades for key, it in change.candles.items() if key.coin == "BTC"} == {14}


async def test_a_deadlock_is_tried_again_in_steps(
    postgresql_url: str, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await other.execute("SET deadlock_timeout = '1h'")  # so that the worker finds out
    async with FilledStore(postgresql_url) as store, connected(postgresql_url) as third:
        await store.feed(*FIRST)
        ways = Ways(store, monkeypatch)
        async with other.transaction():
            await other.execute(LOCK_ETH)
            async with third.transaction():
                await third.execute(LOCK_BTC)
                storing = asyncio.create_task(store.feed(*FEW))
                await waits(third)
                asking = asyncio.create_task(
                    other.execute("UPDATE partitions SET next_offset = next_offset")
                )
                await waits(third, 2)
            # Now the worker has what it waited for, and waits for who waits for it.
            await asking
        await storing
        assert ways.counted == (1, 1)
        await check(store, len(FIRST + FEW))


async def test_a_server_that_ends_the_statement_is_not_asked_again_at_once(
    store: FilledStore, ways: Ways, other: Any
) -> None:
    async with other.transaction():
        await other.execute(LOCK_BTC)
        storing = asyncio.create_task(store.feed(*FEW))
        await other.execute("SELECT pg_terminate_backend($1)", await waits(other))
        with pytest.raises(StoreUnavailable):
            await storing
    assert ways.counted == (1, 0)
    await check(store, len(FIRST))
    await store.feed(*FEW)
    assert ways.counted == (2, 0)
    await check(store, len(FIRST + FEW))


async def test_workers_with_the_same_coins_and_ids_count_each_trade_once(
    postgresql_url: str,
) -> None:
    workers = 3
    rounds = 150

    async def work(store: FilledStore) -> list[Change]:
        return [
            await store.feed(
                *(Given(coin, START + number, "1.5") for coin in COINS),
                *(
                    Given(coin, START + number, "2", id=f"x{number}")
                    for coin in COINS[: number % 3]
                ),
            )
            for number in range(rounds)
        ]

    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(FilledStore(postgresql_url, TP("tradeData", number)))
            for number in range(workers)
        ]
        changes = await asyncio.gather(*map(work, stores))
        ids = [id_ for worker in changes for it in worker for id_ in it.trades.ids]
        assert len(ids) == len(set(ids))
        repeated = sum(min(number % 3, len(COINS)) for number in range(rounds))
        assert len(ids) == workers * rounds * len(COINS) + repeated
        await check(stores[0], len(ids))


async def waits(connection: Any, count: int = 1) -> int:
    """Wait until so many transactions of the database wait for a lock; return a process id."""

    async def found() -> Any:
        rows = await connection.fetch(BACKENDS_THAT_WAIT)
        return rows if len(rows) == count else None

    rows: list[Any] = await eventually(found, f"{count} statements wait")
    return int(rows[0]["pid"])
