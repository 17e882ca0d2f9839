"""The market data of Binance's spot API: what each endpoint answers, over REST or WebSocket.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from chart_app.market import parameters
from chart_app.market.assets import Markets
from chart_app.market.listing import Listing
from chart_app.market.parameters import TICKS_PER_MS, BadRequest, InvalidSymbol, Query
from chart_app.market.symbols import SYMBOL, Symbol
from chart_app.model.binance.fields import Format
from chart_app.model.binance.klines import Kline, in_ticks, kline_row
from chart_app.model.binance.tickers import (
    AVERAGE_MS,
    AVERAGE_PRICE,
    BOOK_TICKER,
    MINI_TICKER,
    TICKER,
    WINDOW_TICKER,
    Ticker,
)
from chart_app.model.binance.trades import AGG_TRADE, TRADE
from chart_app.model.candles import Candle, CandleKey, PublicCandle
from chart_app.model.coins import Coin, Window
from chart_app.model.intervals import DAY_MS
from chart_app.model.zones import ZonedInterval
from chart_app.storage.pieces import in_turns
from chart_app.storage.reader import Range, StoreReader
from streaming.clock import NowMs

#: Returns the content of an answer; a str, or bytes, are JSON already.
Endpoint = Callable[[Query], Awaitable[Any]]
Item = TypeVar("Item")


class MarketData:
    """The endpoints. Each returns the content of an answer; a str, or bytes, are JSON already.

    They raise :exc:`BadRequest` and :exc:`chart_app.storage.errors.StoreUnavailable`.
    """

    def __init__(self, reader: StoreReader, markets: Markets, now_ms: NowMs) -> None:
        self._reader = reader
        self._markets = markets
        self._now_ms = now_ms
        #: Of all coins.
        self._prices = Listing(self._read_prices, reader.revision, now_ms)
        self._exchange_info = {it: self._list_symbols(it) for it in TICKS_PER_MS.values()}
        self._tickers = {
            (format_, ticks): self._list_tickers(format_, ticks)
            for format_ in (TICKER, MINI_TICKER, BOOK_TICKER)
            for ticks in TICKS_PER_MS.values()
        }
        #: By their paths in REST.
        self.endpoints: dict[str, Endpoint] = {
            "ping": self.ping,
            "time": self.time,
            "exchangeInfo": self.exchange_info,
            "depth": self.depth,
            "klines": self.klines,
            "uiKlines": self.klines,
            "trades": self.trades,
            "historicalTrades": self.historical_trades,
            "aggTrades": self.agg_trades,
            "avgPrice": self.average_price,
            "ticker": self.ticker,
            "ticker/24hr": self.ticker_24hr,
            "ticker/tradingDay": self.ticker_trading_day,
            "ticker/price": self.ticker_price,
            "ticker/bookTicker": self.ticker_book,
        }

    async def close(self) -> None:
        """End what is still computed."""
        for listing in (self._prices, *self._exchange_info.values(), *self._tickers.values()):
            await listing.close()

    async def ping(self, _: Query) -> dict[str, Any]:
        """Return an empty object: the server is up."""
        return {}

    async def time(self, query: Query) -> dict[str, Any]:
        """Return the time of the server."""
        return {"serverTime": self._now_ms() * parameters.ticks_per_ms(query)}

    async def exchange_info(self, query: Query) -> Any:
        """Return the coins as symbols."""
        ticks = parameters.ticks_per_ms(query)
        wanted = await self._find_coins(parameters.symbols(query))
        if wanted is None:
            return await self._exchange_info[ticks].get()
        coins = await self._reader.coins(wanted)
        if not coins:
            raise InvalidSymbol
        return self._about_exchange(self._symbols(coins), ticks)

    def _list_symbols(self, ticks_per_ms: int) -> Listing:
        async def read() -> AsyncIterator[list[dict[str, Any]]]:
            async for coins in in_turns(await self._reader.coins()):
                yield self._symbols(coins)

        return Listing(
            read,
            self._reader.revision,
            self._now_ms,
            lambda it: self._about_exchange(it, ticks_per_ms),
        )

    def _about_exchange(self, symbols: Any, ticks_per_ms: int) -> dict[str, Any]:
        return {
            "timezone": "UTC",
            "serverTime": self._now_ms() * ticks_per_ms,
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": symbols,
        }

    def _symbols(self, coins: Iterable[Coin]) -> list[dict[str, Any]]:
        return [SYMBOL.row(Symbol(it, self._markets.market(it.name))) for it in coins]

    async def depth(self, query: Query) -> dict[str, Any]:
        """Return an order book without orders."""
        coin = await self._required_coin(query)
        window = _only(await self._reader.windows(self._now_ms(), [coin]))
        return {"lastUpdateId": window.last_id, "bids": [], "asks": []}

    async def klines(self, query: Query) -> Any:
        """Return candles."""
        symbol = parameters.required_symbol(query)
        interval = parameters.interval(query)
        buckets = ZonedInterval(interval, parameters.time_zone_ms(query))
        wanted = _range(query)
        is_filled = parameters.flag(query, "fill")
        ticks = parameters.ticks_per_ms(query)
        coin = await self._find_coin(symbol)
        if is_filled:
            now = self._now_ms()
            candles = await self._reader.filled_candles(coin, buckets, now, **wanted)
            rows = await self._klines(coin, buckets, candles)
        elif not buckets.is_stored:
            candles = await self._reader.candles(coin, buckets, **wanted)
            rows = await self._klines(coin, buckets, candles)
        else:
            klines = await self._reader.klines(coin, interval, **wanted)
            if ticks == 1:
                return klines
            rows = msgspec.json.decode(klines)
        return in_ticks(rows, ticks)

    async def _klines(
        self, name: str, buckets: ZonedInterval, candles: Sequence[tuple[int, Candle]]
    ) -> list[list[Any]]:
        if not candles:
            return []
        scale = _only(await self._reader.coins([name])).scale
        rows = []
        for open_time, candle in candles:
            shown = PublicCandle.of(CandleKey(name, buckets.interval, open_time), candle)
            rows.append(kline_row(Kline(shown, buckets.end_time(open_time), scale)))
        return rows

    async def trades(self, query: Query) -> list[dict[str, Any]]:
        """Return the newest trades."""
        limit = parameters.limit(query)
        found = await self._reader.trades(await self._required_coin(query), limit=limit)
        return _rows(TRADE, found, query)

    async def historical_trades(self, query: Query) -> list[dict[str, Any]]:
        """Return the newest trades, or those from an id on."""
        from_id = parameters.integer(query, "fromId")
        limit = parameters.limit(query)
        coin = await self._required_coin(query)
        found = await self._reader.trades(coin, from_id=from_id, limit=limit)
        return _rows(TRADE, found, query)

    async def agg_trades(self, query: Query) -> list[dict[str, Any]]:
        """Return the newest trades, those from an id on, or those of a range of time."""
        from_id = parameters.integer(query, "fromId")
        wanted = _range(query)
        if from_id is not None and (wanted["start"], wanted["end"]) != (None, None):
            raise BadRequest(-1128, "Combination of optional parameters invalid.")
        coin = await self._required_coin(query)
        found = await self._reader.trades(coin, from_id=from_id, **wanted)
        return _rows(AGG_TRADE, found, query)

    async def average_price(self, query: Query) -> dict[str, Any]:
        """Return the average price of the last minutes with trades."""
        coin = await self._required_coin(query)
        window = _only(await self._reader.windows(self._now_ms(), [coin], length_ms=AVERAGE_MS))
        return AVERAGE_PRICE.row(Ticker(window), parameters.ticks_per_ms(query))

    async def ticker_price(self, query: Query) -> Any:
        """Return the last price of a coin, of some, or of all."""
        wanted = await self._find_coins(parameters.symbols(query))
        if wanted is None:
            return await self._prices.get()
        prices = [it._asdict() for it in await self._reader.prices(wanted)]
        return _one_or_some(prices, query)

    async def _read_prices(self) -> AsyncIterator[list[dict[str, Any]]]:
        async for prices in in_turns(await self._reader.prices()):
            yield [it._asdict() for it in prices]

    async def ticker_book(self, query: Query) -> Any:
        """Return the last price of a coin, of some, or of all, as bid and ask."""
        return await self._day_tickers(query, BOOK_TICKER)

    async def ticker_24hr(self, query: Query) -> Any:
        """Return the last 24 hours of a coin, of some, or of all."""
        return await self._day_tickers(query, MINI_TICKER if parameters.is_mini(query) else TICKER)

    async def ticker(self, query: Query) -> Any:
        """Return the trades of the last ``windowSize``, of a coin or of some."""
        return await self._window_tickers(query, length_ms=parameters.window_ms(query))

    async def ticker_trading_day(self, query: Query) -> Any:
        """Return the trades of this day in the zone of ``timeZone``, of a coin or of some."""
        offset = parameters.time_zone_ms(query)
        local = self._now_ms() + offset
        return await self._window_tickers(query, start=local - local % DAY_MS - offset)

    async def _window_tickers(self, query: Query, **wanted: int) -> Any:
        coins = await self._find_coins(parameters.symbols(query))
        if coins is None:
            raise BadRequest(-1128, "Combination of optional parameters invalid.")
        format_ = MINI_TICKER if parameters.is_mini(query) else WINDOW_TICKER
        return await self._some_tickers(query, coins, format_, **wanted)

    async def _day_tickers(self, query: Query, format_: Format) -> Any:
        """Return tickers of the last 24 hours of a coin, of some, or of all."""
        ticks = parameters.ticks_per_ms(query)
        wanted = await self._find_coins(parameters.symbols(query))
        if wanted is None:
            return await self._tickers[format_, ticks].get()
        return await self._some_tickers(query, wanted, format_)

    async def _some_tickers(
        self, query: Query, coins: set[str], format_: Format, **wanted: int
    ) -> Any:
        windows = await self._reader.windows(self._now_ms(), coins, **wanted)
        return _one_or_some(_tickers(windows, format_, parameters.ticks_per_ms(query)), query)

    def _list_tickers(self, format_: Format, ticks_per_ms: int) -> Listing:
        async def read() -> AsyncIterator[list[dict[str, Any]]]:
            names = [coin.name for coin in await self._reader.coins()]
            async for windows in self._reader.windows_in_pieces(self._now_ms(), names):
                yield _tickers(windows, format_, ticks_per_ms)

        return Listing(read, self._reader.revision, self._now_ms)

    async def _required_coin(self, query: Query) -> str:
        return await self._find_coin(parameters.required_symbol(query))

    async def _find_coin(self, symbol: str) -> str:
        name = await self._reader.find_coin(symbol)
        if name is None:
            raise InvalidSymbol
        return name

    async def _find_coins(self, symbols: list[str] | None) -> set[str] | None:
        if symbols is None:
            return None
        found = await self._reader.find_coins(symbols)
        if not found.keys() >= set(symbols):
            raise InvalidSymbol
        return set(found.values())


def _only(found: Sequence[Item]) -> Item:
    """Return what is found of one coin: nothing, if it has no trades any more."""
    if not found:
        raise InvalidSymbol
    return found[0]


def _one_or_some(rows: list[dict[str, Any]], query: Query) -> Any:
    return _only(rows) if "symbol" in query else rows


def _tickers(windows: Iterable[Window], format_: Format, ticks_per_ms: int) -> list[dict[str, Any]]:
    return [format_.row(Ticker(it), ticks_per_ms) for it in windows]


def _range(query: Query) -> Range:
    return {
        "start": parameters.integer(query, "startTime"),
        "end": parameters.integer(query, "endTime"),
        "limit": parameters.limit(query),
    }


def _rows(format_: Format, found: Iterable[Any], query: Query) -> list[dict[str, Any]]:
    ticks = parameters.ticks_per_ms(query)
    return [format_.row(it, ticks) for it in found]
