"""One channel a stream that has subscribers: what is stored goes in, events come out. No I/O.

Messages may be missing, come late or in another order than they were stored in. What a channel
cannot tell from a message it has read again from the store, which is never out of date.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from chart_app.live.messages import LiveMessage
from chart_app.model import binance
from chart_app.model.candles import PublicCandle
from chart_app.model.intervals import Interval
from chart_app.model.trades import PublicTrade
from chart_app.websocket.events import Burst, Event
from chart_app.websocket.streams import Kind, Stream

#: After the end of an interval a candle's last trades may still be on their way for so long.
CLOSE_GRACE_MS = 1000
#: Candles, the newest, of which is remembered what was sent.
REMEMBERED = 20
#: Candles farther apart than so many intervals are not read again in one go.
NEARBY = 20
#: Candles to be read again of a channel. If there are more, all between them are.
MAX_STALE = 10_000
#: Trades that are remembered at least; those that are in no gap are forgotten.
REMEMBERED_TRADES = 500
#: And at most: with more, a gap that is read may send some of them again.
MAX_REMEMBERED_TRADES = 20_000
#: Gaps that are remembered as read.
REMEMBERED_GAPS = 100

Clock = Callable[[], int]
#: Tells of a trade's id whether it can be in no gap any more.
IsSettled = Callable[[int], bool]


class OpenTimes(NamedTuple):
    """Candles to be read again: from the first open time to the last, or only some of these."""

    first: int
    last: int
    only: frozenset[int] | None = None


class Subscriber(Protocol):
    """One who reads streams."""

    def push(self, event: Event) -> None:
        """Take an event, without waiting."""

    def push_all(self, burst: Burst) -> None:
        """Take many events at once."""


class Channel:
    """The subscribers of a stream. ``coin`` is None as long as no coin has the stream's symbol."""

    def __init__(self, stream: Stream, now_ms: Clock) -> None:
        self.stream = stream
        self.coin: str | None = None
        #: The store could not be asked whether there is such a coin.
        self.is_sought = False
        self.subscribers: set[Subscriber] = set()
        self._now_ms = now_ms

    @property
    def is_stale(self) -> bool:
        """Return whether there is something to be read from the store."""
        return self.is_sought

    def handle(self, message: LiveMessage) -> None:
        """Send the subscribers what was stored for the coin."""

    def emit(self, event: Event) -> None:
        """Send an event to all subscribers."""
        for subscriber in self.subscribers:
            subscriber.push(event)


class TradeChannel(Channel):
    """Trades, each an event, each once."""

    def __init__(self, stream: Stream, now_ms: Clock, is_settled: IsSettled) -> None:
        super().__init__(stream, now_ms)
        self._is_settled = is_settled
        #: Ids of trades that were sent, in this order.
        self._sent: dict[int, None] = {}
        self._forget_at = REMEMBERED_TRADES
        #: Ids of the trades of a gap that are to be read from the store.
        self.gaps: deque[range] = deque()
        self._read: deque[range] = deque(maxlen=REMEMBERED_GAPS)

    @property
    def is_stale(self) -> bool:
        """Return whether there is a gap to be read."""
        return bool(self.is_sought or self.gaps)

    def handle(self, message: LiveMessage) -> None:
        """Send each trade, but for those of gaps that were read meanwhile."""
        trades = message.trades
        if self._read:
            trades = [it for it in trades if not any(it.id in gap for gap in self._read)]
        self.send(trades)

    def send(self, trades: Iterable[PublicTrade]) -> None:
        """Send each trade that was not sent before."""
        make = binance.trade_event if self.stream.kind is Kind.TRADE else binance.agg_trade_event
        coin, name, now = self.coin or "", self.stream.name, self._now_ms()
        new = {it.id: it for it in trades if it.id not in self._sent}
        burst = Burst([Event(name, make(coin, trade, now)) for trade in new.values()])
        for subscriber in self.subscribers:
            subscriber.push_all(burst)
        self._sent.update(dict.fromkeys(new))
        if len(self._sent) > self._forget_at and not self.gaps:
            self._forget()

    def close_gap(self) -> None:
        """Note that all trades of the first gap were read and sent."""
        self._read.append(self.gaps.popleft())

    def _forget(self) -> None:
        self._sent = {id_: None for id_ in self._sent if not self._is_settled(id_)}
        if len(self._sent) > MAX_REMEMBERED_TRADES:
            self._sent = dict.fromkeys(list(self._sent)[MAX_REMEMBERED_TRADES // 2 :])
        # Twice as many, so that looking at all of them is not done for each message.
        self._forget_at = max(REMEMBERED_TRADES, 2 * len(self._sent))


class KlineChannel(Channel):
    """The running candle, its close, and later corrections of closed ones.

    A candle is closed once the coin's trades have moved past it, or the clock has.
    """

    def __init__(self, stream: Stream, interval: Interval, now_ms: Clock) -> None:
        super().__init__(stream, now_ms)
        self.interval = interval
        self.running: PublicCandle | None = None
        self._is_closed = False
        self.is_loaded = False
        #: The open time from which on it is remembered what was sent.
        self._remembered_since: int | None = None
        #: How many trades those candles had, by open time. The number only grows: a candle with
        #: fewer is an older state of it, read before or broadcast late.
        self._trades: dict[int, int] = {}
        self._stale: set[int] = set()
        self._ranges: deque[OpenTimes] = deque()

    @property
    def is_stale(self) -> bool:
        """Return whether there are candles to be read."""
        return bool(self.is_sought or self._stale or self._ranges or not self.is_loaded)

    def load(self, newest: list[PublicCandle]) -> None:
        """Begin with the newest candle of the store, if there is one."""
        self.is_loaded = True
        self.send(newest)

    def handle(self, message: LiveMessage) -> None:
        """Send the candles of the channel's interval.

        Of those that are older than what is remembered the message may be an older state: they
        are read again.
        """
        since = self._remembered_since
        candles = [it for it in message.candles if it.interval == self.interval]
        if since is not None:
            self.mark_stale(it.open_time for it in candles if it.open_time < since)
            candles = [it for it in candles if it.open_time >= since]
        self.send(candles)

    def mark_stale(self, open_times: Iterable[int]) -> None:
        """Have candles read again."""
        self._stale.update(open_times)
        if len(self._stale) > MAX_STALE:
            self._ranges.append(OpenTimes(min(self._stale), max(self._stale)))
            self._stale.clear()

    def next_stale(self) -> OpenTimes | None:
        """Return what is to be read next; when it was read, :meth:`read` is to be told."""
        self._ranges.extend(_nearby(sorted(self._stale), self.interval))
        self._stale.clear()
        if len(self._ranges) > MAX_STALE:
            first, last = min(it.first for it in self._ranges), max(it.last for it in self._ranges)
            self._ranges = deque([OpenTimes(first, last)])
        return self._ranges[0] if self._ranges else None

    def read(self, candles: list[PublicCandle], *, is_all: bool) -> None:
        """Send candles of the store: the first of what is to be read next, or all of it."""
        wanted = self._ranges.popleft()
        if not is_all:
            self._ranges.appendleft(wanted._replace(first=candles[-1].open_time + 1))
        self.send(it for it in candles if wanted.only is None or it.open_time in wanted.only)

    def send(self, candles: Iterable[PublicCandle]) -> None:
        """Send candles, as far as they are news."""
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

    def greet(self, subscriber: Subscriber) -> None:
        """Send a new subscriber the newest candle."""
        if self.running:
            subscriber.push(self._event(self.running, closed=self._is_closed))

    def tick(self) -> None:
        """Close the candle whose time has passed."""
        if self.running and not self._is_closed and self._has_ended(self.running):
            self._close()

    def _note(self, candle: PublicCandle) -> bool:
        """Note a state of a candle; return False if it is no news."""
        if self._remembered_since is None:
            self._remembered_since = candle.open_time
        if candle.open_time < self._remembered_since:
            return True
        if candle.trades <= self._trades.get(candle.open_time, 0):
            return False
        self._trades[candle.open_time] = candle.trades
        if len(self._trades) > REMEMBERED:
            del self._trades[min(self._trades)]
            self._remembered_since = min(self._trades)
        return True

    def _close(self) -> None:
        if self.running and not self._is_closed:
            self._is_closed = True
            self.emit(self._event(self.running, closed=True))

    def _has_ended(self, candle: PublicCandle) -> bool:
        end = candle.interval.end_time(candle.open_time)
        return self._now_ms() >= end + CLOSE_GRACE_MS

    def _event(self, candle: PublicCandle, *, closed: bool) -> Event:
        content = binance.kline_event(self.coin or "", candle, closed=closed, now_ms=self._now_ms())
        return Event(self.stream.name, content, candle.open_time, is_running=not closed)


def _nearby(open_times: list[int], interval: Interval) -> Iterable[OpenTimes]:
    """Yield sorted open times, those together that are not far from each other."""
    group: list[int] = []
    for open_time in open_times:
        if group and interval.back(open_time, NEARBY) > group[-1]:
            yield OpenTimes(group[0], group[-1], frozenset(group))
            group = []
        group.append(open_time)
    if group:
        yield OpenTimes(group[0], group[-1], frozenset(group))


def make_channel(stream: Stream, now_ms: Clock, is_settled: IsSettled) -> Channel:
    """Return a channel for the stream."""
    if stream.interval:
        return KlineChannel(stream, stream.interval, now_ms)
    if stream.kind is Kind.MINI_TICKER:
        return Channel(stream, now_ms)
    return TradeChannel(stream, now_ms, is_settled)
