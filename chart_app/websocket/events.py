"""The events of streams, encoded once for all subscribers."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import msgspec

from chart_app.model.binance.tickers import (
    AVERAGE_MS,
    Ticker,
    average_price_event,
    mini_ticker_event,
    ticker_event,
)
from chart_app.model.intervals import DAY_MS
from chart_app.websocket.streams import Kind

_encode = msgspec.json.Encoder().encode
TickerShape = Callable[[Ticker, int], dict[str, Any]]
#: What makes the events that are sent once a second, by the length of the window (ms) that they
#: are about, and by the kind of their streams.
TICKERS: dict[int, dict[Kind, TickerShape]] = {
    DAY_MS: {Kind.MINI_TICKER: mini_ticker_event, Kind.TICKER: ticker_event},
    AVERAGE_MS: {Kind.AVERAGE_PRICE: average_price_event},
}


def encoded(content: Any) -> msgspec.Raw:
    """Return a content as JSON, which may be a part of other contents."""
    return msgspec.Raw(_encode(content))


class Event:
    """An event of a stream, encoded once for all subscribers.

    ``open_time`` (ms) is that of its candle, if it has one. ``is_running`` means that the next
    event of that candle replaces this one.
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
    """Events of a stream that are queued together, at the cost of one, and are all sent."""

    def __init__(self, events: list[Event]) -> None:
        self.bare = [event.bare for event in events]
        self._events = events

    @cached_property
    def combined(self) -> list[bytes]:
        """Return the events as they are sent on ``/stream``."""
        return [event.combined for event in self._events]
