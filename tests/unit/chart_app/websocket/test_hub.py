import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable
from decimal import Decimal
from typing import Any, cast

import pytest
from sqlalchemy.exc import DataError

from chart_app.live import messages
from chart_app.live.gaps import LiveGaps, Span
from chart_app.live.messages import LiveMessage
from chart_app.model.binance.tickers import AVERAGE_MS
from chart_app.model.candles import Candle, Mark, PublicCandle
from chart_app.model.coins import Coin, Window
from chart_app.model.intervals import DAY_MS, MINUTE_MS, Interval
from chart_app.model.trades import PublicTrade
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.reader import Consumed, RevisedCandles, StoreReader
from chart_app.websocket.events import Burst, Event
from chart_app.websocket.hub import MAX_CORRECTED, Hub
from chart_app.websocket.streams import Stream
from tests.unit.chart_app.websocket.parsed import parsed
from tests.waiting import eventually

KLINES = parsed("btc@kline_1m")
TRADES = parsed("btc@trade")
NOW = 1_000 * MINUTE_MS + 5_000


class Store:
    """A store that may be away, or take its time."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.stored: dict[int, int] = {}  # trades of candles, by minutes from now
        self.trade_ids: list[int] = []
        self.revision = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.is_away = False
        self.refused = ""  # a coin that the database does not take as one

    async def find_coin(self, symbol: str) -> str | None:
        """Return a coin."""
        return (await self.find_coins([symbol])).get(symbol)

    async def find_coins(self, symbols: Iterable[str]) -> dict[str, str]:
        """Return coins by symbol."""
        await self._wait()
        found = {}
        for symbol in symbols:
            alike = [it for it in self.names if it.casefold() == symbol.casefold()]
            if alike:
                found[symbol] = symbol if symbol in alike else alike[0]
        return found

    async def consumed(self) -> list[Consumed]:
        """Return how far the partitions are consumed."""
        await self._wait()
        return []

    async def trades(self, _coin: str, *, from_id: int, limit: int) -> list[PublicTrade]:
        """Return trades from an id on."""
        await self._wait()
        return [PublicTrade(it, NOW, "1", "1") for it in self.trade_ids if it >= from_id][:limit]

    async def candles(
        self,
        coin: str,
        _interval: Interval,
        *,
        limit: int,
        start: int | None = None,
        end: int = 2**60,
    ) -> list[tuple[int, Candle]]:
        """Return candles as they were when they were asked for."""
        if coin == self.refused:
            raise DataError("SELECT", {}, ValueError("a value is refused"))
        found = [
            (NOW - NOW % MINUTE_MS + minute * MINUTE_MS, make_candle(trades))
            for minute, trades in sorted(self.stored.items())
        ]
        await self._wait()
        if start is None:
            return [it for it in found if it[0] <= end][-limit:]
        return [it for it in found if start <= it[0] <= end][:limit]

    async def revised_candles(self, *arguments: Any, **wanted: Any) -> RevisedCandles:
        """Return them with the revision."""
        return RevisedCandles(self.revision, await self.candles(*arguments, **wanted))

    async def coins(self, names: Iterable[str]) -> list[Coin]:
        """Return coins."""
        await self._wait()
        return [Coin(it, 2, 2) for it in names]

    async def windows_in_pieces(
        self, now_ms: int, names: Iterable[str], *, length_ms: int
    ) -> AsyncIterator[list[Window]]:
        """Yield a window of each coin: as many trades as it has ms."""
        times, ones = (0, now_ms, now_ms), (Decimal(1),) * 6
        for name in sorted(names):
            await self._wait()
            yield [Window(Coin(name, 2, 2), *times, *ones, length_ms, 1, 7, None, None)]

    async def _wait(self) -> None:
        if self.is_away:
            raise StoreUnavailable("it is away")
        await self.answers.wait()


class Reader:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def push(self, event: Event) -> None:
        """Take an event."""
        self.events.append(json.loads(event.bare))

    def push_all(self, burst: Burst) -> None:
        """Take events."""
        self.events.extend(map(json.loads, burst.bare))

    def candles(self) -> list[tuple[int, int, bool]]:
        """Return (minute from now, trades, is closed) of what was sent since the last call."""
        events, self.events = self.events, []
        minute = NOW // MINUTE_MS
        return [
            (it["t"] // MINUTE_MS - minute, it["n"], it["x"]) for it in (e["k"] for e in events)
        ]


def make_candle(trades: int) -> Candle:
    one = Decimal(1)
    mark = Mark(NOW, 0, 0, one)
    return Candle(mark, mark, one, one, one, one, trades)


def message(minute: int = 0, trades: int = 1) -> bytes:
    """Return a live message of a candle, minutes from now."""
    open_time = NOW - NOW % MINUTE_MS + minute * MINUTE_MS
    candle = PublicCandle(Interval.M1, open_time, "1", "1", "1", "1", "1", "1", trades, 1, 1)
    return messages.encode(LiveMessage([PublicTrade(1, NOW, "1", "1")], [candle]))


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    """Return a hub that runs."""
    hub = Hub(cast(StoreReader, store), LiveGaps(), lambda: NOW)
    await hub.start()
    yield hub
    await hub.stop()


async def begin(hub: Hub, reader: Reader, *wanted: Stream) -> None:
    """Subscribe as a connection does."""
    coins = await hub.find_coins(wanted)
    for stream in wanted:
        hub.subscribe(reader, stream, coins.get(stream.symbol))
    for stream in wanted:
        await hub.send_snapshot(reader, stream)


async def told(reader: Reader) -> list[tuple[int, int, bool]]:
    """Wait until a reader is sent something; return the candles."""

    async def any_event() -> bool:
        return bool(reader.events)

    await eventually(any_event, "the reader is sent something")
    return reader.candles()


async def test_a_new_reader_is_told_the_newest_candle_once(hub: Hub, store: Store) -> None:
    store.names, store.stored = ["BTC"], {-1: 5, 0: 2}
    first, second = Reader(), Reader()
    await begin(hub, first, KLINES)
    assert first.candles() == [(0, 2, False)]
    await begin(hub, second, KLINES)
    assert second.candles() == [(0, 2, False)]
    assert first.candles() == []


async def test_two_who_begin_at_the_same_time_are_both_told(hub: Hub, store: Store) -> None:
    store.names, store.stored = ["BTC"], {0: 2}
    readers = [Reader(), Reader()]
    await asyncio.gather(*(begin(hub, reader, KLINES) for reader in readers))
    assert [reader.candles() for reader in readers] == [[(0, 2, False)]] * 2


async def test_who_begins_while_another_leaves_keeps_its_stream(hub: Hub, store: Store) -> None:
    store.names, store.stored = ["BTC"], {0: 2}
    leaving, staying = Reader(), Reader()
    hub.subscribe(leaving, KLINES, "BTC")
    store.answers.clear()
    beginning = asyncio.gather(hub.send_snapshot(leaving, KLINES), begin(hub, staying, KLINES))
    await asyncio.sleep(0)
    hub.unsubscribe(leaving, KLINES.name)
    store.answers.set()
    await beginning
    staying.candles()
    hub.handle("BTC", message(trades=3))
    assert staying.candles() == [(0, 3, False)]


async def test_who_leaves_while_its_candle_is_being_read_is_sent_nothing(
    hub: Hub, store: Store
) -> None:
    store.stored = {0: 2}
    reader = Reader()
    hub.subscribe(reader, KLINES, "BTC")
    store.answers.clear()
    greeting = asyncio.create_task(hub.send_snapshot(reader, KLINES))
    await asyncio.sleep(0)
    hub.unsubscribe(reader, KLINES.name)
    store.answers.set()
    await greeting
    hub.handle("BTC", message(trades=3))
    assert reader.events == []
    assert hub._channels == {}
    assert hub._by_symbol == {}


async def test_what_is_told_while_the_candle_is_being_read_is_not_taken_back(
    hub: Hub, store: Store
) -> None:
    store.stored = {0: 2}
    reader = Reader()
    hub.subscribe(reader, KLINES, "BTC")
    store.answers.clear()
    greeting = asyncio.create_task(hub.send_snapshot(reader, KLINES))
    await asyncio.sleep(0)
    hub.handle("BTC", message(trades=3))
    hub.handle("BTC", message(minute=1))
    store.answers.set()
    await greeting
    assert reader.candles() == [(0, 3, False), (0, 3, True), (1, 1, False)]


async def test_what_is_told_before_the_candle_is_read_is_not_told_again(hub: Hub) -> None:
    reader = Reader()
    hub.subscribe(reader, KLINES, "BTC")
    hub.handle("BTC", message(trades=3))
    await hub.send_snapshot(reader, KLINES)
    assert reader.candles() == [(0, 3, False)]


async def test_a_trade_of_long_ago_while_the_candle_is_being_read_does_not_hide_it(
    hub: Hub, store: Store
) -> None:
    store.stored = {0: 2}
    reader = Reader()
    hub.subscribe(reader, KLINES, "BTC")
    hub.handle("BTC", message(minute=-9_000))
    await hub.send_snapshot(reader, KLINES)
    assert reader.candles() == [(-9_000, 1, True), (0, 2, False)]


async def test_a_coin_that_comes_later_is_streamed_from_its_first_trade_on(hub: Hub) -> None:
    reader = Reader()
    await begin(hub, reader, KLINES, TRADES)
    hub.handle("BTC", message())
    assert {(it["e"], it["s"]) for it in reader.events} == {("kline", "BTC"), ("trade", "BTC")}


async def test_the_coin_that_has_exactly_the_name_comes_first(hub: Hub, store: Store) -> None:
    store.names = ["BTC", "btc"]
    reader = Reader()
    await begin(hub, reader, TRADES)
    hub.handle("BTC", message())
    hub.handle("btc", message())
    assert [it["s"] for it in reader.events] == ["btc"]


def gap(hub: Hub, *minutes: int, coins: Iterable[str] = ("BTC",)) -> None:
    """Have minutes from now read again that were traded at offsets 0 to 9."""
    times = {NOW - NOW % MINUTE_MS + minute * MINUTE_MS for minute in minutes}
    hub.reread(Span(0, 0, 10), dict.fromkeys(coins, times))


async def test_what_was_changed_in_a_gap_is_told_and_nothing_else(hub: Hub, store: Store) -> None:
    store.names, store.stored = ["BTC"], {-500: 1, -2: 9, -1: 5, 0: 2}
    reader = Reader()
    await begin(hub, reader, KLINES)
    reader.candles()
    store.stored = {-500: 2, -2: 9, -1: 6, 0: 4, 1: 1}
    gap(hub, -500, -1, 0, 1)
    found: list[tuple[int, int, bool]] = []

    async def all_told() -> bool:
        found.extend(reader.candles())
        return len(found) >= 5

    await eventually(all_told, "all is told")
    assert found == [(-500, 2, True), (-1, 6, True), (0, 4, False), (0, 4, True), (1, 1, False)]


async def test_a_channel_that_cannot_be_read_for_does_not_stop_the_others(
    hub: Hub, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.names, store.stored = ["BAD", "BTC"], {0: 2}
    bad, good = Reader(), Reader()
    await begin(hub, bad, parsed("bad@kline_1m"))
    await begin(hub, good, KLINES)
    good.candles()
    store.refused = "BAD"
    for trades in (4, 5):
        store.stored = {0: trades}
        gap(hub, 0, coins=("BAD", "BTC"))
        assert await told(good) == [(0, trades, False)]
    errors = [it for it in caplog.records if it.levelno >= logging.ERROR]
    assert {it.getMessage() for it in errors} == {"Could not read from the store for bad@kline_1m"}


async def test_trades_of_a_gap_are_told_once(
    hub: Hub, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chart_app.websocket.hub.PAGE", 2)
    store.names, store.trade_ids = ["BTC"], [*range(20)]
    reader = Reader()
    await begin(hub, reader, TRADES)
    hub.handle("BTC", messages.encode(LiveMessage([PublicTrade(3, NOW, "1", "1")])))
    gap(hub, 0)

    async def all_told() -> bool:
        return len(reader.events) >= 10

    await eventually(all_told, "all is told")
    assert [it["t"] for it in reader.events] == [3, 0, 1, 2, *range(4, 10)]


async def test_reading_again_while_the_store_hangs_keeps_nobody_waiting(
    hub: Hub, store: Store
) -> None:
    store.names, store.stored = ["BTC"], {0: 2}
    reader = Reader()
    await begin(hub, reader, KLINES)
    reader.candles()
    store.answers.clear()
    gap(hub, 0)
    await asyncio.sleep(0.01)
    hub.handle("BTC", message(trades=3))
    assert reader.candles() == [(0, 3, False)]
    store.answers.set()
    await asyncio.sleep(0.01)
    assert reader.candles() == [], "what was read is older"


async def test_what_could_not_be_read_again_is_read_when_the_store_is_back(
    hub: Hub, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chart_app.websocket.hub.RETRY_INTERVAL_S", 0.01)
    store.names, store.stored = ["BTC"], {-3: 5, 0: 2}
    reader = Reader()
    await begin(hub, reader, KLINES)
    reader.candles()
    store.is_away = True
    gap(hub, -3)
    await asyncio.sleep(0.05)
    store.is_away = False
    assert await told(reader) == [(-3, 5, True)]


async def test_nobody_reads_where_nobody_is(hub: Hub, store: Store) -> None:
    store.names = ["BTC"]
    reader = Reader()
    states = [hub.has_subscribers]
    await begin(hub, reader, TRADES)
    states.append(hub.has_subscribers)
    hub.unsubscribe(reader, TRADES.name)
    states.append(hub.has_subscribers)
    assert states == [False, True, False]


@pytest.mark.parametrize("knows_the_coin", [True, False])
async def test_who_begins_while_the_store_is_away_is_told_when_it_is_back(
    hub: Hub, store: Store, monkeypatch: pytest.MonkeyPatch, knows_the_coin: bool
) -> None:
    monkeypatch.setattr("chart_app.websocket.hub.RETRY_INTERVAL_S", 0.01)
    store.names, store.stored = ["BTC"], {0: 2}
    reader = Reader()
    store.is_away = True
    if knows_the_coin:
        hub.subscribe(reader, KLINES, "BTC")
        await hub.send_snapshot(reader, KLINES)
    else:
        await begin(hub, reader, KLINES)
    assert reader.events == []
    await asyncio.sleep(0.05)
    store.is_away = False
    assert await told(reader) == [(0, 2, False)]


async def test_tickers_are_sent_of_what_was_traded(
    hub: Hub, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chart_app.websocket.hub.TICKER_INTERVAL_S", 0.01)
    store.names = ["BTC", "ETH"]
    one, all_ = Reader(), Reader()
    await begin(hub, one, parsed("eth@miniTicker"))
    await begin(hub, all_, parsed("!miniTicker@arr"))
    store.is_away = True
    hub.handle("ETH", message())
    await asyncio.sleep(1.1)
    assert one.events == all_.events == []
    store.is_away = False

    async def both() -> bool:
        return bool(one.events and all_.events)

    await eventually(both, "the ticker comes once the store is back")
    assert [it["s"] for it in one.events] == ["ETH"]
    assert [[it["s"] for it in event] for event in all_.events] == [["ETH"]]


async def test_an_average_is_that_of_its_own_time(
    hub: Hub, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chart_app.websocket.hub.TICKER_INTERVAL_S", 0.01)
    asked = []
    read = store.windows_in_pieces

    def windows_in_pieces(*given: Any, length_ms: int) -> Any:
        asked.append(length_ms)
        return read(*given, length_ms=length_ms)

    monkeypatch.setattr(store, "windows_in_pieces", windows_in_pieces)
    average, day = Reader(), Reader()
    await begin(hub, average, parsed("eth@avgPrice"))
    await begin(hub, day, parsed("eth@ticker"))
    hub.handle("ETH", message())

    async def both() -> bool:
        return bool(average.events and day.events)

    await eventually(both, "each has its event")
    assert asked == [DAY_MS, AVERAGE_MS]
    assert average.events[0]["e"] == "avgPrice"
    assert (day.events[0]["e"], day.events[0]["n"]) == ("24hrTicker", DAY_MS)


async def test_what_strangers_ask_for_while_the_store_is_away_is_not_kept(
    hub: Hub, store: Store
) -> None:
    store.is_away = True
    for number in range(100):
        reader, stream = Reader(), parsed(f"coin{number}@trade")
        await begin(hub, reader, stream)
        hub.unsubscribe(reader, stream.name)
    assert len(hub._unresolved) <= 1


async def test_candles_of_voided_trades_are_read_again_and_told(hub: Hub, store: Store) -> None:
    store.names, store.stored = ["BTC"], {-3: 5, -2: 4, -1: 3, 0: 2}
    reader = Reader()
    await begin(hub, reader, KLINES)
    reader.events.clear()
    store.stored, store.revision = {-3: 5, -2: 1}, 1
    this_minute = NOW - NOW % MINUTE_MS
    hub.correct({"BTC": {this_minute + it * MINUTE_MS for it in (-2, -1, 0)}, "ETH": {0}})

    async def are_told() -> bool:
        return len(reader.events) >= 4

    await eventually(are_told, "all are told")
    assert {it["revision"] for it in reader.events} == {1}
    flat = reader.events[2]["k"]
    assert [flat[it] for it in "ohlcvqfL"] == [*["1.00"] * 4, "0.00", "0.0000", -1, -1]
    told = reader.candles()
    assert told == [(-2, 1, True), (-1, 0, True), (0, 0, False), (-2, 1, True)]
    newcomer = Reader()
    await begin(hub, newcomer, KLINES)
    assert newcomer.candles() == [(-2, 1, True)]


async def test_of_many_corrected_candles_the_newest_are_told(hub: Hub, store: Store) -> None:
    minutes = range(-2 * MAX_CORRECTED, 1)
    store.names, store.stored = ["BTC"], dict.fromkeys(minutes, 2)
    reader = Reader()
    await begin(hub, reader, KLINES)
    reader.events.clear()
    store.stored, store.revision = dict.fromkeys(minutes, 1), 1
    this_minute = NOW - NOW % MINUTE_MS
    hub.correct({"BTC": {this_minute + it * MINUTE_MS for it in minutes}})

    async def are_told() -> bool:
        return bool(reader.events) and reader.events[-1]["k"]["t"] == this_minute

    await eventually(are_told, "the newest is told")
    assert [minute for minute, *_ in reader.candles()] == [*minutes[-MAX_CORRECTED:]]


async def test_what_was_announced_and_is_not_stored_is_no_void(hub: Hub, store: Store) -> None:
    store.names, store.stored = ["BTC"], {0: 2}
    reader = Reader()
    await begin(hub, reader, KLINES)
    reader.events.clear()
    hub.correct({"BTC": {NOW - NOW % MINUTE_MS - MINUTE_MS}})
    hub.handle("BTC", message(trades=3))
    assert await told(reader) == [(0, 3, False)]
    await asyncio.sleep(0.05)
    assert reader.candles() == []
