"""What the store refuses to store: coins too many or alike, and ids of other trades."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import pytest
from faust.types import TP
from sqlalchemy.util import await_only

from chart_app.model.refusals import Reason
from chart_app.model.trade_ids import split
from chart_app.storage.errors import Refused
from chart_app.storage.rows.postgresql import PostgreSQLRows
from chart_app.storage.write_batch import WriteBatch
from chart_app.storage.writer import StoreWriter
from tests.integration.databases import PostgreSQL, SQLite, TestedDatabase
from tests.integration.filled_store import TRADE_DATA, FilledStore, Given
from tests.postgresql_server import PostgreSQLServer

NOW_MS = 1_700_000_000_000
MAX_COINS = 5


def given(coin: str, price: str = "1", *, amount: str = "1", id_: str | None = None) -> Given:
    return Given(coin, NOW_MS, price, amount, id_)


class Store(FilledStore):
    """A store that takes few coins."""

    def __init__(self, url: str, tp: TP = TRADE_DATA, *, store_trades: bool = True) -> None:
        super().__init__(url, tp)
        self.writer = StoreWriter(self.database, store_trades=store_trades, max_coins=MAX_COINS)
        self.tries = 0

    async def try_to_feed(self, *trades: Given) -> list[tuple[int, Reason, str]]:
        """Store trades, without those that are refused at the first try; return these."""
        batch = self.write_batch(trades)
        refused = await self._refused(batch)
        self.tries += 1
        if refused:
            await self.writer.apply(batch.without({id_ for id_, _, _ in refused}))
            self.tries += 1
        self.checkpoint = self.checkpoint._replace(next_offset=batch.next_offset)
        start = batch.checkpoint.next_offset
        return [(split(id_)[1] - start, reason, detail) for id_, reason, detail in refused]

    async def _refused(self, batch: WriteBatch) -> list[tuple[int, Reason, str]]:
        try:
            await self.writer.apply(batch)
        except Refused as error:
            return [(id_, *refusal) for id_, refusal in error.refusals.items()]
        return []


@pytest.fixture(params=[True, False], ids=["trades", "candles-only"])
def store_trades(request: pytest.FixtureRequest) -> bool:
    found: bool = request.param
    return found


@pytest.fixture
async def store(database_url: str, store_trades: bool) -> AsyncIterator[Store]:
    async with Store(database_url, store_trades=store_trades) as it:
        yield it


@pytest.fixture
def tables(database_url: str, request: pytest.FixtureRequest) -> TestedDatabase:
    if database_url.startswith("sqlite"):
        return SQLite(database_url)
    return PostgreSQL(database_url, request.getfixturevalue("postgresql"))


async def coins_of(tables: TestedDatabase) -> list[str]:
    return [coin for (coin,) in await tables.fetch("SELECT coin FROM coins ORDER BY id")]


async def counts_of(tables: TestedDatabase) -> dict[str, int]:
    """Return how many trades the candles have."""
    rows = await tables.fetch("SELECT coin, trades FROM candles WHERE \"interval\" = '1m'")
    return dict(rows)


async def test_a_coin_that_differs_only_in_case_is_refused_and_known_ones_go_on(
    store: Store, tables: TestedDatabase
) -> None:
    assert await store.try_to_feed(given("BTC"), given("straße")) == []
    refused = await store.try_to_feed(
        given("BTC"), given("btc"), given("ETH"), given("Btc"), given("STRASSE")
    )
    told = "coinName: differs only in case from {}, which is another coin"
    assert refused == [
        (1, Reason.CASE, told.format("BTC")),
        (3, Reason.CASE, told.format("BTC")),
        (4, Reason.CASE, told.format("straße")),
    ]
    assert await coins_of(tables) == ["BTC", "straße", "ETH"]
    assert await counts_of(tables) == {"BTC": 2, "straße": 1, "ETH": 1}


async def test_of_two_new_coins_the_first_counts(store: Store, tables: TestedDatabase) -> None:
    refused = await store.try_to_feed(given("btc"), given("BTC"), given("btc"))
    assert [(index, reason) for index, reason, _ in refused] == [(1, Reason.CASE)]
    assert await coins_of(tables) == ["btc"]


async def test_there_are_at_most_so_many_coins(store: Store, tables: TestedDatabase) -> None:
    names = [f"COIN{number}" for number in range(MAX_COINS + 2)]
    refused = await store.try_to_feed(*map(given, names), given("COIN0"), given("coin0"))
    told = "coinName: is new, and there are 5 coins already (MAX_COINS)"
    assert [it for it in refused if it[1] is Reason.MAX_COINS] == [
        (MAX_COINS, Reason.MAX_COINS, told),
        (MAX_COINS + 1, Reason.MAX_COINS, told),
    ]
    assert await coins_of(tables) == names[:MAX_COINS]
    assert (await counts_of(tables))["COIN0"] == 2
    again = await store.try_to_feed(given("another"), given("COIN1"))
    assert again == [(0, Reason.MAX_COINS, told)]


async def test_coins_that_a_store_has_already_stay_known(
    store: Store, tables: TestedDatabase
) -> None:
    old = ["BTC", "btc", *(f"OLD{number}" for number in range(MAX_COINS))]
    await store.add_old_coins(*old)
    assert await store.try_to_feed(*map(given, old)) == []
    refused = await store.try_to_feed(given("Btc"), given("new"), given("btc"))
    assert [(index, reason) for index, reason, _ in refused] == [
        (0, Reason.CASE),
        (1, Reason.MAX_COINS),
    ]
    assert await coins_of(tables) == old


@pytest.mark.parametrize("store_trades", [True], indirect=True)
async def test_an_id_of_another_trade_is_a_conflict_and_the_first_one_stands(
    store: Store, tables: TestedDatabase
) -> None:
    await store.feed(given("BTC", "10.50", amount="2", id_="17"), given("BTC", id_="x"))
    refused = await store.try_to_feed(
        given("BTC", "10.5", amount="2.0", id_="17"),  # a repetition
        given("BTC", "10.51", amount="2", id_="17"),
        given("ETH", "10.51", amount="2", id_="17"),  # of another coin
        given("BTC", "10.50", amount="3", id_="17"),
        given("BTC", "1", id_="new"),
        given("BTC", "2", id_="new"),  # the first one stands in the same transaction
        given("BTC", "1", id_="new"),
        given("BTC", "3"),
    )
    of_17 = "tradeId: is that of another trade of this coin, of price 10.50 and numOfCoin 2"
    of_new = "tradeId: is that of another trade of this coin, of price 1 and numOfCoin 1"
    assert sorted(refused) == [
        (1, Reason.CONFLICT, of_17),
        (3, Reason.CONFLICT, of_17),
        (5, Reason.CONFLICT, of_new),
    ]
    rows = await tables.fetch("SELECT trade_id, price, amount FROM trades ORDER BY id")
    found = [(id_, Decimal(price), int(amount)) for id_, price, amount in rows]
    assert found == [
        ("17", Decimal("10.5"), 2),
        ("x", Decimal(1), 1),
        ("17", Decimal("10.51"), 2),
        ("new", Decimal(1), 1),
        (None, Decimal(3), 1),
    ]
    assert await counts_of(tables) == {"BTC": 4, "ETH": 1}


@pytest.mark.parametrize("store_trades", [True], indirect=True)
async def test_a_repetition_at_another_time_is_none(store: Store) -> None:
    await store.feed(given("BTC", id_="17"))
    assert await store.try_to_feed(given("BTC", id_="17")._replace(time=NOW_MS + 1)) == []


@pytest.mark.parametrize("store_trades", [True], indirect=True)
async def test_who_gives_every_reason_all_the_time_costs_one_more_try(
    store: Store, tables: TestedDatabase
) -> None:
    await store.feed(*(given(f"COIN{number}", id_="1") for number in range(MAX_COINS)))
    for number in range(20):
        refused = await store.try_to_feed(
            given(f"new {number}"),
            given("COIN0", "2", id_="1"),
            given("COIN1", str(number)),
            given("coin2"),
            given(f"newer {number}"),
            given("COIN1", "2", id_="1"),
        )
        assert sorted(index for index, _, _ in refused) == [0, 1, 3, 4, 5]
    assert store.tries == 40
    assert (await counts_of(tables))["COIN1"] == 21


async def test_workers_that_add_coins_at_once_keep_to_the_rules_together(
    postgresql_url: str, postgresql: PostgreSQLServer, store_trades: bool
) -> None:
    # They add the same coins, in small and in large letters, and then some too many.
    shared = [f"coin{number}" for number in range(MAX_COINS - 2)]

    async def work(store: Store, names: Sequence[str]) -> None:
        for name in names:
            await store.try_to_feed(given(name), given("all"))

    async with AsyncExitStack() as stack:
        working = []
        for number in range(4):
            tp = TP("tradeData", number)
            store = Store(postgresql_url, tp, store_trades=store_trades)
            await stack.enter_async_context(store)
            change = str.upper if number % 2 else str.lower
            names = [*map(change, shared), f"own {number}", f"more of {number}"]
            working.append(work(store, names))
        await asyncio.gather(*working)
    tables = PostgreSQL(postgresql_url, postgresql)
    coins = await coins_of(tables)
    assert len(coins) == MAX_COINS
    assert {"all", *shared} <= {coin.casefold() for coin in coins}
    assert len({coin.casefold() for coin in coins}) == MAX_COINS
    counts = await counts_of(tables)
    assert counts.keys() == set(coins)
    assert counts["all"] == 4 * (len(shared) + 2)


@pytest.mark.parametrize("max_coins", [1, MAX_COINS])
async def test_a_coin_that_another_worker_adds_meanwhile_is_known(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, max_coins: int
) -> None:
    async with Store(postgresql_url) as one, Store(postgresql_url, TP("tradeData", 1)) as other:
        one.writer._max_coins = other.writer._max_coins = max_coins
        select_alike = PostgreSQLRows._select_alike
        added: list[list[object]] = []

        def add_and_select(rows: PostgreSQLRows, *given_: Any) -> dict[str, str]:
            if not added:  # the first one is what is tested
                added.append([])
                added[0] += await_only(other.try_to_feed(given("NEW")))
            return select_alike(rows, *given_)

        monkeypatch.setattr(PostgreSQLRows, "_select_alike", add_and_select)
        assert await one.try_to_feed(given("NEW")) == []
        assert added == [[]]
