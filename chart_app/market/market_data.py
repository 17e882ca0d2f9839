"""The market data of Binance's spot API: what each endpoint answers, over REST or WebSocket.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from chart_app.market import parameters
from chart_app.market.assets import Markets
from chart_app.market.parameters import BadRequest, InvalidSymbol, Query
from chart_app.market.symbols import SYMBOL, Symbol
from chart_app.model.binance.fields import Format
from chart_app.model.binance.klines import Kline, in_ticks, kline_row
from chart_app.model.binance.tickers import (
    BOOK_TICKER,
    MINI_TICKER,
    TICKER,
    WINDOW_TICKER,
    Ticker,
    average,
)
from chart_app.model.binance.trades import AGG_TRADE, TRADE
from chart_app.model.candles import Candle, CandleKey, PublicCandle
from chart_app.model.intervals import DAY_MS, MINUTE_MS
from chart_app.model.zones import ZonedInterval
from chart_app.storage.reader import Range, StoreReader
from streaming.clock import NowMs

#: Over how many minutes ``avgPrice`` is the average.
AVERAGE_MINUTES = 5
#: How long the tickers of all coins are cached: to compute them takes 30 ms for 200 coins.
TICKERS_MAX_AGE_MS = 1000

#: Returns the content of an answer; a str is JSON already.
Endpoint = Callable[[Query], Awaitable[Any]]


class MarketData:
    """The endpoints. Each returns the content of an answer; a str is JSON already.

    They raise :exc:`BadRequest` and :exc:`chart_app.storage.errors.StoreUnavailable`.
    """

    def __init__(self, reader: StoreReader, markets: Markets, now_ms: NowMs) -> None:
        self._reader = reader
        self._markets = markets
        self._now_ms = now_ms
        #: The cache: (time in ms, tickers of all coins).
        self._all: tuple[int, list[Ticker]] = (-TICKERS_MAX_AGE_MS, [])
        self._tickers_lock = asyncio.Lock()
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

    async def ping(self, _: Query) -> dict[str, Any]:
        """Return an empty object: the server is up."""
        return {}

    async def time(self, query: Query) -> dict[str, Any]:
        """Return the time of the server."""
        return {"serverTime": self._now_ms() * parameters.ticks_per_ms(query)}

    async def exchange_info(self, query: Query) -> dict[str, Any]:
        """Return the coins as symbols."""
        wanted = await self._find_coins(parameters.symbols(query))
        coins = await self._reader.coins()
        if wanted is not None:
            coins = [coin for coin in coins if coin.name in wanted]
        symbols = (Symbol(coin, self._markets.market(coin.name)) for coin in coins)
        return {
            "timezone": "UTC",
            "serverTime": self._now_ms() * parameters.ticks_per_ms(query),
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": [SYMBOL.row(it) for it in symbols],
        }

    async def depth(self, query: Query) -> dict[str, Any]:
        """Return an order book without orders."""
        coin = await self._required_coin(query)
        (window,) = await self._reader.windows(self._now_ms(), coin)
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
        self, name: str, buckets: ZonedInterval, candles: Iterable[tuple[int, Candle]]
    ) -> list[list[Any]]:
        scale = (await self._reader.coin(name)).scale
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
        length = AVERAGE_MINUTES * MINUTE_MS
        (window,) = await self._reader.windows(self._now_ms(), coin, length_ms=length)
        return {
            "mins": AVERAGE_MINUTES,
            "price": average(window),
            "closeTime": window.close_time * parameters.ticks_per_ms(query),
        }

    async def ticker_price(self, query: Query) -> Any:
        """Return the last price of a coin, of some, or of all."""
        symbols = parameters.symbols(query)
        if symbol := parameters.symbol(query):
            (price,) = await self._reader.prices(await self._find_coin(symbol))
            return price._asdict()
        wanted = await self._find_coins(symbols)
        prices = await self._reader.prices()
        return [it._asdict() for it in prices if wanted is None or it.symbol in wanted]

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
        if not (symbols := parameters.symbols(query)):
            raise BadRequest(-1128, "Combination of optional parameters invalid.")
        format_ = MINI_TICKER if parameters.is_mini(query) else WINDOW_TICKER
        ticks = parameters.ticks_per_ms(query)
        now = self._now_ms()
        rows = [
            format_.row(Ticker(window), ticks)
            for coin in sorted(await self._find_coins(symbols) or ())
            for window in await self._reader.windows(now, coin, **wanted)
        ]
        return rows[0] if "symbol" in query else rows

    async def _day_tickers(self, query: Query, format_: Format) -> Any:
        """Return tickers of the last 24 hours of a coin, of some, or of all."""
        ticks = parameters.ticks_per_ms(query)
        symbols = parameters.symbols(query)
        if symbol := parameters.symbol(query):
            coin = await self._find_coin(symbol)
            (window,) = await self._reader.windows(self._now_ms(), coin)
            return format_.row(Ticker(window), ticks)
        wanted = await self._find_coins(symbols)
        tickers = await self._all_tickers()
        return [format_.row(it, ticks) for it in tickers if wanted is None or it.symbol in wanted]

    async def _all_tickers(self) -> list[Ticker]:
        async with self._tickers_lock:
            now = self._now_ms()
            made_at, tickers = self._all
            if not 0 <= now - made_at < TICKERS_MAX_AGE_MS:
                tickers = [Ticker(it) for it in await self._reader.windows(now)]
                self._all = (now, tickers)
            return tickers

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


def _range(query: Query) -> Range:
    return {
        "start": parameters.integer(query, "startTime"),
        "end": parameters.integer(query, "endTime"),
        "limit": parameters.limit(query),
    }


def _rows(format_: Format, found: Iterable[Any], query: Query) -> list[dict[str, Any]]:
    ticks = parameters.ticks_per_ms(query)
    return [format_.row(it, ticks) for it in found]
