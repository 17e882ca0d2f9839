"""The streams of the WebSocket, named as in Binance's spot API.

A name is ``<symbol>@kline_<interval>``, the same with ``@+08:00`` for another time zone than UTC,
or ``<symbol>@`` and another of :class:`Kind`; or one of :data:`OF_ALL_COINS`.
"""

from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

from chart_app.model.intervals import Interval
from chart_app.model.zones import ZonedInterval, parse_offset
from trade_rules import COIN_NAME_MAX_CHARS, has_illegal_characters

#: A character may become three in lower case.
SYMBOL_MAX_CHARS = 3 * COIN_NAME_MAX_CHARS


class Kind(StrEnum):
    """What events a stream has."""

    KLINE = "kline"
    TRADE = "trade"
    AGG_TRADE = "aggTrade"
    MINI_TICKER = "miniTicker"
    TICKER = "ticker"
    AVERAGE_PRICE = "avgPrice"
    BOOK_TICKER = "bookTicker"


#: The streams of all coins. python-binance names the one with how often it is sent.
OF_ALL_COINS = {
    "!miniTicker@arr": Kind.MINI_TICKER,
    "!miniTicker@arr@1000ms": Kind.MINI_TICKER,
    "!ticker@arr": Kind.TICKER,
}


class Stream(NamedTuple):
    """A stream, parsed from its name. ``symbol`` is "" for all coins."""

    name: str
    kind: Kind
    symbol: str
    buckets: ZonedInterval | None = None


def parse(name: str) -> Stream | None:
    """Return the stream of a name, None if there is none of this name."""
    if name in OF_ALL_COINS:
        return Stream(name, OF_ALL_COINS[name], "")
    symbol, _, what = name.rpartition("@")  # the name of a coin may hold an @
    offset_ms = parse_offset(what)
    if offset_ms is not None:
        symbol, _, what = symbol.rpartition("@")
    kind, _, interval = what.partition("_")
    if not 0 < len(symbol) <= SYMBOL_MAX_CHARS or has_illegal_characters(symbol):
        return None
    with suppress(ValueError):
        if kind == Kind.KLINE:
            return Stream(
                name, Kind.KLINE, symbol, ZonedInterval(Interval(interval), offset_ms or 0)
            )
        if what == kind and offset_ms is None:
            return Stream(name, Kind(kind), symbol)
    return None


def parse_all(names: Iterable[str]) -> tuple[list[Stream], list[str]]:
    """Return the streams of names, and the names that are of none."""
    streams, unknown = [], []
    for name in names:
        stream = parse(name)
        if stream:
            streams.append(stream)
        else:
            unknown.append(name)
    return streams, unknown
