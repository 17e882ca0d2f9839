"""The streams of the WebSocket: their names, and their events, as Binance's spot API has them.

Pure. A name is ``<symbol>@kline_<interval>``, ``<symbol>@trade``, ``<symbol>@aggTrade``,
``<symbol>@miniTicker`` or ``!miniTicker@arr``. Numbers in events are text, times ms.
"""

from contextlib import suppress
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from chart_app.live.messages import LiveCandle, LiveTrade
from chart_app.model.intervals import Interval
from chart_app.storage.reader import Day
from chart_app.storage.schema import plain
from records import COIN_NAME_MAX_CHARS, has_illegal_characters

ALL_TICKERS = "!miniTicker@arr"
#: A character in lower case may be three.
SYMBOL_MAX_CHARS = 3 * COIN_NAME_MAX_CHARS

_encode = msgspec.json.Encoder().encode


class Kind(StrEnum):
    """What a stream is of."""

    KLINE = "kline"
    TRADE = "trade"
    AGG_TRADE = "aggTrade"
    MINI_TICKER = "miniTicker"


class InvalidStream(ValueError):
    """The text is not the name of a stream."""


class Stream(NamedTuple):
    """A stream, as its name has it. ``symbol`` is "" for all coins."""

    name: str
    kind: Kind
    symbol: str
    interval: Interval | None


class Event:
    """An event of a stream, encoded once however many read it.

    ``open_time`` is that of its candle, if it has one. ``is_running`` tells that the next event
    of that candle says all that this one does.
    """

    def __init__(
        self, stream: str, content: Any, open_time: int | None = None, *, is_running: bool = False
    ) -> None:
        self.stream = stream
        self.open_time = open_time
        self.is_running = is_running
        self.bare = _encode(content)

    @cached_property
    def combined(self) -> bytes:
        """Return the event as it is sent on ``/stream``."""
        return b'{"stream":%b,"data":%b}' % (_encode(self.stream), self.bare)


class Burst:
    """Events of a stream, all of which are sent: to put one into an outbox costs as much."""

    def __init__(self, events: list[Event]) -> None:
        self.bare = [event.bare for event in events]
        self._events = events

    @cached_property
    def combined(self) -> list[bytes]:
        """Return the events as they are sent on ``/stream``."""
        return [event.combined for event in self._events]


def parse(name: str) -> Stream:
    """Return the stream of a name. Raises :exc:`InvalidStream`."""
    if name == ALL_TICKERS:
        return Stream(name, Kind.MINI_TICKER, "", None)
    symbol, _, what = name.rpartition("@")  # the name of a coin may hold an @
    kind, _, interval = what.partition("_")
    if 0 < len(symbol) <= SYMBOL_MAX_CHARS and not has_illegal_characters(symbol):
        with suppress(ValueError):
            if kind == Kind.KLINE:
                return Stream(name, Kind.KLINE, symbol, Interval(interval))
            if what == kind:
                return Stream(name, Kind(kind), symbol, None)
    # repr: half of a surrogate pair cannot be sent, and who logs it wants no control characters.
    raise InvalidStream(f"Invalid request: {name[:SYMBOL_MAX_CHARS]!r} is not a stream")


def kline(coin: str, candle: LiveCandle, *, closed: bool, now_ms: int) -> dict[str, Any]:
    """Return the event of a candle. Which trades were by takers is not known: V and Q are 0."""
    return {
        "e": "kline",
        "E": now_ms,
        "s": coin,
        "k": {
            "t": candle.open_time,
            "T": candle.interval.end_time(candle.open_time) - 1,
            "s": coin,
            "i": candle.interval,
            "f": candle.first_id,
            "L": candle.last_id,
            "o": candle.open,
            "c": candle.close,
            "h": candle.high,
            "l": candle.low,
            "v": candle.volume,
            "n": candle.trades,
            "x": closed,
            "q": candle.quote_volume,
            "V": "0",
            "Q": "0",
            "B": "0",
        },
    }


def trade(coin: str, it: LiveTrade, now_ms: int) -> dict[str, Any]:
    """Return the event of a trade. Who bought from whom is not known: m is false."""
    return {
        "e": "trade",
        "E": now_ms,
        "s": coin,
        "t": it.id,
        "p": it.price,
        "q": it.amount,
        "T": it.time,
        "m": False,
        "M": True,
    }


def agg_trade(coin: str, it: LiveTrade, now_ms: int) -> dict[str, Any]:
    """Return the event of an aggregate, which is one trade."""
    return {
        "e": "aggTrade",
        "E": now_ms,
        "s": coin,
        "a": it.id,
        "p": it.price,
        "q": it.amount,
        "f": it.id,
        "l": it.id,
        "T": it.time,
        "m": False,
        "M": True,
    }


def mini_ticker(day: Day, now_ms: int) -> dict[str, Any]:
    """Return the event of a coin's last 24 hours."""
    return {
        "e": "24hrMiniTicker",
        "E": now_ms,
        "s": day.coin.name,
        "c": plain(day.close),
        "o": plain(day.open),
        "h": plain(day.high),
        "l": plain(day.low),
        "v": plain(day.volume),
        "q": plain(day.quote_volume),
    }
