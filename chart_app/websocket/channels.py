"""A channel for each stream that has subscribers: live messages in, events out. No I/O.

Live messages may be missing, late, or in another order than they were stored in. What a channel
cannot tell from a message is read from the store, which is never out of date.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from chart_app.live.messages import CoinChange
from chart_app.model.binance.klines import Kline, kline_event
from chart_app.model.binance.tickers import LastPrice, book_ticker_event
from chart_app.model.binance.trades import agg_trade_event, trade_event
from chart_app.model.candles import PublicCandle
from chart_app.model.intervals import Interval
from chart_app.model.scale import Scale
from chart_app.model.trades import PublicTrade
from chart_app.model.zones import ZonedInterval
from chart_app.websocket.events import Burst, Event
from chart_app.websocket.streams import Kind, Stream
from streaming.clock import NowMs

#: How long after the end of its interval the last trades of a candle may still arrive.
CLOSE_GRACE_MS = 1000
#: For how many of the newest candles it is remembered what was sent.
REMEMBERED = 20
#: Candles that are more than this many intervals apart are read by separate queries.
NEARBY = 20
#: Stale candles of a channel. With more, all candles from the first to the last are read.
MAX_STALE = 10_000
#: Sent trades that are remembered at least; with more, those that are settled are forgotten.
REMEMBERED_TRADES = 500
#: And at most: with more, reading a gap may send some of them again.
MAX_REMEMBERED_TRADES = 20_000
#: Gaps of which it is remembered that they were read.
REMEMBERED_GAPS = 100

#: Returns whether the trade of an id can no longer be in a gap.
IsSettled = Callable[[int], bool]


class OpenTimes(NamedTuple):
    """Candles to read, from the first open time to the last (ms), inclusive, or ``only`` some."""

    first: int
    last: int
    only: frozenset[int] | None = None


class Subscriber(Protocol):
    """A receiver of events."""

    def push(self, event: Event) -> None:
        """Receive an event, without waiting."""

    def push_all(self, burst: Burst) -> None:
        """Receive many events at once."""


class Channel:
    """A stream and its subscribers. ``coin`` is None until a coin has the stream's symbol."""

    #: Whether what is stale is read at the next tick only, however often it changes until then.
    is_patient = False

    def __init__(self, stream: Stream, now_ms: NowMs) -> None:
        self.stream = stream
        self.coin: str | None = None
        #: The decimal places of the coin, as far as they are known.
        self.scale = Scale(0, 0)
        #: Whether the coin must still be looked up: the store did not answer.
        self.needs_coin = False
        self.subscribers: set[Subscriber] = set()
        self._now_ms = now_ms

    @property
    def is_stale(self) -> bool:
        """Return whether something must be read from the store."""
        return self.needs_coin

    def add(self, subscriber: Subscriber) -> None:
        """Add a subscriber."""
        self.subscribers.add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Remove a subscriber."""
        self.subscribers.discard(subscriber)

    def handle(self, change: CoinChange) -> None:
        """Send the subscribers the events of a change of the coin."""

    def emit(self, event: Event) -> None:
        """Send an event to all subscribers."""
        for subscriber in self.subscribers:
            subscriber.push(event)


class TradeChannel(Channel):
    """Sends each trade as an event, and only once."""

    def __init__(self, stream: Stream, now_ms: NowMs, is_settled: IsSettled) -> None:
        super().__init__(stream, now_ms)
        self._is_settled = is_settled
        #: Ids of the trades that were sent, oldest first.
        self._sent: dict[int, None] = {}
        self._forget_at = REMEMBERED_TRADES
        #: Ranges of trade ids, of gaps that are still to be read from the store.
        self.gaps: deque[range] = deque()
        self._read_gaps: deque[range] = deque(maxlen=REMEMBERED_GAPS)

    @property
    def is_stale(self) -> bool:
        """Return whether a gap, or the coin, must be read from the store."""
        return bool(self.needs_coin or self.gaps)

    def handle(self, change: CoinChange) -> None:
        """Send each trade, except those of gaps that have been read."""
        trades = change.trades
        if self._read_gaps:
            trades = [it for it in trades if not any(it.id in gap for gap in self._read_gaps)]
        self.send(trades)

    def send(self, trades: Iterable[PublicTrade]) -> None:
        """Send each trade that was not sent before."""
        make = trade_event if self.stream.kind is Kind.TRADE else agg_trade_event
        coin, name, now = self.coin or "", self.stream.name, self._now_ms()
        new = {it.id: it for it in trades if it.id not in self._sent}
        burst = Burst(
            [Event(name, make(coin, trade.padded(self.scale), now)) for trade in new.values()]
        )
        for subscriber in self.subscribers:
            subscriber.push_all(burst)
        self._sent.update(dict.fromkeys(new))
        if len(self._sent) > self._forget_at and not self.gaps:
            self._forget()

    def close_gap(self) -> None:
        """Record that all trades of the first gap were read and sent."""
        self._read_gaps.append(self.gaps.popleft())

    def _forget(self) -> None:
        self._sent = {id_: None for id_ in self._sent if not self._is_settled(id_)}
        if len(self._sent) > MAX_REMEMBERED_TRADES:
            self._sent = dict.fromkeys(list(self._sent)[MAX_REMEMBERED_TRADES // 2 :])
        # Twice as many, so that not every message leads to a scan of all.
        self._forget_at = max(REMEMBERED_TRADES, 2 * len(self._sent))


class KlineChannel(Channel):
    """Sends the running candle, its close, and corrections of closed candles.

    A candle is closed once the coin's trades have moved past it, or the clock has.
    """

    def __init__(self, stream: Stream, buckets: ZonedInterval, now_ms: NowMs) -> None:
        super().__init__(stream, now_ms)
        self.buckets = buckets
        self.running: PublicCandle | None = None
        self._running_revision = 0
        self._is_closed = False
        #: Subscribers that have not been sent a running candle yet.
        self._newcomers: set[Subscriber] = set()
        self.is_loaded = False
        #: The open time (ms) of the first candle of which it is remembered what was sent.
        self._remembered_since: int | None = None
        #: The revision and the number of trades of those candles, by open time. Within a revision
        #: the number only grows: a smaller state is an older one, read earlier or broadcast late.
        self._states: dict[int, tuple[int, int]] = {}
        #: The revision since which all that was sent is remembered.
        self._remembered_revision = 0
        self._stale: set[int] = set()
        self._ranges: deque[OpenTimes] = deque()

    @property
    def is_stale(self) -> bool:
        """Return whether candles, or the coin, must be read from the store."""
        return bool(self.needs_coin or self._stale or self._ranges or not self.is_loaded)

    def add(self, subscriber: Subscriber) -> None:
        """Add a subscriber, which is sent a snapshot or the next running candle."""
        super().add(subscriber)
        self._newcomers.add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Remove a subscriber."""
        super().remove(subscriber)
        self._newcomers.discard(subscriber)

    def load(self, newest: list[PublicCandle], revision: int) -> None:
        """Start with the newest candle of the store, if there is one."""
        self.is_loaded = True
        self.send(newest, revision)

    def handle(self, change: CoinChange) -> None:
        """Send the candles of the channel's interval.

        Candles that are older than the remembered ones may be in an older state in the change:
        they are read from the store.
        """
        candles = change.candles_of(self.buckets.interval)
        older = {it.open_time for it in candles if self._may_be_older(it, change.revision)}
        self.mark_stale(older)
        self.send((it for it in candles if it.open_time not in older), change.revision)

    def _may_be_older(self, candle: PublicCandle, revision: int) -> bool:
        """Return whether a broadcast state may be older than what was sent, for all it is known."""
        if candle.open_time in self._states:
            return False
        since = self._remembered_since
        is_before = since is not None and candle.open_time < since
        return is_before or revision < self._remembered_revision

    def mark_stale(self, open_times: Iterable[int]) -> None:
        """Mark candles as stale: they are read from the store again."""
        self._stale.update(open_times)
        if len(self._stale) > MAX_STALE:
            self._ranges.append(OpenTimes(min(self._stale), max(self._stale)))
            self._stale.clear()

    def next_stale(self) -> OpenTimes | None:
        """Return the stale candles to read next, for :meth:`handle_stored`, or None."""
        self._ranges.extend(_group_nearby(sorted(self._stale), self.buckets))
        self._stale.clear()
        if len(self._ranges) > MAX_STALE:
            first, last = min(it.first for it in self._ranges), max(it.last for it in self._ranges)
            self._ranges = deque([OpenTimes(first, last)])
        return self._ranges[0] if self._ranges else None

    def gone(self, stored: Sequence[int], *, is_all: bool) -> list[int]:
        """Return the open times of the stale candles to read next that are not stored any more.

        ``stored`` are those of the first candles that are, or of all of them.
        """
        wanted = self._ranges[0]
        end = wanted.last if is_all else stored[-1]
        return sorted(it for it in (wanted.only or set()) - {*stored} if wanted.first <= it <= end)

    def handle_stored(self, candles: list[PublicCandle], revision: int, *, is_all: bool) -> None:
        """Send candles read from the store: the first stale ones to read next, or all of them.

        Those that are :meth:`gone` are among them, without trades.
        """
        wanted = self._ranges.popleft()
        if not is_all:
            self._ranges.appendleft(wanted._replace(first=candles[-1].open_time + 1))
        wanted_candles = (
            it for it in candles if wanted.only is None or it.open_time in wanted.only
        )
        self.send(wanted_candles, revision)

    def send(self, candles: Iterable[PublicCandle], revision: int) -> None:
        """Send candles, except in a state that was sent before or is older."""
        for candle in sorted(candles, key=lambda it: it.open_time):
            is_news = self._remember(candle, revision)
            if not candle.trades:
                if is_news:
                    self._send_gone(candle, revision)
            elif is_news:
                self._send_state(candle, revision)
            elif self.running is None:  # the one after it is gone
                self._begin(candle, revision)

    def _send_state(self, candle: PublicCandle, revision: int) -> None:
        running = self.running
        if running and candle.open_time < running.open_time:
            self._emit_other(candle, revision, closed=True)
            return
        if running is None or candle.open_time > running.open_time:
            self._close()
            self._begin(candle, revision)
        self._emit_running(candle, revision)

    def _begin(self, candle: PublicCandle, revision: int) -> None:
        self.running, self._running_revision = candle, revision
        self._is_closed = self._has_ended(candle)

    def _send_gone(self, candle: PublicCandle, revision: int) -> None:
        """Send a candle that has no trades left; if it is the running one, another one is."""
        running = self.running
        is_older = running is not None and candle.open_time < running.open_time
        self._emit_other(candle, revision, closed=is_older or self._has_ended(candle))
        if running and candle.open_time == running.open_time:
            self.running = None
            self.is_loaded = False
            self._remembered_since = None  # the next running one is older
            self._remembered_revision = revision

    def send_snapshot(self, subscriber: Subscriber) -> None:
        """Send a subscriber the newest candle, unless it has been sent it since it was added."""
        if self.running and subscriber in self._newcomers:
            self._newcomers.discard(subscriber)
            event = self._event(self.running, self._running_revision, closed=self._is_closed)
            subscriber.push(event)

    def tick(self) -> None:
        """Close the running candle if its time has passed."""
        if self.running and not self._is_closed and self._has_ended(self.running):
            self._close()

    def _remember(self, candle: PublicCandle, revision: int) -> bool:
        """Remember a state of a candle; return False if it was sent before or is older."""
        if self._remembered_since is None:
            self._remembered_since = candle.open_time
        if candle.open_time < self._remembered_since:
            return True
        state = (revision, candle.trades)
        if state <= self._states.get(candle.open_time, (0, 0)):
            return False
        self._states[candle.open_time] = state
        if len(self._states) > REMEMBERED:
            del self._states[min(self._states)]
            self._remembered_since = min(self._states)
        return True

    def _close(self) -> None:
        if self.running and not self._is_closed:
            self._is_closed = True
            self._emit_running(self.running, self._running_revision)

    def _emit_running(self, candle: PublicCandle, revision: int) -> None:
        self.running, self._running_revision = candle, revision
        self._newcomers.clear()
        self.emit(self._event(candle, revision, closed=self._is_closed))

    def _emit_other(self, candle: PublicCandle, revision: int, *, closed: bool) -> None:
        """Send an older candle, or one that is gone: no next one replaces it while it waits."""
        content = self._content(candle, revision, closed=closed)
        self.emit(Event(self.stream.name, content, candle.open_time))

    def _has_ended(self, candle: PublicCandle) -> bool:
        end = self.buckets.end_time(candle.open_time)
        return self._now_ms() >= end + CLOSE_GRACE_MS

    def _event(self, candle: PublicCandle, revision: int, *, closed: bool) -> Event:
        content = self._content(candle, revision, closed=closed)
        return Event(self.stream.name, content, candle.open_time, is_running=not closed)

    def _content(self, candle: PublicCandle, revision: int, *, closed: bool) -> dict[str, Any]:
        kline = Kline(candle, self.buckets.end_time(candle.open_time), self.scale)
        coin, now = self.coin or "", self._now_ms()
        return kline_event(coin, kline, revision, closed=closed, now_ms=now)


class ZonedKlineChannel(KlineChannel):
    """The same of buckets that are not stored: what a message changes is read from the store."""

    is_patient = True

    def handle(self, change: CoinChange) -> None:
        """Mark the candles stale in which the change has trades."""
        self.mark_stale({self.buckets.open_time(it.time) for it in change.trades})


class BookTickerChannel(KlineChannel):
    """Sends the price of the last trade, the close of the newest candle, when it has changed."""

    def __init__(self, stream: Stream, now_ms: NowMs) -> None:
        # The last trade is in the newest candle of any interval, and this one's ends least often.
        super().__init__(stream, ZonedInterval(Interval.MONTH, 0), now_ms)
        self._last_price: str | None = None

    def _begin(self, candle: PublicCandle, revision: int) -> None:
        super()._begin(candle, revision)
        self._emit_running(candle, revision)

    def _emit_running(self, candle: PublicCandle, revision: int) -> None:
        if candle.close != self._last_price:
            self._last_price = candle.close
            super()._emit_running(candle, revision)
        self.running, self._running_revision = candle, revision

    def _emit_other(self, candle: PublicCandle, revision: int, *, closed: bool) -> None:
        """Send nothing: an older candle does not have the last trade, nor has one that is gone."""

    def _event(self, candle: PublicCandle, revision: int, *, closed: bool) -> Event:  # noqa: ARG002 - no close is told
        content = book_ticker_event(LastPrice(self.coin or "", candle, self.scale))
        return Event(self.stream.name, content, candle.open_time, is_running=True)


def _group_nearby(open_times: list[int], buckets: ZonedInterval) -> Iterable[OpenTimes]:
    """Yield sorted open times, grouped where they are near each other."""
    group: list[int] = []
    for open_time in open_times:
        if group and buckets.back(open_time, NEARBY) > group[-1]:
            yield OpenTimes(group[0], group[-1], frozenset(group))
            group = []
        group.append(open_time)
    if group:
        yield OpenTimes(group[0], group[-1], frozenset(group))


def make_channel(stream: Stream, now_ms: NowMs, is_settled: IsSettled) -> Channel:
    """Return a channel for the stream."""
    if stream.buckets:
        kind = KlineChannel if stream.buckets.is_stored else ZonedKlineChannel
        return kind(stream, stream.buckets, now_ms)
    if stream.kind is Kind.BOOK_TICKER:
        return BookTickerChannel(stream, now_ms)
    if stream.kind in (Kind.TRADE, Kind.AGG_TRADE):
        return TradeChannel(stream, now_ms, is_settled)
    return Channel(stream, now_ms)
