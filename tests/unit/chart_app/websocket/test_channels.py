import json
from typing import Any

import pytest

from chart_app.live.messages import LiveMessage
from chart_app.model.candles import PublicCandle
from chart_app.model.intervals import DAY_MS, MINUTE_MS, Interval
from chart_app.model.scale import Scale
from chart_app.model.trades import PublicTrade
from chart_app.websocket.channels import (
    CLOSE_GRACE_MS,
    MAX_REMEMBERED_TRADES,
    MAX_STALE,
    REMEMBERED,
    REMEMBERED_TRADES,
    Channel,
    IsSettled,
    KlineChannel,
    OpenTimes,
    TradeChannel,
    make_channel,
)
from chart_app.websocket.events import Burst, Event
from tests.unit.chart_app.websocket.parsed import parsed

NAME = "btc@kline_1m"
#: The running minute begins here.
START = 1_000 * MINUTE_MS
END = START + MINUTE_MS
#: (minutes from START, trades, is closed)
Told = tuple[int, int, bool]


def never_settled(_: int) -> bool:
    return False


class Reader:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def push(self, event: Event) -> None:
        """Take an event."""
        self.events.append(json.loads(event.bare))

    def push_all(self, burst: Burst) -> None:
        """Take events."""
        self.events.extend(map(json.loads, burst.bare))

    def told(self) -> list[Told]:
        """Return what was sent of candles since the last call."""
        events, self.events = self.events, []
        return [((k["t"] - START) // MINUTE_MS, k["n"], k["x"]) for k in (it["k"] for it in events)]


class Bench:
    """A channel of candles with one reader, and the clock."""

    name = NAME

    def __init__(self) -> None:
        self.now = START + 1_000
        channel = make_channel(parsed(self.name), lambda: self.now, never_settled)
        assert isinstance(channel, KlineChannel)
        self.channel = channel
        self.channel.coin = "BTC"
        self.reader = Reader()
        self.channel.add(self.reader)

    def handle(self, *candles: PublicCandle, revision: int = 0) -> list[Told]:
        """Hand a message in; return what the reader is told."""
        self.channel.handle(LiveMessage([], list(candles), revision))
        return self.reader.told()

    def read(self, *stored: PublicCandle, revision: int = 0) -> list[Told] | None:
        """Read again what is to be read, as it is stored; return what the reader is told."""
        if self.channel.next_stale() is None:
            return None
        self.channel.handle_stored(list(stored), revision, is_all=True)
        return self.reader.told()

    def tick(self, now: int) -> list[Told]:
        """Let the clock stand at ``now``; return what the reader is told."""
        self.now = now
        self.channel.tick()
        return self.reader.told()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def candle(minute: int, trades: int, interval: Interval = Interval.M1) -> PublicCandle:
    """Return a candle of so many trades, minutes from START."""
    open_time = START + minute * MINUTE_MS
    return PublicCandle(interval, open_time, "1", "3", "1", "2", "4", "5", trades, 10, 11)


def test_the_running_candle_is_told_with_each_change(bench: Bench) -> None:
    assert bench.handle(candle(0, 1)) == [(0, 1, False)]
    assert bench.handle(candle(0, 3)) == [(0, 3, False)]


def test_a_trade_of_the_next_minute_closes_the_candle_first(bench: Bench) -> None:
    bench.handle(candle(0, 2))
    bench.now = END + 1
    assert bench.handle(candle(1, 1)) == [(0, 2, True), (1, 1, False)]
    assert bench.tick(END + CLOSE_GRACE_MS) == []


def test_without_another_trade_the_clock_closes_the_candle_within_two_seconds(
    bench: Bench,
) -> None:
    bench.handle(candle(0, 2))
    assert bench.tick(END + CLOSE_GRACE_MS - 1) == []
    assert bench.tick(END + CLOSE_GRACE_MS) == [(0, 2, True)]
    assert bench.tick(END + 10_000) == []
    assert CLOSE_GRACE_MS < 2_000


def test_after_the_clock_has_closed_it_the_next_minute_does_not_close_it_again(
    bench: Bench,
) -> None:
    bench.handle(candle(0, 2))
    bench.tick(END + CLOSE_GRACE_MS)
    assert bench.handle(candle(1, 1)) == [(1, 1, False)]


def test_a_late_trade_corrects_the_candle_that_the_clock_has_closed(bench: Bench) -> None:
    bench.handle(candle(0, 2))
    bench.tick(END + CLOSE_GRACE_MS)
    assert bench.handle(candle(0, 3)) == [(0, 3, True)]


def test_a_late_trade_corrects_an_earlier_candle_and_the_running_one_goes_on(
    bench: Bench,
) -> None:
    bench.handle(candle(0, 2))
    bench.now = END + 1
    bench.handle(candle(1, 1))
    assert bench.handle(candle(0, 3)) == [(0, 3, True)]
    assert bench.handle(candle(1, 2)) == [(1, 2, False)]


def test_a_trade_of_long_ago_makes_a_closed_candle(bench: Bench) -> None:
    bench.handle(candle(0, 2))
    for trades in (1, 2):
        assert bench.handle(candle(-500_000, trades)) == []
        assert bench.read(candle(-500_000, trades)) == [(-500_000, trades, True)]
    assert bench.handle(candle(0, 3)) == [(0, 3, False)]


def test_the_same_state_is_not_told_twice(bench: Bench) -> None:
    bench.handle(candle(0, 2))
    assert bench.handle(candle(0, 2)) == []
    bench.handle(candle(1, 1))
    assert bench.handle(candle(0, 2), candle(1, 1)) == []


def test_an_older_state_that_comes_late_takes_nothing_back(bench: Bench) -> None:
    bench.handle(candle(0, 5))
    assert bench.handle(candle(0, 4)) == []
    bench.handle(candle(1, 3))
    assert bench.handle(candle(0, 4), candle(1, 2)) == []


def test_several_candles_in_one_message_are_told_from_old_to_new(bench: Bench) -> None:
    bench.now = START + 2 * MINUTE_MS + 5_000
    assert bench.handle(candle(2, 1), candle(0, 3), candle(1, 2)) == [
        *((0, 3, True), (1, 2, True), (2, 1, False)),
    ]


def test_several_candles_that_have_not_ended_are_closed_by_the_next(bench: Bench) -> None:
    told = bench.handle(candle(0, 3), candle(1, 2))  # from a sender whose clock is ahead
    assert told == [(0, 3, False), (0, 3, True), (1, 2, False)]


def test_a_candle_that_is_over_when_it_is_first_seen_is_closed(bench: Bench) -> None:
    assert bench.handle(candle(-10, 3)) == [(-10, 3, True)]
    assert bench.tick(START + 2_000) == []
    assert bench.handle(candle(0, 1)) == [(0, 1, False)]


def test_candles_of_other_intervals_are_not_told(bench: Bench) -> None:
    assert bench.handle(candle(0, 1, Interval.M3), candle(0, 1)) == [(0, 1, False)]


def test_a_new_reader_is_told_the_newest_candle_as_it_is(bench: Bench) -> None:
    late, later = Reader(), Reader()
    bench.handle(candle(0, 2))
    bench.channel.add(late)
    bench.channel.send_snapshot(late)
    assert late.told() == [(0, 2, False)]
    bench.tick(END + CLOSE_GRACE_MS)
    bench.channel.add(later)
    bench.channel.send_snapshot(later)
    assert later.told() == [(0, 2, True)]
    assert late.told() == [(0, 2, True)]
    assert bench.reader.told() == []


def test_a_new_reader_is_told_a_candle_once(bench: Bench) -> None:
    early, gone = Reader(), Reader()
    for reader in (early, gone):
        bench.channel.add(reader)
        bench.channel.send_snapshot(reader)
    bench.channel.remove(gone)
    bench.handle(candle(0, 2))
    for reader in (early, gone):
        bench.channel.send_snapshot(reader)
    assert early.told() == [(0, 2, False)]
    assert gone.told() == []


def test_what_is_loaded_is_told(bench: Bench) -> None:
    bench.channel.load([candle(0, 2)], 0)
    assert bench.reader.told() == [(0, 2, False)]


def test_what_is_told_late_of_a_loaded_candle_takes_nothing_back(bench: Bench) -> None:
    bench.channel.load([candle(0, 7)], 0)
    bench.reader.told()
    assert bench.handle(candle(0, 6)) == []
    assert bench.handle(candle(0, 8)) == [(0, 8, False)]


def test_what_is_loaded_behind_what_was_told_takes_nothing_back(bench: Bench) -> None:
    bench.handle(candle(0, 5))
    bench.handle(candle(1, 1))
    bench.channel.load([candle(0, 4)], 0)
    assert bench.reader.told() == []
    assert bench.handle(candle(1, 2)) == [(1, 2, False)]


def test_what_is_loaded_is_newer_than_a_late_trade_that_was_told_before(bench: Bench) -> None:
    bench.handle(candle(-9, 1))
    bench.channel.load([candle(0, 2)], 0)
    assert bench.reader.told() == [(0, 2, False)]


@pytest.mark.parametrize("loaded", [[candle(1, 1)], [candle(0, 5), candle(1, 1)]])
def test_a_candle_that_loading_has_passed_is_told_as_it_is_in_the_end(
    bench: Bench, loaded: list[PublicCandle]
) -> None:
    told = bench.handle(candle(0, 1))
    bench.channel.load(loaded, 0)
    told += bench.reader.told()
    told += bench.handle(candle(0, 5))
    assert [it for it in told if it[0] == 0][-1] == (0, 5, True)


def test_nothing_is_told_of_a_coin_without_candles(bench: Bench) -> None:
    bench.channel.load([], 0)
    assert bench.reader.told() == []
    assert bench.tick(END * 2) == []
    assert bench.channel.is_loaded


def test_of_what_is_not_remembered_the_store_is_asked(bench: Bench) -> None:
    for minute in range(3 * REMEMBERED):
        bench.handle(candle(minute, 1))
    assert len(bench.channel._states) == REMEMBERED
    assert bench.handle(candle(2 * REMEMBERED, 1)) == []
    assert not bench.read()
    assert bench.handle(candle(2 * REMEMBERED - 1, 2)) == [], "it may be an older state"
    assert bench.read(candle(2 * REMEMBERED - 1, 4)) == [(2 * REMEMBERED - 1, 4, True)]


def test_what_is_read_again_is_told_and_no_candle_that_only_lies_between(bench: Bench) -> None:
    bench.handle(candle(0, 1))
    bench.channel.mark_stale([candle(-9, 1).open_time, candle(-7, 1).open_time])
    told = bench.read(candle(-9, 3), candle(-8, 3), candle(-7, 3))
    assert told == [(-9, 3, True), (-7, 3, True)]
    assert bench.read() is None


def test_candles_far_apart_are_read_one_by_one(bench: Bench) -> None:
    bench.channel.mark_stale(candle(minute, 1).open_time for minute in (0, -5, -9_000))
    first = bench.channel.next_stale()
    assert first
    assert (first.first, first.last) == (candle(-9_000, 1).open_time,) * 2
    bench.channel.handle_stored([], 0, is_all=True)
    rest = bench.channel.next_stale()
    assert rest
    assert (rest.first, rest.last) == (candle(-5, 1).open_time, START)


def test_a_range_is_read_page_by_page(bench: Bench) -> None:
    bench.channel.mark_stale(candle(minute, 1).open_time for minute in (-3, -2, -1))
    bench.channel.next_stale()
    bench.channel.handle_stored([candle(-3, 1), candle(-2, 1)], 0, is_all=False)
    rest = bench.channel.next_stale()
    assert rest
    assert rest.first == candle(-2, 1).open_time + 1
    bench.channel.handle_stored([candle(-1, 1)], 0, is_all=True)
    assert bench.channel.next_stale() is None
    assert [minute for minute, *_ in bench.reader.told() if minute < 0] == [-3, -2, -1]


def test_however_many_are_to_be_read_again_little_is_kept(bench: Bench) -> None:
    bench.handle(candle(0, 1))
    bench.channel.mark_stale(range(MAX_STALE + 1))
    assert bench.channel._stale == set()
    assert bench.channel.next_stale() == OpenTimes(0, MAX_STALE)
    for start in range(2 * MAX_STALE):
        bench.channel._ranges.append(OpenTimes(start, start))
    assert bench.channel.next_stale() == OpenTimes(0, 2 * MAX_STALE - 1)
    assert len(bench.channel._ranges) == 1


def gone(minute: int) -> PublicCandle:
    """Return a candle that has no trades left, minutes from START."""
    return candle(minute, 0)


def test_of_two_states_that_of_the_higher_revision_is_the_newer(bench: Bench) -> None:
    bench.handle(candle(0, 5))
    assert bench.handle(candle(0, 3), revision=1) == [(0, 3, False)]
    assert bench.handle(candle(0, 6)) == [], "it was broadcast late"
    assert bench.handle(candle(0, 3), revision=1) == []
    assert bench.handle(candle(0, 4), revision=1) == [(0, 4, False)]


def test_events_say_their_revision(bench: Bench) -> None:
    bench.handle(candle(0, 5))
    bench.handle(candle(0, 3), revision=7)
    bench.tick(END + CLOSE_GRACE_MS)
    newcomer = Reader()
    bench.channel.add(newcomer)
    bench.channel.send_snapshot(newcomer)
    assert [it["revision"] for it in newcomer.events] == [7]


def test_which_stale_candles_are_gone_depends_on_how_far_the_store_was_read(bench: Bench) -> None:
    open_times = [candle(minute, 1).open_time for minute in range(-6, 0)]
    bench.channel.mark_stale(open_times[:5])
    bench.channel.next_stale()
    assert bench.channel.gone(open_times[1:3], is_all=False) == [open_times[0]]
    assert bench.channel.gone(open_times[1:3], is_all=True) == [open_times[0], *open_times[3:5]]
    bench.channel.handle_stored([gone(-6), candle(-5, 1), candle(-4, 1)], 1, is_all=False)
    bench.channel.next_stale()
    assert bench.channel.gone([], is_all=True) == open_times[3:5]
    bench.channel.handle_stored([gone(-3), gone(-2)], 1, is_all=True)
    assert [minute for minute, trades, _ in bench.reader.told() if not trades] == [-6, -3, -2]


def test_a_range_of_which_it_is_unknown_what_was_sent_has_none_that_are_gone(bench: Bench) -> None:
    bench.channel.mark_stale(range(MAX_STALE + 1))
    bench.channel.next_stale()
    assert bench.channel.gone([], is_all=True) == []


def test_an_older_candle_that_is_gone_is_told_once(bench: Bench) -> None:
    bench.handle(candle(0, 5), candle(-1, 2))
    bench.reader.told()
    for expected in ([(-1, 0, True)], []):
        bench.channel.mark_stale([candle(-1, 1).open_time])
        assert bench.read(gone(-1), revision=1) == expected
    assert bench.handle(candle(-1, 2)) == [], "it was broadcast late"
    assert bench.handle(candle(-1, 1), revision=1) == [(-1, 1, True)]
    assert bench.handle(candle(0, 6)) == [(0, 6, False)]


def test_when_the_running_candle_is_gone_the_one_before_runs(bench: Bench) -> None:
    bench.handle(candle(0, 5))
    bench.handle(candle(1, 1))
    bench.reader.told()
    bench.channel.mark_stale([candle(1, 1).open_time])
    assert bench.read(gone(1), revision=1) == [(1, 0, False)]
    assert not bench.channel.is_loaded
    bench.channel.load([candle(0, 5)], 1)
    assert bench.reader.told() == [(0, 5, False)], "of another revision"
    assert bench.handle(candle(0, 6), revision=1) == [(0, 6, False)]
    assert bench.handle(candle(1, 1), revision=1) == [(0, 6, True), (1, 1, False)]


def test_the_candle_before_a_gone_one_is_not_told_again_as_it_is(bench: Bench) -> None:
    bench.handle(candle(0, 5), revision=1)
    bench.handle(candle(1, 1), revision=1)
    bench.channel.mark_stale([candle(0, 1).open_time, candle(1, 1).open_time])
    bench.reader.told()
    assert bench.read(candle(0, 5), gone(1), revision=2) == [(0, 5, True), (1, 0, False)]
    bench.channel.load([candle(0, 5)], 2)
    assert bench.reader.told() == []
    newcomer = Reader()
    bench.channel.add(newcomer)
    bench.channel.send_snapshot(newcomer)
    assert newcomer.told() == [(0, 5, False)], "its minute has not ended"
    assert bench.tick(END + CLOSE_GRACE_MS) == [(0, 5, True)]


def test_messages_are_sent_on_after_a_candle_of_the_future_is_gone(bench: Bench) -> None:
    bench.channel.load([candle(50, 1)], 0)
    bench.channel.mark_stale(candle(minute, 1).open_time for minute in (20, 50))
    bench.reader.told()
    assert bench.read(gone(20), revision=1) == [(20, 0, True)]
    assert bench.read(gone(50), revision=1) == [(50, 0, False)]
    bench.channel.load([candle(0, 5)], 1)
    assert bench.reader.told() == [(0, 5, False)]
    assert bench.handle(candle(0, 6), revision=1) == [(0, 6, False)]
    assert bench.handle(candle(20, 1)) == [], "it may be of before the void"
    assert bench.read(gone(20), revision=1) == [(20, 0, False)]
    assert bench.handle(candle(1, 1), revision=1) == [(0, 6, True), (1, 1, False)]


def test_a_candle_that_is_gone_is_not_replaced_where_it_waits_to_be_sent(bench: Bench) -> None:
    class Queue:
        events: list[Event] = []  # noqa: RUF012 - one test

        def push(self, event: Event) -> None:
            self.events.append(event)

        def push_all(self, burst: Burst) -> None:
            raise AssertionError(burst)

    bench.handle(candle(0, 5))
    bench.channel.add(Queue())
    bench.channel.mark_stale([candle(0, 1).open_time])
    assert bench.read(gone(0), revision=1) == [(0, 0, False)]
    assert [it.is_running for it in Queue.events] == [False]


@pytest.mark.parametrize(("kind", "id_field"), [("trade", "t"), ("aggTrade", "a")])
def test_each_trade_is_an_event(kind: str, id_field: str) -> None:
    channel = make_channel(parsed(f"btc@{kind}"), lambda: 5, never_settled)
    assert isinstance(channel, TradeChannel)
    channel.coin = "BTC"
    reader = Reader()
    channel.add(reader)
    channel.handle(LiveMessage([PublicTrade(1, 2, "3", "4"), PublicTrade(2, 2, "3", "4")], []))
    assert [it[id_field] for it in reader.events] == [1, 2]
    assert all(it["e"] == kind and it["s"] == "BTC" for it in reader.events)


def test_a_ticker_has_nothing_to_say_of_a_single_trade() -> None:
    channel = make_channel(parsed("btc@miniTicker"), lambda: 5, never_settled)
    assert type(channel) is Channel
    reader = Reader()
    channel.add(reader)
    channel.handle(LiveMessage([PublicTrade(1, 2, "3", "4")], []))
    assert reader.events == []


def trade_channel(is_settled: IsSettled = never_settled) -> tuple[TradeChannel, Reader]:
    """Return a channel of trades and its reader."""
    channel = make_channel(parsed("btc@trade"), lambda: 5, is_settled)
    assert isinstance(channel, TradeChannel)
    channel.coin = "BTC"
    reader = Reader()
    channel.add(reader)
    return channel, reader


def live_trades(*ids: int) -> list[PublicTrade]:
    return [PublicTrade(id_, 2, "3", "4") for id_ in ids]


def test_a_trade_comes_once_by_message_or_from_the_store() -> None:
    channel, reader = trade_channel()
    channel.handle(LiveMessage(live_trades(1, 2), []))
    channel.gaps.append(range(1, 5))
    channel.handle(LiveMessage(live_trades(4), []))
    channel.send(live_trades(1, 2, 3, 4))
    channel.close_gap()
    channel.handle(LiveMessage(live_trades(2, 3, 5), []))
    assert [it["t"] for it in reader.events] == [1, 2, 4, 3, 5]
    assert not channel.is_stale


def test_only_trades_that_may_be_in_a_gap_are_remembered() -> None:
    channel, _ = trade_channel(lambda id_: id_ < 10 * REMEMBERED_TRADES)
    for id_ in range(10 * REMEMBERED_TRADES + 3):
        channel.handle(LiveMessage(live_trades(id_), []))
    assert len(channel._sent) <= REMEMBERED_TRADES


def test_what_is_remembered_of_trades_is_bounded() -> None:
    channel, _ = trade_channel()
    channel.send(live_trades(*range(MAX_REMEMBERED_TRADES + 1)))
    assert len(channel._sent) <= MAX_REMEMBERED_TRADES


class BookBench(Bench):
    """A channel of the last price with one reader."""

    name = "btc@bookTicker"

    def of_month(self, trades: int, close: str, month: int = 0) -> list[dict[str, Any]]:
        """Hand in the candle of a month; return what the reader is told."""
        self.channel.handle(LiveMessage([], [monthly(trades, close, month)]))
        return self.prices()

    def prices(self) -> list[dict[str, Any]]:
        """Return what the reader is told since the last call."""
        events, self.reader.events = self.reader.events, []
        return events


def monthly(trades: int, close: str, month: int = 0) -> PublicCandle:
    """Return the candle of a month."""
    open_time = Interval.MONTH.open_time(START)
    for _ in range(month):
        open_time = Interval.MONTH.end_time(open_time)
    return PublicCandle(
        Interval.MONTH, open_time, "1", "9", "1", close, "4", "5", trades, 10, 10 + trades
    )


def test_the_last_price_is_told_when_it_changes_as_bid_and_ask() -> None:
    bench = BookBench()
    bench.channel.scale = Scale(2, 1)
    (event,) = bench.of_month(1, "2")
    assert event == {"u": 11, "s": "BTC", "b": "2.00", "B": "0.0", "a": "2.00", "A": "0.0"}
    assert bench.of_month(2, "2") == []
    assert [(it["u"], it["b"]) for it in bench.of_month(3, "2.5")] == [(13, "2.50")]
    assert bench.of_month(2, "2") == [], "a message that is late"


def test_the_last_price_is_that_of_the_newest_month() -> None:
    bench = BookBench()
    bench.of_month(1, "2", month=1)
    assert bench.of_month(1, "7", month=0) == []
    assert bench.of_month(1, "2", month=2) == []
    assert [it["b"] for it in bench.of_month(2, "3", month=2)] == ["3"]
    assert bench.tick(Interval.MONTH.end_time(START + 100 * DAY_MS)) == []


def test_a_new_reader_is_told_the_last_price_at_once_and_others_not_again() -> None:
    bench = BookBench()
    bench.of_month(1, "2")
    late = Reader()
    bench.channel.add(late)
    assert bench.of_month(2, "2") == []
    bench.channel.send_snapshot(late)
    bench.channel.send_snapshot(late)
    assert [(it["u"], it["b"]) for it in late.events] == [(12, "2")]
    assert bench.reader.events == []


def test_when_the_last_trade_is_void_the_price_is_that_of_the_one_before() -> None:
    bench = BookBench()
    bench.of_month(2, "7")
    bench.channel.mark_stale([monthly(2, "7").open_time])
    assert bench.channel.next_stale()
    bench.channel.handle_stored([monthly(1, "2")], 1, is_all=True)
    assert [(it["u"], it["b"]) for it in bench.prices()] == [(11, "2")]
    assert bench.of_month(2, "7") == [], "a message of before the void"


@pytest.mark.parametrize("revision", [0, 1])
def test_when_a_whole_month_is_void_the_price_is_that_of_the_month_before(revision: int) -> None:
    bench = BookBench()
    bench.of_month(1, "2")
    bench.of_month(1, "7", month=1)
    bench.channel.mark_stale([monthly(1, "7", month=1).open_time])
    assert bench.channel.next_stale()
    bench.channel.handle_stored([monthly(0, "2", month=1)], 1, is_all=True)
    assert bench.prices() == []
    bench.channel.load([monthly(1, "2")], revision)
    assert [it["b"] for it in bench.prices()] == ["2"]
    assert bench.channel.is_loaded
    newcomer = Reader()
    bench.channel.add(newcomer)
    bench.channel.send_snapshot(newcomer)
    assert [it["b"] for it in newcomer.events] == ["2"]
