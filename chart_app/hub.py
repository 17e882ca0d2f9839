"""The hub: who reads which stream, and what is stored handed to them."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Unpack

from mode import Service

from chart_app import live, streams
from chart_app.candles import CandleKey
from chart_app.channels import Channel, Clock, KlineChannel, Reader, make_channel
from chart_app.history import History, Range
from chart_app.live import LiveCandle
from chart_app.store import StoreUnavailable
from chart_app.streams import ALL_TICKERS, Event, Kind, Stream

logger = logging.getLogger(__name__)

#: How often candles are looked at whose time may have passed.
TICK_INTERVAL_S = 0.25
TICKER_INTERVAL_S = 1.0
#: Candles read at once after something may have been missed.
REFRESH_CANDLES = 1000
REFRESH_RETRY_INTERVAL_S = 1.0


class Hub(Service):
    """Channels by the names of their streams, and by the coins they may be of."""

    logger = logger
    mundane_level = "debug"

    def __init__(self, history: History, now_ms: Clock) -> None:
        super().__init__()
        self._history = history
        self._now_ms = now_ms
        self._channels: dict[str, Channel] = {}
        self._by_symbol: dict[str, set[Channel]] = {}  # without regard to case
        self._traded: set[str] = set()  # coins since the last tickers
        self._is_stale = asyncio.Event()

    async def find_coins(self, wanted: Iterable[Stream]) -> dict[str, str]:
        """Return the coins of streams, by symbol; those that there are."""
        try:
            return await self._history.find_coins({it.symbol for it in wanted if it.symbol})
        except StoreUnavailable as error:
            logger.warning("A stream begins without its coin: %s", error)
            return {}

    def subscribe(self, reader: Reader, stream: Stream, coin: str | None) -> None:
        """Let a reader read a stream from now on. ``coin`` is None if it is not there yet."""
        channel = self._channels.get(stream.name)
        if channel is None:
            channel = make_channel(stream, self._now_ms)
            self._channels[stream.name] = channel
            self._by_symbol.setdefault(stream.symbol.casefold(), set()).add(channel)
        channel.coin = channel.coin or coin
        channel.readers.add(reader)

    async def greet(self, reader: Reader, stream: Stream) -> None:
        """Send a new reader the newest candle of its stream."""
        channel = self._channels.get(stream.name)
        if not isinstance(channel, KlineChannel):
            return
        before = channel.running
        if not channel.is_loaded:
            try:
                await self._load(channel)
            except StoreUnavailable as error:
                logger.warning("%s begins without its newest candle: %s", stream.name, error)
                self.refresh()
        if channel.running is before:  # else all readers have been told
            channel.greet(reader)

    def unsubscribe(self, reader: Reader, name: str) -> None:
        """Let a reader no longer read a stream."""
        channel = self._channels.get(name)
        if channel is None:
            return
        channel.readers.discard(reader)
        if not channel.readers:
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
        message = live.decode(value)
        for channel in channels:
            if channel.coin is None:
                channel.coin = coin
            if channel.coin == coin:
                channel.handle(message)

    def refresh(self) -> None:
        """Have the candles of all channels read again from the store, as soon as it answers."""
        self._is_stale.set()

    @Service.task
    async def _refresh(self) -> None:
        while not self.should_stop:
            await self.wait(self._is_stale.wait())
            self._is_stale.clear()
            try:
                for channel in list(self._channels.values()):
                    await self._load_again(channel)
            except StoreUnavailable as error:
                logger.warning("Could not read the candles that are shown again: %s", error)
                self.refresh()
                await self.sleep(REFRESH_RETRY_INTERVAL_S)

    async def _load_again(self, channel: Channel) -> None:
        """Load a channel; what fails for it alone is logged, and the others go on."""
        try:
            await self._load(channel)
        except StoreUnavailable:
            raise
        except Exception:
            logger.exception("Could not read the candles of %s again", channel.stream.name)

    async def _load(self, channel: Channel) -> None:
        """Find the channel's coin and its candles: the newest, or all since the known ones.

        What is told while this waits for the store may be newer: the channel knows.
        """
        if channel.coin is None and channel.stream.symbol:
            coin = await self._history.find_coin(channel.stream.symbol)
            channel.coin = channel.coin or coin
        if not isinstance(channel, KlineChannel) or channel.coin is None:
            return
        if not channel.is_loaded:
            channel.load(await self._candles(channel, limit=2))
            return
        while True:
            start = channel.known_since
            found = await self._candles(channel, start=start, limit=REFRESH_CANDLES)
            channel.handle_candles(found)
            if len(found) < REFRESH_CANDLES:
                return

    async def _candles(self, channel: KlineChannel, **wanted: Unpack[Range]) -> list[LiveCandle]:
        coin, interval = channel.coin or "", channel.interval
        return [
            live.live_candle(CandleKey(coin, interval, open_time), candle)
            for open_time, candle in await self._history.candles(coin, interval, **wanted)
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
                days = await self._history.days(self._now_ms())
            except StoreUnavailable as error:
                logger.warning("No tickers: %s", error)
                self._traded |= traded
                continue
            tickers = {
                day.coin.name: streams.mini_ticker(day, self._now_ms())
                for day in days
                if day.coin.name in traded
            }
            for channel in readers:
                name = channel.stream.name
                if name == ALL_TICKERS:
                    channel.emit(Event(name, list(tickers.values())))
                elif channel.coin in tickers:
                    channel.emit(Event(name, tickers[channel.coin]))
