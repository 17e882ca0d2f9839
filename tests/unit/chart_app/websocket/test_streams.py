import json

import pytest

from chart_app.model.binance.klines import Kline, kline_event
from chart_app.model.binance.trades import agg_trade_event, trade_event
from chart_app.model.candles import PublicCandle
from chart_app.model.intervals import HOUR_MS, Interval
from chart_app.model.scale import Scale
from chart_app.model.trades import PublicTrade
from chart_app.model.zones import ZonedInterval
from chart_app.websocket import streams
from chart_app.websocket.events import Burst, Event
from chart_app.websocket.requests import unknown_streams
from chart_app.websocket.streams import Kind, Stream
from tests.unit.chart_app.websocket.parsed import parsed

CANDLE = PublicCandle(Interval.M1, 60_000, "1", "3", "0.5", "2", "10", "20.5", 4, 100, 103)
KLINE = Kline(CANDLE, 120_000, Scale(1, 0))


@pytest.mark.parametrize("interval", Interval)
def test_every_interval_has_a_stream(interval: Interval) -> None:
    name = f"btc@kline_{interval}"
    assert streams.parse(name) == Stream(name, Kind.KLINE, "btc", ZonedInterval(interval, 0))


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.KLINE}))
def test_a_stream_of_another_kind_has_no_interval(kind: Kind) -> None:
    assert streams.parse(f"btc@{kind}") == Stream(f"btc@{kind}", kind, "btc")


@pytest.mark.parametrize("kind", [Kind.MINI_TICKER, Kind.TICKER])
def test_a_stream_of_all_coins_has_no_symbol(kind: Kind) -> None:
    assert streams.parse(f"!{kind}@arr") == Stream(f"!{kind}@arr", kind, "")


@pytest.mark.parametrize("symbol", ["BTC", "a@b", "비트코인", "a/b:c", "x" * 64, "@", "kline_1m"])
def test_the_symbol_is_all_before_the_last_at_sign(symbol: str) -> None:
    assert parsed(f"{symbol}@kline_1m").symbol == symbol
    assert parsed(f"{symbol}@trade").symbol == symbol


@pytest.mark.parametrize(
    "name",
    [
        *("", "@", "btc", "btc@", "@trade", "@kline_1m", "btc@kline", "btc@kline_", "btc@kline_1"),
        *("btc@kline_2m", "btc@kline_1m_", "btc@trade_", "btc@trade_1m", "btc@depth", "btc@TRADE"),
        *("btc@miniTicker_", "!miniTicker@arr@trade_", "!bookTicker@arr", "x" * 10_000 + "@trade"),
        *("a\0@trade", "\x1b[2J@kline_1m", "a\r\n@trade", "\x9b@trade", "\ud800@kline_1m"),
    ],
)
def test_anything_else_is_no_stream(name: str) -> None:
    assert streams.parse(name) is None
    said = unknown_streams([name])
    assert len(said) < 300
    assert said.isprintable(), "it is sent, and may be logged"


def test_of_many_unknown_streams_the_first_are_named() -> None:
    said = unknown_streams([f"x{it}" for it in range(100)])
    assert said == "Invalid request: 'x0', 'x1', 'x2', 'x3', 'x4' and 95 more is not a stream"


def test_a_month_is_told_from_a_minute() -> None:
    assert parsed("btc@kline_1M").buckets == (Interval.MONTH, 0)
    assert parsed("btc@kline_1m").buckets == (Interval.M1, 0)


@pytest.mark.parametrize(("zone", "hours"), [("+08:00", 8), ("-05:00", -5), ("+5:30", 5.5)])
def test_klines_may_be_of_a_time_zone(zone: str, hours: float) -> None:
    name = f"a@b@kline_1d@{zone}"
    buckets = ZonedInterval(Interval.D1, int(hours * HOUR_MS))
    assert parsed(name) == Stream(name, Kind.KLINE, "a@b", buckets)


@pytest.mark.parametrize(
    "name", ["btc@trade@+08:00", "btc@kline_1d@+15:00", "btc@kline_1d@Asia/Seoul", "@+08:00"]
)
def test_no_other_stream_has_a_zone_and_no_zone_is_elsewhere(name: str) -> None:
    assert streams.parse(name) is None


def test_the_event_of_a_candle_has_all_fields_of_the_right_types() -> None:
    event = kline_event("BTC", KLINE, 5, closed=True, now_ms=7)
    assert event == {
        "e": "kline",
        "E": 7,
        "s": "BTC",
        "k": {
            "t": 60_000,
            "T": 119_999,
            "s": "BTC",
            "i": "1m",
            "f": 100,
            "L": 103,
            "o": "1.0",
            "c": "2.0",
            "h": "3.0",
            "l": "0.5",
            "v": "10",
            "n": 4,
            "x": True,
            "q": "20.5",
            "V": "0",
            "Q": "0.0",
            "B": "0",
        },
        "revision": 5,
    }
    assert event["k"]["x"] is True


def test_the_events_of_a_trade_have_all_fields() -> None:
    trade = PublicTrade(9, 1_000, "1.50", "2")
    assert trade_event("BTC", trade, 7) == {
        "e": "trade",
        "E": 7,
        "s": "BTC",
        "t": 9,
        "p": "1.50",
        "q": "2",
        "b": 0,
        "a": 0,
        "T": 1_000,
        "m": False,
        "M": True,
    }
    assert agg_trade_event("BTC", trade, 7) == {
        "e": "aggTrade",
        "E": 7,
        "s": "BTC",
        "a": 9,
        "p": "1.50",
        "q": "2",
        "f": 9,
        "l": 9,
        "T": 1_000,
        "m": False,
        "M": True,
    }


def test_a_combined_event_names_its_stream_exactly() -> None:
    name = 'b"t\\c é@trade'
    event = Event(name, {"e": "trade"})
    assert json.loads(event.bare) == {"e": "trade"}
    assert json.loads(event.combined) == {"stream": name, "data": {"e": "trade"}}
    burst = Burst([event, event])
    assert burst.bare == [event.bare] * 2
    assert burst.combined == [event.combined] * 2
