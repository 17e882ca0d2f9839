"""The events of streams, encoded once for all subscribers."""

from functools import cached_property
from typing import Any

import msgspec

from chart_app.model.coins import Day
from chart_app.model.decimals import plain
from chart_app.websocket.streams import Kind

_encode = msgspec.json.Encoder().encode


def encoded(content: Any) -> msgspec.Raw:
    """Return what can be put into several events at the cost of one."""
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


def mini_ticker(day: Day, now_ms: int) -> dict[str, Any]:
    """Return the ``24hrMiniTicker`` event of a coin's last 24 hours."""
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


#: The shapes of tickers, by the kind of their streams.
TICKERS = {Kind.MINI_TICKER: mini_ticker}
