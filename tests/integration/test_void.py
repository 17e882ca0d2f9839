"""``faust -A chart_app void`` as its user runs it, on both databases, without Kafka."""

import asyncio
import itertools
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, text

from chart_app.model.intervals import HOUR_MS, MINUTE_MS, Interval
from chart_app.model.zones import ZonedInterval
from chart_app.storage import recomputation
from chart_app.storage.database import Database
from chart_app.storage.errors import StoreLocked
from chart_app.storage.rebuild import Rebuild
from chart_app.storage.rows.base import Move
from chart_app.storage.rows.postgresql import MOVE_OFFSETS, array_text
from chart_app.storage.voids import CannotUndo, Reason, Selection, Voids
from chart_app.storage.writer import StoreWriter
from dev.environment import clean_environment
from dev.local_kafka import free_port
from tests.conftest import StartProgram
from tests.forks import Fork
from tests.integration.filled_store import FilledStore, Given, serve
from tests.integration.trades import Candles, Stored, Values, count_candles
from tests.programs import ROOT
from tests.waiting import PATIENCE_S, eventually

#: A minute of 2023-04-30, the end of a month and of a week.
START = 1_682_882_400_000
COINS = ("BTC", "two words")
REASON = Reason("root", "it was wrong", 1_700_000_000_000)

TRADES = [
    Given(
        coin,
        START + number * 40_000,
        str(100 + number),
        "0.5",
        f"t{number}" if number % 3 else None,
    )
    for number in range(400)
    for coin in COINS
]
ALL = (0, 2**60)

Rows = list[tuple[Any, ...]]


@pytest.fixture
async def filled(database_url: str) -> AsyncIterator[FilledStore]:
    """Return a store with some trades."""
    async with FilledStore(database_url) as store:
        await store.feed(*TRADES)
        yield store


@pytest.fixture
async def voids(database_url: str) -> AsyncIterator[Voids]:
    """Return what makes voids, with connections of its own, as the command has."""
    async with several(database_url, 1) as (database,):
        yield Voids(database)


async def rows(store: FilledStore, table: str) -> Rows:
    async with store.database.reader.connect() as connection:
        found = await connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2, 3"))
        return [tuple(row) for row in found]


async def content(store: FilledStore) -> dict[str, Rows]:
    return {name: await rows(store, name) for name in ("trades", "candles", "coins", "partitions")}


async def everything(store: FilledStore) -> dict[str, Rows]:
    more = {name: await rows(store, name) for name in ("voided_trades",)}
    async with store.database.reader.connect() as connection:
        voids = await connection.execute(text("SELECT * FROM voids ORDER BY 1"))
        revision = await connection.execute(text("SELECT revision FROM store"))
        more |= {"voids": [tuple(it) for it in voids], "store": [tuple(it) for it in revision]}
    return {**await content(store), **more}


def candles_of(trades: Iterable[Given]) -> Candles:
    """Return the candles of trades, counted without the program's own code."""
    return count_candles(
        Stored(0, number, it.coin, it.time, Decimal(it.price), Decimal(it.amount), it.id)
        for number, it in enumerate(trades)
    )


async def stored_candles(store: FilledStore) -> Candles:
    found: Candles = {}
    for coin, interval in itertools.product(COINS, Interval):
        for open_time, candle in await store.reader.candles(coin, interval, limit=10_000):
            prices = (candle.open, candle.high, candle.low, candle.close)
            sums = (candle.volume, candle.quote_volume, candle.trades)
            found[coin, interval.value, open_time] = Values(*prices, *sums)
    return found


async def differences(store: FilledStore) -> list[str]:
    return [str(it) async for it in Rebuild(store.database, repair=False).run(None)]


def run(start: StartProgram, url: str, *arguments: str) -> tuple[int, list[str]]:
    """Run a command; return its exit code and what it says."""
    program = start("chart_app", {"DATABASE_URL": url, "NO_COLOR": "1"}, *arguments)
    return program.wait(), program.log().splitlines()


def void(start: StartProgram, url: str, *options: str) -> tuple[int, list[str]]:
    return run(start, url, "void", *options)


SELECTIONS: dict[str, tuple[list[str], Callable[[Given], bool]]] = {
    "ids": (["--id", "t4", "--id", "t200"], lambda it: it.id in {"t4", "t200"}),
    "an hour": (
        ["--from", "2023-04-30T19:30:10", "--to", str(START + 70 * MINUTE_MS)],
        lambda it: START + 10 * MINUTE_MS + 10_000 <= it.time < START + 70 * MINUTE_MS,
    ),
    "the newest": (
        ["--from", str(START + 300 * 40_000), "--to", "9000-01-01"],
        lambda it: it.time >= START + 300 * 40_000,
    ),
    "all": (["--from", "0", "--to", "2100-01-01T00:00:00Z"], lambda _: True),
}


@pytest.mark.parametrize("name", SELECTIONS)
async def test_voided_trades_do_not_count_and_an_undo_brings_them_back(
    filled: FilledStore, database_url: str, start: StartProgram, name: str
) -> None:
    options, is_meant = SELECTIONS[name]
    before = await content(filled)
    left = [it for it in TRADES if it.coin != "two words" or not is_meant(it)]
    count = len(TRADES) - len(left)
    its = ("--coin", "two words", *options)

    code, (line,) = void(start, database_url, *its, "--check")
    assert (code, line.split(",")[0]) == (0, f'Would be void: {count} trades of "two words"')
    assert await content(filled) == before

    code, lines = void(start, database_url, *its, "--why", "a wrong feed", "--who", "Jane Doe")
    assert (code, lines[0].split(",")[0]) == (0, f'Void 1: {count} trades of "two words"')
    expected = candles_of(left)
    assert await stored_candles(filled) == expected
    gone = len(candles_of(TRADES).keys() - expected.keys())
    assert re.fullmatch(
        rf"\d+ candles computed again, {gone} of them have no trades left", lines[1]
    )
    assert len(await rows(filled, "trades")) == len(left)
    assert await differences(filled) == []

    code, lines = void(start, database_url, "--undo", "1", "--why", "it was right")
    assert (code, lines[0].split(",")[0]) == (0, f'Void 1 is undone: {count} trades of "two words"')
    assert lines[1].endswith(" candles computed again, 0 of them have no trades left")
    assert await content(filled) == before
    assert await differences(filled) == []

    code, (line,) = run(start, database_url, "voids")
    assert code == 0
    assert re.fullmatch(
        rf'void 1: {count} trades of "two words", 2023-\S+Z to 2023-\S+Z; '
        r'20\S+Z by "Jane Doe": "a wrong feed"; undone 20\S+Z by \S+: "it was right"',
        line,
    )


async def test_a_trade_is_chosen_by_its_id_in_rest(
    filled: FilledStore, database_url: str, start: StartProgram
) -> None:
    first, *_ = await filled.reader.trades("BTC", start=0, limit=1)
    code, (line, _) = void(
        start, database_url, "--coin", "BTC", "--rest-id", str(first.id), "--why", "x"
    )
    assert (code, line.split(",")[0]) == (0, "Void 1: 1 trades of BTC")
    assert (await filled.reader.trades("BTC", start=0, limit=1))[0].id > first.id
    assert await differences(filled) == []


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--coin", "BTC", "--id", "t1"], 2, "give a reason: --why"),
        (["--coin", "BTC", "--why", "x"], 2, "give --coin, and one of: "),
        (["--id", "t1", "--why", "x"], 2, "give --coin, and one of: "),
        (["--coin", "BTC", "--id", "t1", "--from", "0", "--why", "x"], 2, "give --coin, and one"),
        (["--coin", "BTC", "--from", "0", "--why", "x"], 2, "give both --from and --to"),
        (["--coin", "BTC", "--from", "1", "--to", "1", "--why", "x"], 2, "give both --from"),
        (["--coin", "BTC", "--from", "0", "--to", "soon", "--why", "x"], 2, "must be a time in"),
        (["--coin", "BTC", "--id", "t1", "--why", " "], 2, "must be 1 to 500 characters"),
        (["--coin", "BTC", "--id", "t1", "--why", "x" * 501], 2, "must be 1 to 500 characters"),
        (["--coin", "BTC", "--id", "t1", "--why", "a\nb"], 2, "no control characters"),
        (["--undo", "1", "--coin", "BTC", "--why", "x"], 2, "--undo NUMBER goes with"),
        (["--undo", "1"], 2, "give a reason: --why"),
        (["--undo", "1", "--why", "x"], 2, "There is no void 1"),
        (["--coin", "XRP", "--id", "t1", "--why", "x"], 2, "The store has no coin XRP"),
        (["--coin", "BTC", "--id", "t3", "--why", "x"], 1, "There are no such trades"),
        (["--coin", "BTC", "--id", "t3", "--check"], 1, "There are no such trades"),
    ],
)
async def test_what_cannot_be_done_changes_nothing(  # noqa: PLR0917 - fixtures and parameters
    filled: FilledStore,
    database_url: str,
    start: StartProgram,
    options: list[str],
    code: int,
    said: str,
) -> None:
    before = await everything(filled)
    found, lines = void(start, database_url, *options)
    assert (found, said in lines[-1]) == (code, True), lines
    assert await everything(filled) == before


async def test_a_store_without_all_trades_is_refused(
    filled: FilledStore, database_url: str, start: StartProgram
) -> None:
    its = ("--coin", "BTC", "--id", "t1", "--why", "x")
    assert void(start, database_url, *its)[0] == 0
    await StoreWriter(filled.database, store_trades=False).open()
    before = await everything(filled)
    for options in (its, ("--undo", "1", "--why", "x"), (*its, "--check")):
        code, lines = void(start, database_url, *options)
        assert (code, "STORE_TRADES=false" in lines[-1]) == (2, True), lines
    assert await everything(filled) == before
    assert run(start, database_url, "voids")[0] == 0


def test_without_a_store_or_a_database_it_says_so(tmp_path: Path, start: StartProgram) -> None:
    for command in (["voids"], ["void", "--undo", "1", "--why", "x"]):
        file = tmp_path / "chart.sqlite"
        missing = f"There is no store: the file {file} does not exist"
        assert run(start, f"sqlite:///{file}", *command) == (2, [missing])
        assert not file.exists()
        away = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
        code, (line,) = run(start, away, *command)
        assert (code, line.startswith("The store does not answer: ")) == (2, True)


async def test_a_voided_trade_frees_its_id(filled: FilledStore, voids: Voids) -> None:
    await voids.void(Selection("BTC", ("t1", "t2", "t4")), REASON)
    again = Given("BTC", START, "7", "7", "t2")
    change = await filled.feed(again, again)
    assert (len(change.trades), change.revision) == (1, 1)
    before = await everything(filled)
    with pytest.raises(CannotUndo, match=r"1 of its 3 trades cannot come back.* the first t2$"):
        await voids.undo(1, REASON)
    assert await everything(filled) == before

    await voids.void(Selection("BTC", ("t2",)), REASON)
    await voids.undo(1, REASON)
    with pytest.raises(CannotUndo, match="Void 1 is undone already"):
        await voids.undo(1, REASON)
    with pytest.raises(CannotUndo, match="1 of its 1 trades"):
        await voids.undo(2, REASON)
    assert await stored_candles(filled) == candles_of(TRADES)
    assert await differences(filled) == []
    assert [(it.id, it.found.trades, bool(it.undone)) for it in await voids.all()] == [
        (1, 3, True),
        (2, 1, False),
    ]


async def test_a_trade_comes_into_a_candle_that_had_none_left(
    filled: FilledStore, voids: Voids
) -> None:
    await voids.void(Selection("BTC", times=ALL), REASON)
    late = Given("BTC", START, "3", "2")
    change = await filled.feed(late)
    assert {candle.trades for candle in change.candles.values()} == {1}
    left = [it for it in TRADES if it.coin != "BTC"]
    assert await stored_candles(filled) == candles_of([*left, late])
    await voids.undo(1, REASON)
    assert await stored_candles(filled) == candles_of([*TRADES, late])
    assert await differences(filled) == []


async def test_rest_has_a_coin_without_trades_no_more(filled: FilledStore, voids: Voids) -> None:
    async with serve(filled.reader, START) as client:

        async def ask(path: str) -> tuple[int, Any]:
            async with client.get(path) as answer:
                return answer.status, await answer.json()

        invalid = (400, {"code": -1121, "msg": "Invalid symbol."})
        klines = "/api/v3/klines?symbol=BTC&interval="
        shown = ["1m", "1m&fill=true", "1d&timeZone=8", "1m&timeUnit=MICROSECOND"]
        coins = ["exchangeInfo", "depth", "avgPrice", "ticker", "ticker/price", "ticker/24hr"]
        coins += ["ticker/bookTicker", "ticker/tradingDay"]
        pages = {
            **{f"{klines}{it}": (200, []) for it in shown},
            "/api/v3/trades?symbol=BTC": (200, []),
            **{f"/api/v3/{it}?symbol=BTC": invalid for it in coins},
            "/udf/symbols?symbol=BTC": (200, {"s": "error", "errmsg": "unknown_symbol"}),
            "/udf/search?query=btc": (200, []),
        }
        before = {path: await ask(path) for path in pages}
        await voids.void(Selection("BTC", times=ALL), REASON)
        assert {path: await ask(path) for path in pages} == pages
        _, info = await ask("/api/v3/exchangeInfo")
        assert [it["symbol"] for it in info["symbols"]] == ["two words"]
        for path in ("/api/v3/ticker/price", "/api/v3/ticker/24hr"):
            assert [it["symbol"] for it in (await ask(path))[1]] == ["two words"]
        await voids.undo(1, REASON)
        assert {path: await ask(path) for path in pages} == before


async def test_candles_of_a_zone_are_of_a_revision(filled: FilledStore, voids: Voids) -> None:
    zoned = ZonedInterval(Interval.D1, 8 * HOUR_MS)
    before = await filled.reader.revised_candles("BTC", zoned, limit=10)
    assert before.revision == 0
    assert before.candles
    await voids.void(Selection("BTC", times=ALL), REASON)
    assert await filled.reader.revised_candles("BTC", zoned, limit=10) == (1, [])
    await voids.undo(1, REASON)
    after = await filled.reader.revised_candles("BTC", zoned, limit=10)
    assert after == (2, before.candles)


async def test_much_is_read_and_written_in_parts(
    filled: FilledStore, voids: Voids, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recomputation, "CHUNK_TRADES", 7)
    monkeypatch.setattr(recomputation, "CHUNK_CANDLES", 5)
    before = await content(filled)
    # Of each minute but the first some, so that most are folded from what is left.
    ids = tuple(f"t{number}" for number in range(400) if number % 3 == 1)
    far = Given("BTC", START - 400 * 24 * 60 * MINUTE_MS, "5", "5", "far")
    await filled.feed(far)
    await voids.void(Selection("BTC", (*ids, "far")), REASON)
    left = [it for it in TRADES if it.coin != "BTC" or it.id not in ids]
    assert await stored_candles(filled) == candles_of(left)
    await voids.undo(1, REASON)
    assert await stored_candles(filled) == candles_of([*TRADES, far])
    await voids.void(Selection("BTC", ("far",)), REASON)
    found = await content(filled)
    assert found["candles"] == before["candles"]


# Others are at work meanwhile, or it is killed.


async def kill_at_each_step(store: FilledStore, url: str, coin: str, folder: Path) -> int:
    """Run it, killed at one step after the other, until all is done; return the steps it had."""
    before = await everything(store)
    for step in itertools.count():
        fork = Fork(
            ["tests.killed_void", url, str(step), coin],
            cwd=ROOT,
            env=clean_environment(),
            log=folder / "killed_void.log",
        )
        code = await asyncio.to_thread(fork.wait, PATIENCE_S)
        assert code in {0, -signal.SIGKILL}
        if await everything(store) != before:
            return step
        assert code == -signal.SIGKILL
    raise AssertionError


async def test_it_may_be_killed_at_any_step(
    filled: FilledStore, database_url: str, tmp_path: Path
) -> None:
    before = await content(filled)
    for coin in ("BTC", ""):
        assert await kill_at_each_step(filled, database_url, coin, tmp_path) > 30
        assert await differences(filled) == []
        if coin:
            left = [it for it in TRADES if it.coin != coin]
            assert await stored_candles(filled) == candles_of(left)
    assert await content(filled) == before


async def test_voids_at_once_are_made_one_after_the_other(
    filled: FilledStore, database_url: str
) -> None:
    async with several(database_url, 4) as databases:
        ids = [tuple(f"t{number}" for number in range(first, 400, 4)) for first in range(4)]
        outcomes = await asyncio.gather(
            *(
                Voids(database).void(Selection("BTC", its), REASON)
                for database, its in zip(databases, ids, strict=True)
            )
        )
    assert sorted(it.void.id for it in outcomes) == [1, 2, 3, 4]
    left = [it for it in TRADES if it.coin != "BTC" or it.id is None]
    assert await stored_candles(filled) == candles_of(left)
    assert await differences(filled) == []


@asynccontextmanager
async def several(url: str, count: int) -> AsyncIterator[list[Database]]:
    databases = [Database(make_url(url)) for _ in range(count)]
    try:
        yield databases
    finally:
        for database in databases:
            await database.close()


async def test_voids_while_trades_are_stored_lose_none(
    filled: FilledStore, database_url: str
) -> None:
    fed: list[Given] = []
    revisions: list[int] = []

    async def feed() -> None:
        for number in range(60):
            more = [Given("BTC", START + number * 1000 + it, "5", "1") for it in range(20)]
            change = await eventually_stored(filled, more)
            fed.extend(more)
            revisions.append(change.revision)

    feeding = asyncio.create_task(feed())
    async with several(database_url, 1) as (database,):
        for _ in range(3):
            made = await Voids(database).void(Selection("BTC", ("t1", "t2", "t4")), REASON)
            await Voids(database).undo(made.void.id, REASON)
        await Voids(database).void(Selection("BTC", ("t1",)), REASON)
    await feeding
    assert revisions == sorted(revisions)
    left = [it for it in TRADES if it.coin != "BTC" or it.id != "t1"]
    assert await stored_candles(filled) == candles_of([*left, *fed])
    assert await differences(filled) == []


async def eventually_stored(store: FilledStore, trades: list[Given]) -> Any:
    """Store trades as a worker does: again, where the store was locked for too long."""

    async def stored() -> Any:
        try:
            return await store.feed(*trades)
        except StoreLocked:
            return None

    return await eventually(stored, "the trades are stored")


async def test_a_worker_that_waited_for_a_void_has_its_revision(postgresql_url: str) -> None:
    async with FilledStore(postgresql_url) as filled:
        await filled.feed(Given("BTC", START, "1", "1", "t1"))
    one: Any = await asyncpg.connect(postgresql_url)  # type: ignore[no-untyped-call]
    other: Any = await asyncpg.connect(postgresql_url)  # type: ignore[no-untyped-call]
    try:
        await other.execute("BEGIN")  # as SQLAlchemy does
        move = await other.prepare(MOVE_OFFSETS)
        await other.execute("COMMIT")
        columns = zip(Move("tradeData", 0, 0, 1, 2), strict=True)
        await one.execute("BEGIN")
        await one.execute("UPDATE store SET revision = revision + 1")
        await one.execute("LOCK TABLE partitions IN SHARE ROW EXCLUSIVE MODE")
        await other.execute("BEGIN")
        moving = asyncio.create_task(move.fetch(*(array_text(it) for it in columns)))

        async def is_waiting() -> bool:
            return bool(await one.fetch("SELECT 1 FROM pg_locks WHERE NOT granted"))

        await eventually(is_waiting, "the worker waits for the void")
        await one.execute("COMMIT")
        assert [tuple(row) for row in await moving] == [(0, 1)]
    finally:
        one.terminate()
        other.terminate()


async def test_few_trades_that_waited_for_a_void_have_its_revision(postgresql_url: str) -> None:
    async with FilledStore(postgresql_url) as filled:
        await filled.feed(Given("BTC", START, "1", "1", "t1"))
        one: Any = await asyncpg.connect(postgresql_url)  # type: ignore[no-untyped-call]
        try:
            await one.execute("BEGIN")
            await one.execute("UPDATE store SET revision = revision + 1")
            await one.execute("LOCK TABLE partitions IN SHARE ROW EXCLUSIVE MODE")
            storing = asyncio.create_task(filled.feed(Given("BTC", START, "1", "1", "t2")))

            async def is_waiting() -> bool:
                return bool(await one.fetch("SELECT 1 FROM pg_locks WHERE NOT granted"))

            await eventually(is_waiting, "the worker waits for the void")
            await one.execute("COMMIT")
            change = await storing
        finally:
            one.terminate()
    assert (change.revision, len(change.trades)) == (1, 1)
    assert {it.trades for it in change.candles.values()} == {2}


async def test_a_rebuild_and_a_void_wait_for_each_other(postgresql_url: str) -> None:
    async with FilledStore(postgresql_url) as filled, several(postgresql_url, 2) as (one, other):
        await filled.feed(*TRADES)
        rebuild = Rebuild(one, repair=True)
        voiding = asyncio.create_task(Voids(other).void(Selection("BTC", ("t1",)), REASON))
        assert [it async for it in rebuild.run(None)] == []
        await voiding
        assert await differences(filled) == []
