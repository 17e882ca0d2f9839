"""Each number of each answer and event: the stored one, with exactly the places of its coin."""

import asyncio
import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from decimal import Context, Decimal, Inexact, localcontext
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chart_app.model.intervals import MINUTE_MS
from chart_app.model.scale import Scale
from chart_app.websocket import streams
from chart_app.websocket.channels import TradeChannel, make_channel
from chart_app.websocket.events import Burst, Event
from tests.integration.filled_store import FilledStore, Given, serve

START = 1_709_164_800_000  # 2024-02-29
NOW = START + 10 * MINUTE_MS
EXACT = Context(prec=200, traps=[Inexact])

numbers = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places),
    st.integers(1, 10**20),
    st.integers(0, 18),
).filter(lambda it: Decimal("1E-18") <= it < Decimal("1E18"))
trade_lists = st.lists(st.tuples(numbers, numbers, st.integers(0, 5)), min_size=1, max_size=6)


class Places(NamedTuple):
    """How many decimal places the prices and the amounts of a coin have."""

    price: int
    amount: int


def places(number: Decimal) -> int:
    """Return the decimal places of a number as it came."""
    return max(0, -int(number.as_tuple().exponent))


def shown(number: Decimal, count: int) -> str:
    """Return a number in plain digits with so many decimal places."""
    with localcontext(EXACT):
        return f"{number:.{count}f}"


class Expected:
    """What a few trades of a coin come to, as text."""

    def __init__(self, trades: Sequence[Given]) -> None:
        prices = [Decimal(it.price) for it in trades]
        amounts = [Decimal(it.amount) for it in trades]
        self.places = Places(max(map(places, prices)), max(map(places, amounts)))
        with localcontext(EXACT):
            turnovers = [price * amount for price, amount in zip(prices, amounts, strict=True)]
            self.prices = [shown(it, self.places.price) for it in prices]
            self.amounts = [shown(it, self.places.amount) for it in amounts]
            self.turnovers = [shown(it, sum(self.places)) for it in turnovers]
            self.high = shown(max(prices), self.places.price)
            self.low = shown(min(prices), self.places.price)
            self.change = shown(prices[-1] - prices[0], self.places.price)
            self.volume = shown(sum(amounts, Decimal(0)), self.places.amount)
            self.turnover = shown(sum(turnovers, Decimal(0)), sum(self.places))
        self.nothing = {
            "price": shown(Decimal(0), self.places.price),
            "amount": shown(Decimal(0), self.places.amount),
            "turnover": shown(Decimal(0), sum(self.places)),
        }

    def kline(self) -> list[str]:
        """Return the numbers of the one candle that holds all trades, as in a row of REST."""
        return [
            *(self.prices[0], self.high, self.low, self.prices[-1], self.volume),
            *(self.turnover, self.nothing["amount"], self.nothing["turnover"], "0"),
        ]

    def ticker(self) -> dict[str, str]:
        """Return the exact numbers of a ticker."""
        return {
            "priceChange": self.change,
            "prevClosePrice": self.nothing["price"],
            "lastPrice": self.prices[-1],
            "lastQty": self.amounts[-1],
            "bidPrice": self.prices[-1],
            "bidQty": self.nothing["amount"],
            "askPrice": self.prices[-1],
            "askQty": self.nothing["amount"],
            "openPrice": self.prices[0],
            "highPrice": self.high,
            "lowPrice": self.low,
            "volume": self.volume,
            "quoteVolume": self.turnover,
        }


def kline_numbers(row: list[Any]) -> list[Any]:
    """Return the numbers that are text."""
    return [row[index] for index in (1, 2, 3, 4, 5, 7, 9, 10, 11)]


class Listener:
    """Keeps the events that it is sent."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def push(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(json.loads(event.bare))

    def push_all(self, burst: Burst) -> None:
        """Keep many."""
        self.events += map(json.loads, burst.bare)


class Server:
    """A store that is served, in which each example has a coin of its own."""

    def __init__(self, filled: FilledStore, client: Any) -> None:
        self._filled = filled
        self._client = client
        self._coins = itertools.count()

    async def get(self, path: str, **query: Any) -> Any:
        """Return the answer to a request."""
        async with self._client.get(f"/api/v3/{path}", params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def check(self, drawn: list[tuple[Decimal, Decimal, int]]) -> None:
        """Store trades, each a price, an amount and a minute, and read all that shows them."""
        coin = f"C{next(self._coins)}"
        trades = [
            Given(coin, START + minute * MINUTE_MS, f"{price:f}", f"{amount:f}")
            for price, amount, minute in sorted(drawn, key=lambda it: it[2])
        ]
        await self._filled.feed(*trades)
        expected = Expected(trades)
        await self._check_klines(coin, expected)
        await self._check_minutes(coin, expected, trades)
        await self._check_trades(coin, expected)
        await self._check_tickers(coin, expected)
        await self._check_events(coin, expected)

    async def _check_klines(self, coin: str, expected: Expected) -> None:
        for query in ({"interval": "1M"}, {"interval": "1d", "timeZone": "-5"}):
            for more in ({}, {"fill": "true"}, {"timeUnit": "microsecond"}, {"startTime": 0}):
                row, *_ = await self.get("klines", symbol=coin, **query, **more)
                assert kline_numbers(row) == expected.kline()

    async def _check_minutes(self, coin: str, all_: Expected, trades: list[Given]) -> None:
        sql = await self.get("klines", symbol=coin, interval="1m")
        filled = await self.get("klines", symbol=coin, interval="1m", fill="true")
        assert [it for it in filled if it[8]] == sql
        for (time, group), row in zip(
            itertools.groupby(trades, key=lambda it: it.time), sql, strict=True
        ):
            one = Expected(list(group))
            assert row[0] == time
            values = map(Decimal, kline_numbers(row))
            assert [*values] == [*map(Decimal, one.kline())]
            assert [*map(places, map(Decimal, kline_numbers(row)))] == [
                *map(places, map(Decimal, all_.kline()))
            ]

    async def _check_trades(self, coin: str, expected: Expected) -> None:
        for path in ("trades", "historicalTrades"):
            rows = await self.get(path, symbol=coin)
            assert [it["price"] for it in rows] == expected.prices
            assert [it["qty"] for it in rows] == expected.amounts
            assert [it["quoteQty"] for it in rows] == expected.turnovers
        rows = await self.get("aggTrades", symbol=coin)
        assert [it["p"] for it in rows] == expected.prices
        assert [it["q"] for it in rows] == expected.amounts

    async def _check_tickers(self, coin: str, expected: Expected) -> None:
        numbers_ = expected.ticker()
        for path in ("ticker", "ticker/24hr", "ticker/bookTicker"):
            found = await self.get(path, symbol=coin)
            exact = {name: it for name, it in found.items() if name in numbers_}
            assert exact == {name: numbers_[name] for name in exact}
            assert len(exact) >= 4
        price = {"symbol": coin, "price": expected.prices[-1]}
        assert await self.get("ticker/price", symbol=coin) == price

    async def _check_events(self, coin: str, expected: Expected) -> None:
        async with self._client.ws_connect("/ws") as socket:
            names = [f"{coin}@kline_1M", f"{coin}@kline_1d@-05:00"]
            await socket.send_json({"method": "SUBSCRIBE", "params": names, "id": 1})
            assert (await socket.receive_json())["result"] is None
            for _ in names:
                kline = (await socket.receive_json())["k"]
                assert [kline[it] for it in "ohlcvqVQB"] == expected.kline()
        for kind in ("trade", "aggTrade"):
            stream = streams.parse(f"{coin}@{kind}")
            assert stream
            channel = make_channel(stream, lambda: NOW, lambda _: False)
            assert isinstance(channel, TradeChannel)
            channel.coin, channel.scale = coin, Scale(*expected.places)
            listener = Listener()
            channel.add(listener)
            channel.send(await self._filled.reader.trades(coin, limit=1000))
            assert [it["p"] for it in listener.events] == expected.prices
            assert [it["q"] for it in listener.events] == expected.amounts


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """Return an event loop that the examples share."""
    with asyncio.Runner() as runner:
        yield runner


def test_each_number_is_the_stored_one_with_the_places_of_its_coin(
    runner: asyncio.Runner, database_url: str
) -> None:
    stack = AsyncExitStack()

    async def start() -> Server:
        filled = await stack.enter_async_context(FilledStore(database_url))
        client = await stack.enter_async_context(serve(filled.reader, NOW))
        return Server(filled, client)

    server = runner.run(start())

    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(trade_lists)
    def check(drawn: list[tuple[Decimal, Decimal, int]]) -> None:
        runner.run(server.check(drawn))

    try:
        check()
    finally:
        runner.run(stack.aclose())
