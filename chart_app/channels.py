"""One channel a stream that somebody reads: what is stored goes in, events come out. No I/O."""

from collections.abc import Callable, Iterable
from typing import Protocol

from chart_app import streams
from chart_app.intervals import Interval
from chart_app.live import LiveCandle, LiveMessage
from chart_app.streams import Burst, Event, Kind, Stream

#: After the end of an interval a candle's last trades may still be on their way for so long.
CLOSE_GRACE_MS = 1000
#: Candles, the newest, of which is remembered what was told.
REMEMBERED = 20

Clock = Callable[[], int]


class Reader(Protocol):
    """One who reads streams."""

    def push(self, event: Event) -> None:
        """Take an event, without waiting."""

    def push_all(self, burst: Burst) -> None:
        """Take many events at once."""


class Channel:
    """The readers of a stream. ``coin`` is None as long as no coin has the stream's symbol."""

    def __init__(self, stream: Stream, now_ms: Clock) -> None:
        self.stream = stream
        self.coin: str | None = None
        self.readers: set[Reader] = set()
        self._now_ms = now_ms

    def handle(self, message: LiveMessage) -> None:
        """Tell the readers what was stored for the coin."""

    def emit(self, event: Event) -> None:
        """Send an event to all readers."""
        for reader in self.readers:
            reader.push(event)


class TradeChannel(Channel):
    """Trades, each an event."""

    def handle(self, message: LiveMessage) -> None:
        """Tell of each trade."""
        make = streams.trade if self.stream.kind is Kind.TRADE else streams.agg_trade
        coin, name, now = self.coin or "", self.stream.name, self._now_ms()
        burst = Burst([Event(name, make(coin, trade, now)) for trade in message.trades])
        for reader in self.readers:
            reader.push_all(burst)


class KlineChannel(Channel):
    """The running candle, its close, and later corrections of closed ones.

    A candle is closed once the coin's trades have moved past it, or the clock has.
    """

    def __init__(self, stream: Stream, interval: Interval, now_ms: Clock) -> None:
        super().__init__(stream, now_ms)
        self.interval = interval
        self.running: LiveCandle | None = None
        self._is_closed = False
        self.is_loaded = False
        #: The open time from which on all candles are known.
        self.known_since: int | None = None
        #: How many trades those have, by open time. The number only grows: a candle with fewer
        #: is an older state of it, read from the store before or told late.
        self._trades: dict[int, int] = {}

    def load(self, stored: list[LiveCandle]) -> None:
        """Begin with the newest candles of the store, and tell of the last."""
        self.is_loaded = True
        if not stored:
            return
        since = self.known_since = stored[0].open_time
        self._trades = {time: known for time, known in self._trades.items() if time >= since}
        for candle in stored[:-1]:
            self._note(candle)
        self.handle_candles(stored[-1:])

    def handle(self, message: LiveMessage) -> None:
        """Tell of the candles of the channel's interval."""
        self.handle_candles(it for it in message.candles if it.interval == self.interval)

    def handle_candles(self, candles: Iterable[LiveCandle]) -> None:
        """Tell of candles, as far as they are news."""
        for candle in sorted(candles, key=lambda it: it.open_time):
            if not self._note(candle):
                continue
            running = self.running
            if running is None or candle.open_time > running.open_time:
                self._close()
                self._is_closed = self._has_ended(candle)
            elif candle.open_time < running.open_time:
                self.emit(self._event(candle, closed=True))
                continue
            self.running = candle
            self.emit(self._event(candle, closed=self._is_closed))

    def greet(self, reader: Reader) -> None:
        """Send a new reader the newest candle."""
        if self.running:
            reader.push(self._event(self.running, closed=self._is_closed))

    def tick(self) -> None:
        """Close the candle whose time has passed."""
        if self.running and not self._is_closed and self._has_ended(self.running):
            self._close()

    def _note(self, candle: LiveCandle) -> bool:
        """Note a state of a candle; return False if it is no news."""
        if self.known_since is None:
            self.known_since = candle.open_time
        if candle.open_time < self.known_since:
            return True
        if candle.trades <= self._trades.get(candle.open_time, 0):
            return False
        self._trades[candle.open_time] = candle.trades
        if len(self._trades) > REMEMBERED:
            del self._trades[self.known_since]
            self.known_since = min(self._trades)
        return True

    def _close(self) -> None:
        if self.running and not self._is_closed:
            self._is_closed = True
            self.emit(self._event(self.running, closed=True))

    def _has_ended(self, candle: LiveCandle) -> bool:
        end = candle.interval.end_time(candle.open_time)
        return self._now_ms() >= end + CLOSE_GRACE_MS

    def _event(self, candle: LiveCandle, *, closed: bool) -> Event:
        content = streams.kline(self.coin or "", candle, closed=closed, now_ms=self._now_ms())
        return Event(self.stream.name, content, candle.open_time, is_running=not closed)


def make_channel(stream: Stream, now_ms: Clock) -> Channel:
    """Return a channel for the stream."""
    if stream.interval:
        return KlineChannel(stream, stream.interval, now_ms)
    if stream.kind is Kind.MINI_TICKER:
        return Channel(stream, now_ms)
    return TradeChannel(stream, now_ms)
