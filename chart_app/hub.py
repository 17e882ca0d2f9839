"""The hub: who reads which stream, and what is stored handed to them."""

import logging

from mode import Service

from chart_app import live, streams
from chart_app.candles import CandleKey
from chart_app.channels import Channel, Clock, KlineChannel, Reader, make_channel
from chart_app.history import History
from chart_app.store import StoreUnavailable
from chart_app.streams import ALL_TICKERS, Event, Kind

logger = logging.getLogger(__name__)

#: How often candles are looked at whose time may have passed.
TICK_INTERVAL_S = 0.25
TICKER_INTERVAL_S = 1.0
#: Candles read again at once after something may have been missed.
REFRESH_CANDLES = 1000


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

    async def subscribe(self, reader: Reader, name: str) -> None:
        """Let a reader read a stream. Raises :exc:`streams.InvalidStream`."""
        channel = self._channels.get(name)
        if channel is None:
            channel = make_channel(streams.parse(name), self._now_ms)
            self._channels[name] = channel
            self._by_symbol.setdefault(channel.stream.symbol.casefold(), set()).add(channel)
        if reader in channel.readers:
            return
        try:
            await self._load(channel)
        except StoreUnavailable as error:
            logger.warning("%s begins without its newest candle: %s", name, error)
        channel.readers.add(reader)
        if isinstance(channel, KlineChannel):
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

    async def refresh(self) -> None:
        """Read the candles of all channels again from the store."""
        for channel in list(self._channels.values()):
            await self._load(channel, again=True)

    async def _load(self, channel: Channel, *, again: bool = False) -> None:
        """Find the channel's coin, and the candles from its newest on."""
        if channel.coin is None and channel.stream.symbol:
            channel.coin = await self._history.find_coin(channel.stream.symbol)
        interval = channel.stream.interval
        if not isinstance(channel, KlineChannel) or channel.coin is None or interval is None:
            return
        running = channel.running
        if running is None:
            found = await self._history.candles(channel.coin, interval, limit=1)
        elif again:
            found = await self._history.candles(
                channel.coin, interval, start=running.open_time, limit=REFRESH_CANDLES
            )
        else:
            return
        channel.handle_candles(
            live.live_candle(CandleKey(channel.coin, interval, open_time), candle)
            for open_time, candle in found
        )

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
