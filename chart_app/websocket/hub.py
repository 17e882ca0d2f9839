"""The hub: which subscribers read which stream. Hands live messages to their channels."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping

from mode import Service

from chart_app.live import messages
from chart_app.live.gaps import LiveGaps, Span
from chart_app.live.messages import CoinChange
from chart_app.model.candles import Candle, CandleKey, PublicCandle, flat_between
from chart_app.model.scale import Scale
from chart_app.model.trade_ids import trade_id
from chart_app.model.trades import scale_of
from chart_app.model.zones import Buckets, ZonedInterval
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.reader import Range, StoreReader
from chart_app.websocket.channels import (
    Channel,
    KlineChannel,
    OpenTimes,
    Subscriber,
    TradeChannel,
    make_channel,
)
from chart_app.websocket.events import TICKERS
from chart_app.websocket.streams import Stream
from chart_app.websocket.tickers import TickerRound
from streaming.clock import NowMs

logger = logging.getLogger(__name__)

#: How often to check whether the time of running candles has passed.
TICK_INTERVAL_S = 0.25
TICKER_INTERVAL_S = 1.0
#: Candles, or trades, that are read by one query.
PAGE = 1000
#: Candles of a stream, the newest, that are sent again when trades are void: some 300 kB.
MAX_CORRECTED = 1000
#: The pause between two pages of trades, so that clients can keep up.
PAGE_PAUSE_S = 0.05
RETRY_INTERVAL_S = 1.0


class Hub(Service):
    """The channels of all streams that have subscribers."""

    logger = logger
    mundane_level = "debug"

    def __init__(self, reader: StoreReader, gaps: LiveGaps, now_ms: NowMs) -> None:
        super().__init__()
        self._reader = reader
        self._gaps = gaps
        self._now_ms = now_ms
        self._channels: dict[str, Channel] = {}
        self._by_symbol: dict[str, set[Channel]] = {}  # the symbols case-folded
        self._traded: set[str] = set()  # coins since the last tickers
        #: By coin; as many as there are coins.
        self._scales: dict[str, Scale] = {}
        #: Symbols of the last lookup, if the store did not answer: its client subscribes to them
        #: before the next lookup.
        self._unresolved: set[str] = set()
        #: Channels for which something must be read from the store.
        self._stale: set[Channel] = set()
        self._has_stale = asyncio.Event()

    @property
    def has_subscribers(self) -> bool:
        """Return whether any stream has a subscriber."""
        return bool(self._channels)

    async def find_coins(self, wanted: Iterable[Stream]) -> dict[str, str]:
        """Return the coins of streams, by symbol, where there is one."""
        symbols = {stream.symbol for stream in wanted if stream.symbol}
        try:
            if not self._gaps.has_started:
                self._gaps.start(
                    {it.partition_id: it.next_offset for it in await self._reader.consumed()}
                )
            found = await self._reader.find_coins(symbols)
            await self._load_scales(found.values())
        except StoreUnavailable as error:
            logger.warning("Could not look up the coins of streams yet: %s", error)
            self._unresolved = symbols
            return {}
        self._unresolved = set()
        return found

    def subscribe(self, subscriber: Subscriber, stream: Stream, coin: str | None) -> None:
        """Add a subscriber to a stream. ``coin`` is None if there is none of its symbol yet."""
        channel = self._channels.get(stream.name)
        if channel is None:
            channel = make_channel(stream, self._now_ms, self._gaps.is_settled)
            self._channels[stream.name] = channel
            self._by_symbol.setdefault(stream.symbol.casefold(), set()).add(channel)
        channel.coin = channel.coin or coin
        channel.scale = self._scale(channel.coin)
        channel.add(subscriber)
        if stream.symbol in self._unresolved:
            channel.needs_coin = channel.coin is None
            self._queue_if_stale(channel)

    async def send_snapshot(self, subscriber: Subscriber, stream: Stream) -> None:
        """Send a new subscriber the newest candle of its stream."""
        channel = self._channels.get(stream.name)
        if not isinstance(channel, KlineChannel):
            return
        if not channel.is_loaded:
            try:
                await self._load(channel)
            except StoreUnavailable as error:
                logger.warning("Could not read the newest candle of %s yet: %s", stream.name, error)
                self._queue_if_stale(channel)
        channel.send_snapshot(subscriber)

    def unsubscribe(self, subscriber: Subscriber, name: str) -> None:
        """Remove a subscriber from a stream."""
        channel = self._channels.get(name)
        if channel is None:
            return
        channel.remove(subscriber)
        if not channel.subscribers:
            del self._channels[name]
            folded = channel.stream.symbol.casefold()
            self._by_symbol[folded].discard(channel)
            if not self._by_symbol[folded]:
                del self._by_symbol[folded]

    def handle(self, coin: str, value: bytes) -> None:
        """Handle a live message of a coin. It is decoded only if the coin has a channel."""
        if self.note_traded([coin]):
            self.handle_change(coin, messages.decode(value))

    def note_traded(self, coins: Collection[str]) -> list[str]:
        """Note that coins were traded; return those that have a channel."""
        self._traded.update(coins)
        return [coin for coin in coins if self._channels_of(coin)]

    def handle_change(self, coin: str, change: CoinChange) -> None:
        """Handle what has changed for a coin that has a channel."""
        scale = self._scales[coin] = self._scale(coin).union(scale_of(change.trades))
        for channel in self._channels_of(coin):
            if self._is_for(channel, coin):
                channel.scale = scale
                channel.handle(change)
                if not channel.is_patient:
                    self._queue_if_stale(channel)

    def reread(self, gap: Span, minutes: Mapping[str, set[int]]) -> None:
        """Mark what was changed in a gap to be read from the store.

        ``minutes``: by coin, the open times (ms) of the minutes in which it was traded there.
        """
        self._traded.update(minutes)
        ids = range(trade_id(gap.partition_id, gap.start), trade_id(gap.partition_id, gap.end))
        for coin, coin_minutes in minutes.items():
            for channel in self._channels_of(coin):
                if not self._is_for(channel, coin):
                    continue
                if isinstance(channel, KlineChannel):
                    channel.mark_stale({channel.buckets.open_time(it) for it in coin_minutes})
                elif isinstance(channel, TradeChannel):
                    channel.gaps.append(ids)
                self._queue_if_stale(channel)

    def correct(self, minutes: Mapping[str, set[int]]) -> None:
        """Mark candles to be read again whose trades are void, or no longer void.

        ``minutes``: by coin, the open times (ms) of the minutes of these trades.
        """
        self._traded.update(minutes)
        for coin, coin_minutes in minutes.items():
            for channel in self._channels_of(coin):
                if isinstance(channel, KlineChannel) and self._is_for(channel, coin):
                    open_times = {channel.buckets.open_time(it) for it in coin_minutes}
                    channel.mark_stale(sorted(open_times)[-MAX_CORRECTED:])
                    self._queue_if_stale(channel)

    def _channels_of(self, coin: str) -> Collection[Channel]:
        return self._by_symbol.get(coin.casefold(), ())

    def _is_for(self, channel: Channel, coin: str) -> bool:
        if channel.coin is None:
            channel.coin = coin
        return channel.coin == coin

    def _queue_if_stale(self, channel: Channel) -> None:
        if channel.is_stale:
            self._stale.add(channel)
            self._has_stale.set()

    @Service.task
    async def _read_stale(self) -> None:
        while not self.should_stop:
            await self.wait(self._has_stale.wait())
            self._has_stale.clear()
            while self._stale and not self.should_stop:
                channel = self._stale.pop()
                try:
                    await self._read_channel(channel)
                except StoreUnavailable as error:
                    logger.warning("Could not read from the store for a stream yet: %s", error)
                    self._queue_if_stale(channel)
                    await self.sleep(RETRY_INTERVAL_S)
                except Exception:
                    logger.exception("Could not read from the store for %s", channel.stream.name)

    async def _read_channel(self, channel: Channel) -> None:
        """Read from the store what a channel cannot tell from live messages."""
        if channel.needs_coin:
            await self._find_coin(channel)
        if isinstance(channel, KlineChannel):
            await self._load(channel)
            while channel.subscribers and (stale := channel.next_stale()):
                await self._read_candles(channel, stale)
            await self._load(channel)
        elif isinstance(channel, TradeChannel):
            while channel.subscribers and channel.gaps:
                await self._read_trades(channel, channel.gaps[0])
                channel.close_gap()

    async def _read_trades(self, channel: TradeChannel, ids: range) -> None:
        first = ids.start
        while True:
            page = await self._reader.trades(channel.coin or "", from_id=first, limit=PAGE)
            trades = [it for it in page if it.id < ids.stop]
            channel.send(trades)
            if len(trades) < PAGE:
                return
            first = trades[-1].id + 1
            await self.sleep(PAGE_PAUSE_S)

    async def _load(self, channel: KlineChannel) -> None:
        """Read the channel's coin and its newest candle, if that was not done yet.

        Newer states may be broadcast meanwhile: the channel ignores older ones.
        """
        if channel.is_loaded:
            return
        if channel.coin is None:
            await self._find_coin(channel)
        if channel.coin is not None:
            buckets = _readable(channel.buckets)
            newest = await self._reader.revised_candles(channel.coin, buckets, limit=1)
            channel.load(_public(channel, newest.candles), newest.revision)

    async def _find_coin(self, channel: Channel) -> None:
        coin = await self._reader.find_coin(channel.stream.symbol)
        if coin is not None:
            await self._load_scales([coin])
        channel.coin = channel.coin or coin
        channel.scale = self._scale(channel.coin)
        channel.needs_coin = False

    async def _read_candles(self, channel: KlineChannel, stale: OpenTimes) -> None:
        coin, buckets = channel.coin or "", _readable(channel.buckets)
        wanted: Range = {"start": stale.first, "end": stale.last, "limit": PAGE}
        revision, found = await self._reader.revised_candles(coin, buckets, **wanted)
        is_all = len(found) < PAGE
        gone = channel.gone([open_time for open_time, _ in found], is_all=is_all)
        if gone and revision:  # else nothing was ever void: they have been announced too early
            before = await self._reader.candles(coin, buckets, end=stale.first - 1, limit=1)
            close = before[0][1].close if before else None
            found = sorted([*found, *flat_between(gone, found, close)])
        channel.handle_stored(_public(channel, found), revision, is_all=is_all)

    async def _load_scales(self, coins: Collection[str]) -> None:
        """Read the scales of coins: messages of coins without a channel are not decoded."""
        for coin in await self._reader.coins(coins) if coins else ():
            self._scales[coin.name] = self._scale(coin.name).union(coin.scale)

    def _scale(self, coin: str | None) -> Scale:
        return self._scales.get(coin or "", Scale(0, 0))

    @Service.task
    async def _tick(self) -> None:
        while not self.should_stop:
            for channel in self._channels.values():
                if isinstance(channel, KlineChannel):
                    channel.tick()
                    if channel.is_patient and channel.coin:
                        self._queue_if_stale(channel)
            await self.sleep(TICK_INTERVAL_S)

    @Service.task
    async def _send_tickers(self) -> None:
        while not self.should_stop:
            await self.sleep(TICKER_INTERVAL_S)
            traded, self._traded = self._traded, set()
            for length_ms, shapes in TICKERS.items():
                tickers = TickerRound(self._channels.values(), shapes)
                if wanted := tickers.wanted(traded):
                    unread = await self._send_round(tickers, wanted, length_ms)
                    self._traded |= unread

    async def _send_round(self, tickers: TickerRound, coins: set[str], length_ms: int) -> set[str]:
        """Send tickers of coins; return the coins that could not be read."""
        now = self._now_ms()
        sent: set[str] = set()
        try:
            async for windows in self._reader.windows_in_pieces(now, coins, length_ms=length_ms):
                tickers.send(windows, self._now_ms())
                sent.update(it.coin.name for it in windows)
        except StoreUnavailable as error:
            logger.warning("Could not read the tickers yet: %s", error)
            return coins - sent
        return set()


def _readable(buckets: ZonedInterval) -> Buckets:
    """Return buckets as the reader takes them: an interval, if they are stored."""
    return buckets.interval if buckets.is_stored else buckets


def _public(channel: KlineChannel, candles: Iterable[tuple[int, Candle]]) -> list[PublicCandle]:
    coin, interval = channel.coin or "", channel.buckets.interval
    return [PublicCandle.of(CandleKey(coin, interval, it), candle) for it, candle in candles]
