"""Clients of Binance's, given nothing but our addresses: ccxt and python-binance."""

import warnings
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import ccxt  # type: ignore[import-untyped]
import pytest

from chart_app.model.intervals import MINUTE_MS
from dev.local_kafka import LocalKafka
from streaming.http.keys import new_key
from tests.integration.clients import (
    AsyncClient,
    BinanceSocketManager,
    arrives,
    open_ccxt,
    open_python_binance,
)
from tests.integration.live_market import MINUTES_AGO, LiveMarket, run_live_market
from tests.key_file import KeyFile

with warnings.catch_warnings(action="ignore"):  # of its age
    from binance.exceptions import BinanceAPIException  # type: ignore[import-untyped]

PAGE = 100


@pytest.fixture
async def exchange(live: LiveMarket) -> AsyncIterator[Any]:
    """Return ccxt's client, REST and WebSocket."""
    async with open_ccxt(live) as exchange:
        yield exchange


@pytest.fixture
async def client(live: LiveMarket) -> AsyncIterator[AsyncClient]:
    """Return python-binance's client."""
    async with open_python_binance(live) as client:
        yield client


async def test_ccxt_reads_the_markets(exchange: Any) -> None:
    markets = await exchange.load_markets()
    assert set(markets) == {"BTC/USDT", "ETH/KRW", "SOL/USDT"}
    market = markets["BTC/USDT"]
    assert market["active"] is market["spot"] is True
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.1)
    assert markets["ETH/KRW"]["id"] == "eth-krw"


async def test_ccxt_pages_through_all_klines(exchange: Any, live: LiveMarket) -> None:
    for symbol in ("BTC/USDT", "ETH/KRW"):
        candles: list[list[float]] = []
        since = 0
        while page := await exchange.fetch_ohlcv(symbol, "1m", since, PAGE):
            candles += page
            since = page[-1][0] + 1
        prices = [number + 0.25 for number in range(1, len(MINUTES_AGO) + 1)]
        assert [candle[0] for candle in candles] == live.open_times
        assert [candle[1] for candle in candles] == [candle[4] for candle in candles] == prices
        assert {candle[5] for candle in candles} == {0.5}


async def test_ccxt_reads_trades_and_tickers(exchange: Any, live: LiveMarket) -> None:
    trades = await exchange.fetch_trades("BTC/USDT", limit=3)
    assert [trade["timestamp"] for trade in trades] == live.open_times[-3:]
    assert [trade["price"] for trade in trades] == [348.25, 349.25, 350.25]
    (first,) = await exchange.fetch_trades("BTC/USDT", since=live.open_times[0], limit=1)
    assert (first["price"], first["amount"], first["cost"]) == (1.25, 0.5, 0.625)
    ticker = await exchange.fetch_ticker("ETH/KRW")
    assert (ticker["open"], ticker["last"]) == (1.25, 350.25)
    assert (ticker["high"], ticker["low"]) == (350.25, 1.25)
    assert ticker["baseVolume"] == 175
    assert set(await exchange.fetch_tickers()) == {"BTC/USDT", "ETH/KRW", "SOL/USDT"}


async def test_ccxt_knows_our_errors(exchange: Any) -> None:
    await exchange.load_markets()
    with pytest.raises(ccxt.BadSymbol):
        await exchange.public_get_klines({"symbol": "NOPE", "interval": "1m"})
    with pytest.raises(ccxt.BadRequest):
        await exchange.public_get_klines({"symbol": "BTCUSDT", "interval": "7m"})


async def test_ccxt_watches_klines_and_trades(exchange: Any, live: LiveMarket) -> None:
    async with live.trades_flow():
        trades = await arrives(
            lambda: exchange.watch_trades("SOL/USDT"),
            lambda trades: trades[-1]["price"] == 777,
        )
        assert trades[-1]["amount"] == 0.5
        candles = await arrives(
            lambda: exchange.watch_ohlcv("SOL/USDT", "1m"),
            lambda candles: candles[-1][4] == 777,
        )
        assert candles[-1][0] % MINUTE_MS == 0
        assert candles[-1][5] >= 0.5


async def test_python_binance_reads_the_symbols(client: AsyncClient) -> None:
    info = await client.get_exchange_info()
    assert [it["symbol"] for it in info["symbols"]] == ["BTCUSDT", "SOLUSDT", "eth-krw"]
    assert (await client.get_symbol_info("BTCUSDT"))["quoteAsset"] == "USDT"


async def test_python_binance_pages_through_all_klines(
    client: AsyncClient, live: LiveMarket
) -> None:
    for symbol in ("BTCUSDT", "ETH-KRW"):
        pages = await client.get_historical_klines_generator(symbol, "1m", 0, limit=PAGE)
        klines = [row async for row in pages]
        assert [row[0] for row in klines] == live.open_times
        assert [Decimal(row[4]) for row in klines] == [
            number + Decimal("0.25") for number in range(1, len(MINUTES_AGO) + 1)
        ]
    daily = await client.get_klines(symbol="BTCUSDT", interval="1d")
    assert sum(row[8] for row in daily) == len(MINUTES_AGO)


async def test_python_binance_reads_trades_and_tickers(
    client: AsyncClient, live: LiveMarket
) -> None:
    trades = await client.get_recent_trades(symbol="BTCUSDT", limit=2)
    assert [trade["time"] for trade in trades] == live.open_times[-2:]
    aggregates = [it async for it in client.aggregate_trade_iter("BTCUSDT")]
    assert [it["T"] for it in aggregates] == live.open_times
    ticker = await client.get_ticker(symbol="BTCUSDT")
    assert (ticker["lastPrice"], ticker["count"]) == ("350.25", len(MINUTES_AGO))
    assert await client.get_symbol_ticker(symbol="BTCUSDT") == {
        "symbol": "BTCUSDT",
        "price": "350.25",
    }
    assert len(await client.get_ticker()) == len(await client.get_all_tickers()) == 3


async def test_python_binance_knows_our_errors(client: AsyncClient) -> None:
    with pytest.raises(BinanceAPIException) as raised:
        await client.get_klines(symbol="NOPE", interval="1m")
    assert raised.value.code == -1121


async def test_python_binance_watches_klines_and_trades(
    client: AsyncClient, live: LiveMarket
) -> None:
    manager = BinanceSocketManager(client)
    async with live.trades_flow():
        async with manager.kline_socket("SOLUSDT", "1m") as klines:
            event = await arrives(klines.recv, lambda event: event["k"]["c"] == "777")
            assert (event["e"], event["s"], event["k"]["i"]) == ("kline", "SOLUSDT", "1m")
        async with manager.trade_socket("SOLUSDT") as trades:
            event = await arrives(trades.recv, lambda event: event["p"] == "777")
            assert (event["e"], event["q"]) == ("trade", "0.5")
        async with manager.multiplex_socket(["solusdt@trade", "solusdt@kline_1h"]) as streams:
            for stream in ("solusdt@kline_1h", "solusdt@trade"):
                await arrives(streams.recv, lambda event: event["stream"] == stream)  # noqa: B023


class Keyed(NamedTuple):
    """chart_app where reading is not public, and a key that may read."""

    live: LiveMarket
    key: str


@pytest.fixture(scope="module")
def keyed(kafka: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """Run chart_app over the same history, for those with a key."""
    folder = tmp_path_factory.mktemp("keyed")
    keys = KeyFile(folder / "api.keys")
    key = keys.add("bot", "read")
    settings = {"API_KEYS_FILE": str(keys.path), "PUBLIC_READ": "false"}
    with run_live_market(kafka, folder, settings) as live:
        yield Keyed(live, key)


async def test_python_binance_presents_its_key(
    keyed: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = keyed.live
    monkeypatch.setattr(AsyncClient, "API_URL", f"{live.http}/api")
    monkeypatch.setattr(BinanceSocketManager, "STREAM_URL", f"{live.websocket}/")
    for wrong, code in (("", -2014), ("x" * 64, -2014), (new_key("bot"), -2015)):
        with pytest.raises(BinanceAPIException) as raised:
            await AsyncClient.create(wrong, "a secret that is not sent")
        assert (raised.value.status_code, raised.value.code) == (401, code)
    client = await AsyncClient.create(keyed.key, "a secret that is not sent")
    try:
        klines = await client.get_klines(symbol="BTCUSDT", interval="1m")
        assert [row[0] for row in klines] == live.open_times
        manager = BinanceSocketManager(client)
        manager.ws_kwargs = {"additional_headers": {"X-MBX-APIKEY": keyed.key}}
        async with live.trades_flow(), manager.trade_socket("SOLUSDT") as trades:
            event = await arrives(trades.recv, lambda event: event["p"] == "777")
            assert event["e"] == "trade"
    finally:
        await client.close_connection()


async def test_ccxt_presents_a_key_among_its_headers(keyed: Keyed) -> None:
    live = keyed.live
    async with open_ccxt(live) as exchange:
        with pytest.raises(ccxt.AuthenticationError):
            await exchange.load_markets()
    async with open_ccxt(live, {"X-MBX-APIKEY": keyed.key}) as exchange:
        candles = await exchange.fetch_ohlcv("BTC/USDT", "1m")
        assert [candle[0] for candle in candles] == live.open_times
        async with live.trades_flow():
            trades = await arrives(
                lambda: exchange.watch_trades("SOL/USDT"),
                lambda trades: trades[-1]["price"] == 777,
            )
        assert trades[-1]["amount"] == 0.5
