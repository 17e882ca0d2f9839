"""The streams of the WebSocket, named as in Binance's spot API.

A name is ``<symbol>@kline_<interval>``, ``<symbol>@trade``, ``<symbol>@aggTrade``,
``<symbol>@miniTicker`` or ``!miniTicker@arr``.
"""

from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

from chart_app.model.intervals import Interval
from trade_rules import COIN_NAME_MAX_CHARS, has_illegal_characters

ALL_TICKERS = "!miniTicker@arr"
#: A character may become three in lower case.
SYMBOL_MAX_CHARS = 3 * COIN_NAME_MAX_CHARS


class Kind(StrEnum):
    """What events a stream has."""

    KLINE = "kline"
    TRADE = "trade"
    AGG_TRADE = "aggTrade"
    MINI_TICKER = "miniTicker"


#: The streams of all coins.
OF_ALL_COINS = {ALL_TICKERS: Kind.MINI_TICKER}


class InvalidStream(ValueError):
    """The text is not the name of a stream."""


class Stream(NamedTuple):
    """A stream, parsed from its name. ``symbol`` is "" for all coins."""

    name: str
    kind: Kind
    symbol: str
    interval: Interval | None


def parse(name: str) -> Stream:
    """Return the stream of a name. Raises :exc:`InvalidStream`."""
    if name in OF_ALL_COINS:
        return Stream(name, OF_ALL_COINS[name], "", None)
    symbol, _, what = name.rpartition("@")  # the name of a coin may hold an @
    kind, _, interval = what.partition("_")
    if 0 < len(symbol) <= SYMBOL_MAX_CHARS and not has_illegal_characters(symbol):
        with suppress(ValueError):
            if kind == Kind.KLINE:
                return Stream(name, Kind.KLINE, symbol, Interval(interval))
            if what == kind:
                return Stream(name, Kind(kind), symbol, None)
    # repr: half of a surrogate pair cannot be sent, and a log must have no control characters.
    raise InvalidStream(f"Invalid request: {name[:SYMBOL_MAX_CHARS]!r} is not a stream")
