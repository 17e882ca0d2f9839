"""The hub: who reads which stream, and what is stored handed to them."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Unpack

from mode import Service

from chart_app.live import messages
from chart_app.live.gaps import LiveGaps, Span
from chart_app.model.candles import CandleKey, PublicCandle
from chart_app.model.trade_ids import trade_id
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.reader import Range, StoreReader
from chart_app.websocket.channels import (
    Channel,
    Clock,
    KlineChannel,
    Subscriber,
    TradeChannel,
    make_channel,
)
from chart_app.websocket.events import Event, mini_ticker
from chart_app.websocket.streams import ALL_TICKERS, Kind, Stream

logger = logging.getLogger(__name__)

#: How often candles are looked at whose time may have passed.
TICK_INTERVAL_S = 0.25
TICKER_INTERVAL_S = 1.0
#: Candles, or trades, that are read at once.
PAGE = 1000
#: Between two pages of trades, so that those who read them keep up.
PAGE_PAUSE_S = 0.05
RETRY_INTERVAL_S = 1.0


class Hub(Service):
    """Channels by the names of their streams, and by the coins they may be of."""

    logger = logger
    mundane_level = "debug"

    def __init__(self, reader: StoreReader, gaps: LiveGaps, now_ms: Clock) -> None:
        super().__init__()
        self._reader = reader
        self._gaps = gaps
        self._now_ms = now_ms
        self._channels: dict[str, Channel] = {}
        self._by_symbol: dict[str, set[Channel]] = {}  # without regard to case
        self._traded: set[str] = set()  # coins since the last tickers
        #: Symbols that the store could not be asked for, of the last who asked: it subscribes to
        #: them before anybody else has a turn.
        self._sought: set[str] = set()
        #: Channels of which something is to be read from the store.
        self._stale: set[Channel] = set()
        self._has_stale = asyncio.Event()

    @property
    def has_subscribers(self) -> bool:
        """Return whether anybody reads a stream."""
        return bool(self._channels)

    async def find_coins(self, wanted: Iterable[Stream]) -> dict[str, str]:
        """Return the coins of streams, by symbol; those that there are."""
        symbols = {stream.symbol for stream in wanted if stream.symbol}
        try:
            if not self._gaps.has_started:
                self._gaps.start(
                    {it.partition_id: it.next_offset for it in await self._reader.consumed()}
                )
            found = await self._reader.find_coins(symbols)
        except StoreUnavailable as error:
            logger.warning("A stream begins without its coin: %s", error)
            self._sought = symbols
            return {}
        self._sought = set()
        return found

    def subscribe(self, subscriber: Subscriber, stream: Stream, coin: str | None) -> None:
        """Let a subscriber read a stream from now on. ``coin`` is None if it is not there yet."""
        channel = self._channels.get(stream.name)
        if channel is None:
            channel = make_channel(stream, self._now_ms, self._gaps.is_settled)
            self._channels[stream.name] = channel
            self._by_symbol.setdefault(stream.symbol.casefold(), set()).add(channel)
        channel.coin = channel.coin or coin
        channel.subscribers.add(subscriber)
        if stream.symbol in self._sought:
            channel.is_sought = channel.coin is None
            self._note_stale(channel)

    async def greet(self, subscriber: Subscriber, stream: Stream) -> None:
        """Send a new subscriber the newest candle of its stream."""
        channel = self._channels.get(stream.name)
        if not isinstance(channel, KlineChannel):
            return
        before = channel.running
        if not channel.is_loaded:
            try:
                await self._load(channel)
            except StoreUnavailable as error:
                logger.warning("%s begins without its newest candle: %s", stream.name, error)
                self._note_stale(channel)
        if channel.running is before:  # else all have been sent it
            channel.greet(subscriber)

    def unsubscribe(self, subscriber: Subscriber, name: str) -> None:
        """Let a subscriber no longer read a stream."""
        channel = self._channels.get(name)
        if channel is None:
            return
        channel.subscribers.discard(subscriber)
        if not channel.subscribers:
            del self._channels[name]
            folded = channel.stream.symbol.casefold()
            self._by_symbol[folded].discard(channel)
            if not self._by_symbol[folded]:
                del self._by_symbol[folded]

    def handle(self, coin: str, value: bytes) -> None:
        """Take a live message of a coin. It is not even decoded if nobody reads of the coin."""
        self._traded.add(coin)
        channels = self._by_symbol.get(coin.casefold())
        if not channels:
            return
        message = messages.decode(value)
        for channel in channels:
            if self._is_of(channel, coin):
                channel.handle(message)
                self._note_stale(channel)

    def reread(self, gap: Span, minutes: Mapping[str, set[int]]) -> None:
        """Have the store read for what was changed in a gap.

        ``minutes`` are those in which each coin was traded there: their open times in ms.
        """
        self._traded.update(minutes)
        ids = range(trade_id(gap.partition_id, gap.start), trade_id(gap.partition_id, gap.end))
        for coin, of_coin in minutes.items():
            for channel in self._by_symbol.get(coin.casefold(), ()):
                if not self._is_of(channel, coin):
                    continue
                if isinstance(channel, KlineChannel):
                    channel.mark_stale({channel.interval.open_time(it) for it in of_coin})
                elif isinstance(channel, TradeChannel):
                    channel.gaps.append(ids)
                self._note_stale(channel)

    def _is_of(self, channel: Channel, coin: str) -> bool:
        if channel.coin is None:
            channel.coin = coin
        return channel.coin == coin

    def _note_stale(self, channel: Channel) -> None:
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
                    await self._read(channel)
                except StoreUnavailable as error:
                    logger.warning("Could not read for a stream yet: %s", error)
                    self._note_stale(channel)
                    await self.sleep(RETRY_INTERVAL_S)
                except Exception:
                    logger.exception("Could not read for %s", channel.stream.name)

    async def _read(self, channel: Channel) -> None:
        """Read for a channel from the store what it cannot know from live messages."""
        if channel.is_sought:
            await self._find(channel)
        if isinstance(channel, KlineChannel):
            await self._load(channel)
            while channel.subscribers and (wanted := channel.next_stale()):
                found = await self._candles(
                    channel, start=wanted.first, end=wanted.last, limit=PAGE
                )
                channel.read(found, is_all=len(found) < PAGE)
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
        """Find the channel's coin and its newest candle, if that was not done yet.

        What is broadcast while this waits for the store may be newer: the channel knows.
        """
        if channel.is_loaded:
            return
        if channel.coin is None:
            await self._find(channel)
        if channel.coin is not None:
            channel.load(await self._candles(channel, limit=1))

    async def _find(self, channel: Channel) -> None:
        coin = await self._reader.find_coin(channel.stream.symbol)
        channel.coin = channel.coin or coin
        channel.is_sought = False

    async def _candles(self, channel: KlineChannel, **wanted: Unpack[Range]) -> list[PublicCandle]:
        coin, interval = channel.coin or "", channel.interval
        return [
            PublicCandle.of(CandleKey(coin, interval, open_time), candle)
            for open_time, candle in await self._reader.candles(coin, interval, **wanted)
        ]

    @Service.task
    async def _tick(self) -> None:
        while not self.should_stop:
            for channel in self._channels.values():
                if isinstance(channel, KlineChannel):
                    channel.tick()
            await self.sleep(TICK_INTERVAL_S)

    @Service.task
    async def _send_tickers(self) -> None:
        while not self.should_stop:
            await self.sleep(TICKER_INTERVAL_S)
            traded, self._traded = self._traded, set()
            readers = [it for it in self._channels.values() if it.stream.kind is Kind.MINI_TICKER]
            if not readers or not traded:
                continue
            try:
                days = await self._reader.days(self._now_ms())
            except StoreUnavailable as error:
                logger.warning("No tickers: %s", error)
                self._traded |= traded
                continue
            tickers = {
                day.coin.name: mini_ticker(day, self._now_ms())
                for day in days
                if day.coin.name in traded
            }
            for channel in readers:
                name = channel.stream.name
                if name == ALL_TICKERS:
                    channel.emit(Event(name, list(tickers.values())))
                elif channel.coin in tickers:
                    channel.emit(Event(name, tickers[channel.coin]))
