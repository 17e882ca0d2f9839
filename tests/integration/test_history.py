"""Writing and reading the store, on both databases."""

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from faust.types import TP
from sqlalchemy import make_url, text, update
from sqlalchemy.exc import DBAPIError

from chart_app.model.binance.klines import Kline, kline_row
from chart_app.model.candles import Candle, CandleKey, PublicCandle, fold_coin
from chart_app.model.intervals import DAY_MS, MINUTE_MS, Interval
from chart_app.model.trade_ids import MAX_PARTITIONS
from chart_app.storage import schema
from chart_app.storage.database import Database
from chart_app.storage.errors import StoreUnavailable, Superseded, WrongStore
from chart_app.storage.fetcher import Fetcher
from chart_app.storage.queries import TRADES_FROM
from chart_app.storage.reader import StoreReader
from chart_app.storage.write_batch import WriteBatch
from chart_app.storage.writer import StoreWriter
from tests.integration.databases import PostgreSQL
from tests.integration.filled_store import TOPIC_ID, FilledStore, Given
from tests.postgresql_server import PostgreSQLServer

#: A minute of 2023-04-30, the end of a month and of a week.
START = 1_682_882_400_000
NOW = START + 30 * MINUTE_MS
LARGEST = "999999999999999999.99999999999999999999"
SMALLEST = "0.0000000000000000010000000000000000000000000000000000001"


@pytest.fixture
async def filled(database_url: str) -> AsyncIterator[FilledStore]:
    """Return an empty store."""
    async with FilledStore(database_url) as store:
        yield store


def at(minute: float, price: str = "1", amount: str = "1", **more: str) -> Given:
    """Return a trade of BTC so many minutes after the start."""
    return Given(more.get("coin", "BTC"), START + round(minute * MINUTE_MS), price, amount)


async def read_all(store: FilledStore, coin: str) -> dict[tuple[Interval, int], Candle]:
    """Return every stored candle of a coin."""
    return {
        (interval, open_time): candle
        for interval in Interval
        for open_time, candle in await store.reader.candles(coin, interval, limit=1000)
    }


def folded(*portions: WriteBatch) -> dict[tuple[Interval, int], Candle]:
    """Return the candles of all trades of portions, folded at once."""
    ticks = [tick for write_batch in portions for tick in write_batch.trades.ticks()]
    return {(interval, open_time): candle for interval, open_time, candle in fold_coin(ticks)}


async def minutes(store: FilledStore, **wanted: int) -> list[int]:
    """Return the open times of the klines of a range, in minutes from the start."""
    rows = json.loads(await store.reader.klines("BTC", Interval.M1, **{"limit": 500, **wanted}))
    candles = await store.reader.candles("BTC", Interval.M1, **{"limit": 500, **wanted})
    assert [row[0] for row in rows] == [open_time for open_time, _ in candles]
    return [(row[0] - START) // MINUTE_MS for row in rows]


async def test_digits_come_back_as_they_came(filled: FilledStore) -> None:
    change = await filled.feed(at(0, LARGEST, LARGEST), at(1, SMALLEST, SMALLEST), at(2, "1.50"))
    trades = await filled.reader.trades("BTC", limit=10)
    largest = LARGEST + "0" * (37 + 18 - 20)  # as many places as the smallest has
    assert [str(it.price) for it in trades[:1]] == [largest]
    assert [Decimal(it.price) for it in trades] == [
        Decimal(LARGEST),
        Decimal(SMALLEST),
        Decimal("1.50"),
    ]
    assert [Decimal(it.amount) for it in trades] == [
        Decimal(LARGEST),
        Decimal(SMALLEST),
        Decimal(1),
    ]
    for key, candle in change.candles.items():
        if key.interval is Interval.MONTH:
            stored = await filled.reader.candles("BTC", Interval.MONTH, limit=1)
            assert stored == [(key.open_time, candle)]
    assert await filled.reader.candles("BTC", Interval.M1, limit=10) == [
        (key.open_time, candle)
        for key, candle in change.candles.items()
        if key.interval is Interval.M1
    ]


async def test_klines_have_plain_digits(filled: FilledStore) -> None:
    await filled.feed(at(0, "1E+2", "3.844E-5"), at(0.5, "90.50", "2"))
    (row,) = json.loads(await filled.reader.klines("BTC", Interval.M1, limit=1))
    assert row[:2] == [START, "100.00"]
    assert row[2:6] == ["100.00", "90.50", "90.50", "2.00003844"]
    none, nothing = "0.00000000", "0.0000000000"
    assert row[6:] == [START + MINUTE_MS - 1, "181.0038440000", 2, none, nothing, "0"]


@pytest.mark.parametrize("interval", Interval)
async def test_the_database_makes_the_klines_that_python_makes(
    filled: FilledStore, interval: Interval
) -> None:
    await filled.feed(at(0, "2.50", "1E-7"), at(0, "1"), at(2000, LARGEST, SMALLEST))
    scale = (await filled.reader.coins(["BTC"]))[0].scale
    made = [
        kline_row(
            Kline(
                PublicCandle.of(CandleKey("BTC", interval, time), it),
                interval.end_time(time),
                scale,
            )
        )
        for time, it in await filled.reader.candles("BTC", interval, limit=9)
    ]
    assert json.loads(await filled.reader.klines("BTC", interval, limit=9)) == made


async def test_months_are_as_long_as_the_calendar_says(filled: FilledStore) -> None:
    await filled.feed(at(0))
    (row,) = json.loads(await filled.reader.klines("BTC", Interval.MONTH, limit=1))
    assert row[6] + 1 - row[0] == 30 * DAY_MS
    assert len(row) == 12


@pytest.mark.parametrize("seed", range(3))
async def test_random_batches_give_the_candles_of_all_trades(
    filled: FilledStore, seed: int
) -> None:
    chance = random.Random(seed)
    trades = [
        Given(
            "BTC",
            START + chance.choice([chance.randrange(3 * DAY_MS), chance.randrange(MINUTE_MS), 0]),
            str(chance.randrange(1, 10**6) / 100),
            str(chance.randrange(1, 10**6) / 1000),
            chance.choice([None, str(number), f"t{number}"]),
        )
        for number in range(300)
    ]
    portions = []
    while trades:
        size = chance.randrange(1, 90)
        portions.append(filled.write_batch(trades[:size]))
        await filled.feed(*trades[:size])
        trades = trades[size:]
    assert await read_all(filled, "BTC") == folded(*portions)


async def test_a_late_trade_amends_its_candles(filled: FilledStore) -> None:
    first = filled.write_batch([at(5, "7"), at(65, "8")])
    await filled.feed(at(5, "7"), at(65, "8"))
    late = filled.write_batch([at(4.5, "9"), at(5.5, "3")])
    change = await filled.feed(at(4.5, "9"), at(5.5, "3"))
    assert {(key.interval, key.open_time) for key in change.candles} == folded(late).keys()
    assert await read_all(filled, "BTC") == folded(first, late)
    assert await minutes(filled) == [4, 5, 65]


async def test_a_trade_id_counts_once_within_a_batch_and_across(filled: FilledStore) -> None:
    one, other = Given("BTC", START, "1", "1", "a"), Given("BTC", START + 1, "1", "1", "a")
    change = await filled.feed(one, other, Given("ETH", START, "3", "1", "a"))
    assert [*change.trades.prices] == [1, 3]
    change = await filled.feed(other, Given("BTC", START, "4", "1", "b"), one)
    assert [*change.trades.prices] == [4]
    ((_, candle),) = await filled.reader.candles("BTC", Interval.M1, limit=1)
    assert candle.trades == 2
    assert len(await filled.reader.trades("BTC", limit=10)) == 2


async def test_ids_of_any_text_are_told_apart(filled: FilledStore) -> None:
    ids = ["\\N", "\\", "\\.", "\\t", "\t", "a\nb", "a\rb", "NULL", " ", "é", "e\u0301", "0", "00"]
    coins = ["BTC", "back\\slash", "\\N"]
    trades = [Given(coin, START, "1", id=id_) for coin in coins for id_ in ids]
    assert len((await filled.feed(*trades)).trades) == len(trades)
    assert len((await filled.feed(*trades)).trades) == 0
    for coin in coins:
        assert len(await filled.reader.trades(coin, limit=50)) == len(ids)


async def test_of_trades_with_one_id_the_first_counts(filled: FilledStore) -> None:
    for number in range(2):  # in PostgreSQL the second time by the careful way from the start
        trades = [Given("BTC", START + it, "1", id=f"{number}-{it % 50}") for it in range(200)]
        change = await filled.feed(*trades)
        assert [*change.trades.times] == list(range(START, START + 50))


async def test_trades_count_once_however_often_they_are_sent_again(filled: FilledStore) -> None:
    chance = random.Random(7)
    new: list[str] = []
    for number in range(30):
        again = [Given("BTC", START, "1", id=it) for it in chance.sample(new, len(new) // 2)]
        fresh = [Given("BTC", START, "1", id=f"{number}-{n}") for n in range(chance.randrange(4))]
        twice = [*fresh, *again, *fresh]
        change = await filled.feed(*chance.sample(twice, len(twice)))
        assert sorted(filter(None, change.trades.sender_ids)) == sorted(it.id or "" for it in fresh)
        new += [it.id or "" for it in fresh]
    ((_, candle),) = await filled.reader.candles("BTC", Interval.MONTH, limit=1)
    assert candle.trades == len(new)


async def test_trades_without_an_id_all_count(filled: FilledStore) -> None:
    change = await filled.feed(at(0), at(0))
    assert len(change.trades) == 2


async def test_who_stands_at_another_offset_stores_nothing(filled: FilledStore) -> None:
    write_batch = filled.write_batch([at(0)])
    await filled.feed(at(0))
    with pytest.raises(Superseded):
        await filled.writer.apply(write_batch)
    ahead = replace(
        write_batch, checkpoint=filled.checkpoint._replace(next_offset=5), next_offset=6
    )
    with pytest.raises(Superseded):
        await filled.writer.apply(ahead)
    assert len(await filled.reader.trades("BTC", limit=10)) == 1


async def test_a_topic_made_again_begins_at_0_and_keeps_what_was(filled: FilledStore) -> None:
    await filled.feed(at(0, "1"))
    old = filled.write_batch([at(1, "2")])
    again = (await filled.writer.checkpoints({filled.tp: "another id"}))[filled.tp]
    assert (again.next_offset, again.topic_id) == (0, "another id")
    assert again.partition_id != filled.checkpoint.partition_id
    with pytest.raises(Superseded):
        await filled.writer.apply(old)
    filled.checkpoint = again
    await filled.feed(at(2, "3"))
    assert [it.price for it in await filled.reader.trades("BTC", limit=10)] == ["1", "3"]


async def test_progress_is_remembered(filled: FilledStore) -> None:
    await filled.feed(at(0), at(1))
    other = TP("tradeData", 1)
    checkpoints = await filled.writer.checkpoints({filled.tp: "id-of-tradeData", other: "x"})
    assert checkpoints[filled.tp].next_offset == 2
    assert checkpoints[other].next_offset == 0
    assert checkpoints[other].partition_id != checkpoints[filled.tp].partition_id


async def test_a_batch_of_before_its_topic_was_made_again_stores_nothing(
    filled: FilledStore,
) -> None:
    old = filled.write_batch([at(0)])
    again = (await filled.writer.checkpoints({filled.tp: "another id"}))[filled.tp]
    assert again.next_offset == old.checkpoint.next_offset
    with pytest.raises(Superseded):
        await filled.writer.apply(old)


@pytest.mark.parametrize("tp", [TP("tradeData", 1), TP("other", 0)])
async def test_a_batch_of_another_partition_does_not_pass_the_fence(
    filled: FilledStore, tp: TP
) -> None:
    await filled.writer.checkpoints({tp: "id"})
    with pytest.raises(Superseded):
        await filled.writer.apply(replace(filled.write_batch([at(0)]), tp=tp))


async def test_batches_of_partitions_are_stored_together_or_not_at_all(
    database_url: str,
) -> None:
    other_tp = TP("tradeData", 1)
    async with FilledStore(database_url) as filled, FilledStore(database_url, other_tp) as other:
        first = filled.write_batch([at(0), at(1)])
        filled.checkpoint = filled.checkpoint._replace(next_offset=2)
        batches = (
            replace(filled.write_batch([at(2)]), checkpoint=first.checkpoint),
            other.write_batch([]),
            other.write_batch([at(0), Given("BTC", START, "5", id="a")]),
        )
        change = await filled.writer.apply(first, *batches)
        assert len(change.trades) == 5
        stored = await filled.writer.checkpoints({filled.tp: TOPIC_ID, other_tp: TOPIC_ID})
        assert [stored[tp].next_offset for tp in (filled.tp, other_tp)] == [3, 2]

        filled.checkpoint = filled.checkpoint._replace(next_offset=3)
        other.checkpoint = other.checkpoint._replace(next_offset=2)
        again = Given("BTC", START + 1, "5", id="a")
        with pytest.raises(Superseded):
            await filled.writer.apply(filled.write_batch([again]), batches[-1])
        change = await filled.writer.apply(
            other.write_batch([]), filled.write_batch([again, at(7)])
        )
        assert [*change.trades.times] == [START + 7 * MINUTE_MS]
        assert len(await filled.reader.trades("BTC", limit=10)) == 6


async def test_partitions_get_numbers_that_were_never_used(filled: FilledStore) -> None:
    assert filled.checkpoint.partition_id == 0
    others = [TP("tradeData", number) for number in range(1, 4)]
    made = await filled.writer.checkpoints(dict.fromkeys(others, "id"))
    assert list(made) == others
    assert [it.partition_id for it in made.values()] == [1, 2, 3]
    again = await filled.writer.checkpoints({others[0]: "another id", others[1]: "id"})
    assert [it.partition_id for it in again.values()] == [4, 2]
    assert await filled.writer.checkpoints({others[2]: "id"}) == {others[2]: made[others[2]]}


async def test_there_are_as_many_partitions_as_ids_can_name(filled: FilledStore) -> None:
    last_but_one = update(schema.partitions).values(partition_id=MAX_PARTITIONS - 2)
    await filled.database.write(lambda connection: connection.execute(last_but_one))
    last, none_left = TP("tradeData", 1), TP("tradeData", 2)
    made = await filled.writer.checkpoints({last: "id"})
    assert made[last].partition_id == MAX_PARTITIONS - 1
    with pytest.raises(WrongStore, match="more than 4096 partitions have been consumed"):
        await filled.writer.checkpoints({none_left: "id"})


async def test_a_store_of_another_version_is_refused(filled: FilledStore) -> None:
    other_version = update(schema.store).values(version=schema.VERSION + 1)
    await filled.database.write(lambda connection: connection.execute(other_version))
    with pytest.raises(WrongStore, match=f"has version {schema.VERSION + 1}"):
        await StoreWriter(filled.database, store_trades=True).open()


async def test_a_store_is_opened_again_and_again(filled: FilledStore) -> None:
    await filled.feed(at(0))
    await StoreWriter(filled.database, store_trades=True).open()
    assert len(await filled.reader.trades("BTC", limit=10)) == 1


async def test_workers_may_write_at_once(database_url: str) -> None:
    async with AsyncExitStack() as stack:
        partitions = [TP("tradeData", number) for number in range(4)]
        workers = [FilledStore(database_url, tp) for tp in partitions]
        for worker in workers:
            await stack.enter_async_context(worker)
        for _ in range(5):
            await asyncio.gather(*(worker.feed(at(0), at(1)) for worker in workers))
        candles = await workers[0].reader.candles("BTC", Interval.M1, limit=9)
        assert [candle.trades for _, candle in candles] == [20, 20]


async def test_workers_that_write_the_same_coins_do_not_deadlock(
    postgresql_url: str, postgresql: PostgreSQLServer
) -> None:
    trades = [at(0, coin=f"COIN{number}") for number in range(100)]
    async with AsyncExitStack() as stack:
        workers = [FilledStore(postgresql_url, TP("tradeData", number)) for number in range(2)]
        for worker in workers:
            await stack.enter_async_context(worker)
        for _ in range(3):
            await asyncio.gather(workers[0].feed(*trades), workers[1].feed(*reversed(trades)))
        ((_, candle),) = await workers[0].reader.candles("COIN7", Interval.M1, limit=9)
        assert candle.trades == 6
    # Connections that have ended have told all that they counted.
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await PostgreSQL(postgresql_url, postgresql).fetch(deadlocks) == [(0,)]


async def test_workers_may_make_the_tables_at_once(postgresql_url: str) -> None:
    async with AsyncExitStack() as stack:
        workers = [FilledStore(postgresql_url, TP("tradeData", number)) for number in range(4)]
        await asyncio.gather(*map(stack.enter_async_context, workers))
        assert len({worker.checkpoint.partition_id for worker in workers}) == 4


async def test_reading_before_there_are_tables_says_that_the_store_is_not_there(
    database_url: str,
) -> None:
    database = Database(make_url(database_url))
    with pytest.raises(StoreUnavailable):
        await StoreReader(database).coins()
    await database.close()


async def test_a_range_with_a_start_gives_the_oldest(filled: FilledStore) -> None:
    await filled.feed(*map(at, (0, 1, 2, 5, 9)))
    assert await minutes(filled, start=START, limit=2) == [0, 1]
    assert await minutes(filled, start=START + 1, limit=2) == [1, 2]
    assert await minutes(filled, start=START + 3 * MINUTE_MS, limit=2) == [5, 9]
    assert await minutes(filled, start=0) == [0, 1, 2, 5, 9]
    assert await minutes(filled, start=-(10**30)) == [0, 1, 2, 5, 9]
    assert await minutes(filled, start=START + 10 * MINUTE_MS) == []
    assert await minutes(filled, start=10**30) == []


async def test_a_range_without_a_start_gives_the_newest(filled: FilledStore) -> None:
    await filled.feed(*map(at, (0, 1, 2, 5, 9)))
    assert await minutes(filled, limit=2) == [5, 9]
    assert await minutes(filled, end=START + 5 * MINUTE_MS, limit=2) == [2, 5]
    assert await minutes(filled, end=START + 5 * MINUTE_MS - 1, limit=2) == [1, 2]
    assert await minutes(filled, end=-5) == []
    assert await minutes(filled, end=10**30, limit=1) == [9]


async def test_a_range_with_both_ends(filled: FilledStore) -> None:
    await filled.feed(*map(at, (0, 1, 2, 5, 9)))
    one, five = START + MINUTE_MS, START + 5 * MINUTE_MS
    assert await minutes(filled, start=one, end=five) == [1, 2, 5]
    assert await minutes(filled, start=one, end=five, limit=2) == [1, 2]
    assert await minutes(filled, start=five, end=one) == []


async def filled_minutes(store: FilledStore, **wanted: int) -> list[tuple[int, int]]:
    """Return (minutes from the start, trades) of filled candles."""
    candles = await store.reader.filled_candles("BTC", Interval.M1, NOW, **{"limit": 500, **wanted})
    return [((open_time - START) // MINUTE_MS, it.trades) for open_time, it in candles]


async def test_filling_makes_a_candle_of_every_minute_up_to_now(filled: FilledStore) -> None:
    await filled.feed(at(0), at(3))
    found = await filled_minutes(filled)
    assert [minute for minute, _ in found] == list(range(31))
    assert [minute for minute, trades in found if trades] == [0, 3]
    assert await filled_minutes(filled, limit=2) == [(29, 0), (30, 0)]
    assert await filled_minutes(filled, end=START + 4 * MINUTE_MS, limit=2) == [(3, 1), (4, 0)]
    assert await filled_minutes(filled, end=START - 1) == []
    assert await filled_minutes(filled, end=-(10**30)) == []
    ahead = Given("BTC", NOW + 10 * MINUTE_MS, "1")
    await filled.feed(ahead)
    assert (await filled_minutes(filled, limit=2)) == [(39, 0), (40, 1)]


async def test_filled_pages_follow_each_other_without_a_hole(filled: FilledStore) -> None:
    await filled.feed(at(0, "5"), at(7, "6"), at(20, "7"))
    pages: list[tuple[int, int]] = []
    start = 0
    while page := await filled_minutes(filled, start=start, limit=6):
        assert len(page) == 6 or page[-1][0] == 30
        pages += page
        start = START + page[-1][0] * MINUTE_MS + 1
    assert [minute for minute, _ in pages] == list(range(31))
    assert await filled_minutes(filled, start=START + 21 * MINUTE_MS, limit=1) == [(21, 0)]
    candles = await filled.reader.filled_candles(
        "BTC", Interval.M1, NOW, start=START + 8 * MINUTE_MS, limit=1
    )
    assert candles[0][1].close == 6


@pytest.mark.parametrize("interval", Interval)
async def test_every_interval_can_be_filled(filled: FilledStore, interval: Interval) -> None:
    await filled.feed(Given("BTC", 0, "1"), at(0))
    everything = await filled.reader.filled_candles("BTC", interval, NOW, start=-(10**30), limit=5)
    assert everything[0][0] == interval.open_time(0)
    newest = await filled.reader.filled_candles("BTC", interval, NOW, limit=5)
    assert newest[-1][0] == interval.open_time(NOW)
    for candles in (everything, newest):
        assert len(candles) == 5
        times = [open_time for open_time, _ in candles]
        assert all(interval.end_time(one) == next_ for one, next_ in itertools.pairwise(times))


async def test_nothing_can_be_filled_for_a_coin_without_trades(filled: FilledStore) -> None:
    assert await filled_minutes(filled) == []


async def test_trades_are_ordered_by_time_but_by_id_from_an_id_on(filled: FilledStore) -> None:
    await filled.feed(at(2), at(1), at(3), at(2, coin="ETH"), at(0))

    async def ids(**wanted: int) -> list[int]:
        return [it.id for it in await filled.reader.trades("BTC", **{"limit": 10, **wanted})]

    first, second, third, last = 0, 1, 2, 4  # the one between them is ETH's
    one, two = START + MINUTE_MS, START + 2 * MINUTE_MS
    assert await ids() == [last, second, first, third]
    assert await ids(limit=2) == [first, third]
    assert await ids(start=one) == [second, first, third]
    assert await ids(start=0, limit=2) == [last, second]
    assert await ids(end=two, limit=2) == [second, first]
    assert await ids(start=one, end=two) == [second, first]
    assert await ids(from_id=1) == [second, third, last]
    assert await ids(from_id=0, limit=2) == [first, second]
    assert await ids(from_id=10**30) == []


async def test_a_coin_is_found_exactly_or_without_regard_to_case(filled: FilledStore) -> None:
    history = filled.reader
    await filled.add_old_coins("btc", "Btc")
    await filled.feed(*(at(0, coin=coin) for coin in ("btc", "Btc", "STRASSE", "Ünï")))
    assert [coin.name for coin in await history.coins()] == ["Btc", "STRASSE", "btc", "Ünï"]
    for _ in range(2):
        assert await history.find_coin("btc") == "btc"
        assert await history.find_coin("Btc") == "Btc"
        assert await history.find_coin("BTC") == "Btc"
        assert await history.find_coin("straße") == "STRASSE"
        assert await history.find_coin("ÜNÏ") == "Ünï"
        assert await history.find_coin("BTC2") is None
        assert await history.find_coin("") is None
    await filled.add_old_coins("BTC")
    await filled.feed(at(0, coin="BTC"))
    assert await history.find_coin("BTC") == "BTC"


async def test_many_coins_are_found_in_one_query(
    filled: FilledStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = filled.reader
    await filled.add_old_coins("btc", "Btc")
    await filled.feed(*(at(0, coin=coin) for coin in ("btc", "Btc", '"', "Ünï@")))
    queries = 0
    fetch = Fetcher.fetch

    async def counted(*arguments: Any) -> Any:
        nonlocal queries
        queries += 1
        return await fetch(*arguments)

    monkeypatch.setattr(Fetcher, "fetch", counted)
    unknown = [f"NONE{number}" for number in range(1000)]
    wanted = ["btc", "BTC", '"', "ünï@", *unknown]
    assert await history.find_coins(wanted) == {
        "btc": "btc",
        "BTC": "Btc",
        '"': '"',
        "ünï@": "Ünï@",
    }
    assert queries == 1
    assert await history.find_coins(["btc", '"']) == {"btc": "btc", '"': '"'}
    assert queries == 1, "a coin that is found by its very name is known from then on"
    assert await history.find_coins([]) == {}


async def test_a_value_that_the_database_refuses_is_not_taken_for_its_absence(
    filled: FilledStore,
) -> None:
    reader = Fetcher(filled.database)
    with pytest.raises((DBAPIError, OverflowError)):
        await reader.fetch(TRADES_FROM, {"coin": "BTC", "from_id": 2**70, "limit": 1})


async def test_places_grow_with_what_was_traded(filled: FilledStore) -> None:
    await filled.feed(at(0, "1.5", "2"))
    assert (await filled.reader.coins())[0] == ("BTC", 1, 0)
    await filled.feed(at(0, "1", "2.125"), at(0, "1.25", "2"))
    assert (await filled.reader.coins())[0] == ("BTC", 2, 3)


async def test_the_day_is_the_last_24_hours(filled: FilledStore) -> None:
    trades = [at(minute, str(1 + minute % 97)) for minute in range(0, 3 * 24 * 60, 7)]
    await filled.feed(*trades)
    for minutes_ago in (0, 3, 61, 600, 1439):
        now = trades[-1].time + minutes_ago * MINUTE_MS + 30_000
        (day,) = await filled.reader.windows(now, ["BTC"])
        window = range(now // MINUTE_MS * MINUTE_MS + MINUTE_MS - DAY_MS, now + 1)
        assert (day.open_time, day.close_time) == (window.start, now)
        prices = [int(it.price) for it in trades if it.time in window]
        count, total = len(prices), sum(prices)
        expected = (prices[0], max(prices), min(prices), prices[-1], count, total, count)
        assert list(day[4:11]) == [Decimal(number) for number in expected]
        assert await filled.reader.windows(now, ["BTC", "ETH"]) == [day]
        assert await filled.reader.windows(now, ["ETH"]) == []


async def test_the_day_of_a_quiet_coin_is_its_last(filled: FilledStore) -> None:
    await filled.feed(at(-24 * 60, "5"), at(-24 * 60 + 1, "1"), at(0, "2"), at(0.5, "3"))
    await filled.feed(at(9000, "4", coin="ETH"))
    ours, other = await filled.reader.windows(START + 9000 * MINUTE_MS, ["BTC", "ETH"])
    assert ours.coin.name == "BTC"
    assert (ours.open_time, ours.close_time) == (START + MINUTE_MS - DAY_MS, START + 30_000)
    assert (ours.open, ours.close, ours.trades) == (Decimal(1), Decimal(3), 3)
    assert other.close_time == START + 9000 * MINUTE_MS


async def test_the_day_has_trades_ahead_of_the_clock(filled: FilledStore) -> None:
    await filled.feed(at(0, "2"), at(59, "3"))
    (day,) = await filled.reader.windows(START, ["BTC"])
    assert (day.close, day.close_time, day.trades) == (Decimal(3), START + 59 * MINUTE_MS, 2)


async def test_days_at_the_epoch_and_of_odd_names(filled: FilledStore) -> None:
    names = ['a "b"', "back\\slash", "per%cent", "q'uote"]
    await filled.feed(*(Given(name, 5, "2") for name in names))
    days = await filled.reader.windows(NOW, names)
    assert sorted(day.coin.name for day in days) == sorted(names)
    assert {day.open_time for day in days} == {MINUTE_MS - DAY_MS}
    assert {day.trades for day in days} == {1}
    assert [coin.name for coin in await filled.reader.coins(names)] == sorted(names)
    assert await filled.reader.prices(names) == [(name, "2") for name in sorted(names)]


async def test_the_last_price_is_that_of_the_last_trade(filled: FilledStore) -> None:
    await filled.feed(at(10, "2.50"), at(5, "9"), at(40 * 24 * 60, "7", coin="ETH"))
    assert await filled.reader.prices() == [("BTC", "2.50"), ("ETH", "7")]
    assert await filled.reader.prices(["BTC"]) == [("BTC", "2.50")]
    assert await filled.reader.prices(["XRP"]) == []


async def test_bars_are_columns_of_numbers(filled: FilledStore) -> None:
    await filled.feed(at(0, "2.50", "0.1"), at(0.5, "1"), at(3, "4"))
    wanted = {"start": None, "end": None, "limit": 2}
    columns = await filled.reader.bars("BTC", Interval.M1, **wanted)  # type: ignore[arg-type]
    assert json.loads(f"{{{columns}}}") == {
        "t": [START // 1000, START // 1000 + 180],
        "o": [2.5, 4],
        "h": [2.5, 4],
        "l": [1, 4],
        "c": [1, 4],
        "v": [1.1, 1],
    }
    assert await filled.reader.bars("ETH", Interval.M1, limit=2) == ""


async def test_the_newest_candle_of_each_interval_is_the_running_one(filled: FilledStore) -> None:
    await filled.feed(at(0), at(1))
    for interval in Interval:
        ((open_time, _),) = await filled.reader.candles("BTC", interval, limit=1)
        assert open_time == interval.open_time(START + MINUTE_MS)


async def test_a_store_without_trades_has_candles(database_url: str) -> None:
    async with FilledStore(database_url) as filled:
        filled.writer = StoreWriter(filled.database, store_trades=False)
        await filled.writer.open()
        await filled.feed(at(0))
        assert await filled.reader.trades("BTC", limit=10) == []
        assert len(await filled.reader.candles("BTC", Interval.M1, limit=10)) == 1
        async with filled.database.reader.connect() as connection:
            assert not await connection.scalar(text("SELECT has_all_trades FROM store"))


async def test_candles_that_somebody_else_wrote_are_read_again(database_url: str) -> None:
    other_tp = TP("tradeData", 1)
    async with FilledStore(database_url) as ours, FilledStore(database_url, other_tp) as other:
        for worker in (ours, ours, other, other, ours, other):
            await worker.feed(at(0))
        ((_, candle),) = await ours.reader.candles("BTC", Interval.M1, limit=9)
        assert candle.trades == 6


async def test_candles_of_a_transaction_that_failed_are_read_again(filled: FilledStore) -> None:
    await filled.feed(at(0))
    stale = filled.write_batch([at(0)])
    await filled.feed(at(0))
    with pytest.raises(Superseded):
        await filled.writer.apply(stale)
    await filled.feed(at(0))
    ((_, candle),) = await filled.reader.candles("BTC", Interval.M1, limit=9)
    assert candle.trades == 3
