"""The WebSocket as its clients see it: two workers, each of which streams every coin."""

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from signal import SIGKILL
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiokafka.partitioner import DefaultPartitioner
from yarl import URL

from dev.local_kafka import LocalKafka
from tests.conftest import Cluster, StartProgram, make_cluster
from tests.integration.filled_store import FilledStore
from tests.integration.sockets import CLOSE, PING, SilentReader, watch
from tests.programs import Program
from tests.waiting import PATIENCE_S, eventually, in_time, wait_for

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
PARTITIONS = 4
#: Pings are sent every 20 s, and have 10 s to be answered: twice that, since machines may be busy.
SILENCE_S = 60


class Site(NamedTuple):
    """The programs that most tests share; each test has coins of its own."""

    topic: str
    trading: Program
    charts: tuple[Program, Program]


@pytest.fixture(scope="module")
def site(kafka: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run trading_app and two workers of chart_app."""
    cluster, folder = make_cluster(kafka), tmp_path_factory.mktemp("websocket")
    cluster.settings["TRADE_MAX_FUTURE"] = "120"  # a trade of the next minute
    with ExitStack() as stack:
        trading, one, other = (
            stack.enter_context(Program(package, folder, cluster.settings))
            for package in ("trading_app", "chart_app", "chart_app")
        )
        for program in (trading, one, other):
            wait_for(program.is_ready, "the program is ready")
        yield Site(cluster.topic, trading, (one, other))


class Market:
    """Posts trades, and asks by REST."""

    def __init__(self, topic: str, trading: Program, http: aiohttp.ClientSession) -> None:
        self._topic = topic
        self._trading = trading
        self._http = http

    async def trade(self, coin: str, price: Any = 100, amount: Any = 1, **more: Any) -> None:
        """Post a trade."""
        trade = {"topic": self._topic, "coinName": coin, "price": price, "numOfCoin": amount}
        url = f"{self._trading.url}/send-trading-data"
        async with self._http.post(url, json=trade | more) as answer:
            assert answer.status == 201, await answer.text()

    async def get(self, chart: Program, path: str, **parameters: Any) -> Any:
        """Return the answer to a request."""
        async with self._http.get(f"{chart.url}/api/v3/{path}", params=parameters) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def newest_kline(self, chart: Program, coin: str, interval: str) -> list[Any]:
        """Return the newest candle by REST."""
        (row,) = await self.get(chart, "klines", symbol=coin, interval=interval, limit=1)
        return list(row)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def market(site: Site, http: aiohttp.ClientSession) -> Market:
    return Market(site.topic, site.trading, http)


@pytest.fixture
def coin() -> str:
    """Return the name of a new coin."""
    return new_coin()


def new_coin() -> str:
    return f"COIN{uuid.uuid4().hex[:10].upper()}"


def coins_of_each_partition(count: int) -> list[str]:
    """Return ``count`` new coins of each partition of the topic: each worker has some."""
    found: dict[int, list[str]] = {number: [] for number in range(PARTITIONS)}
    while any(len(it) < count for it in found.values()):
        coin = new_coin()
        of_partition = found[DefaultPartitioner()(coin.encode(), [*found], [*found])]
        if len(of_partition) < count:
            of_partition.append(coin)
    return [coin for coins in found.values() for coin in coins]


@pytest.fixture
def chart(site: Site) -> Program:
    """Return a worker."""
    return site.charts[0]


def row(kline: dict[str, Any]) -> list[Any]:
    """Return the kline of an event as REST has it."""
    return [kline[name] for name in "tohlcvTqnVQB"]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    "path",
    [
        *("/ws", "/ws/", "/ws/0", "/ws/other@trade", "/ws/other@trade/b@kline_1M", "/stream"),
        *("/stream?streams=other@trade", "/stream?streams=other@trade/b@kline_1M"),
    ],
)
async def test_every_path_takes_requests(
    market: Market, chart: Program, http: aiohttp.ClientSession, coin: str, path: str
) -> None:
    name = f"{coin.lower()}@trade"
    asked = [it for it in path.removeprefix("/stream?streams=").split("/") if "@" in it]
    async with http.ws_connect(chart.url + path) as socket:

        async def ask(method: str, *names: str) -> Any:
            await socket.send_json({"method": method, "params": names, "id": method})
            answer = await socket.receive_json(timeout=PATIENCE_S)
            assert answer["id"] == method
            return answer["result"]

        assert await ask("LIST_SUBSCRIPTIONS") == asked
        assert await ask("SUBSCRIBE", name) is None
        assert await ask("LIST_SUBSCRIPTIONS") == [*asked, name]
        await market.trade(coin)
        event = await socket.receive_json(timeout=PATIENCE_S)
        if path.startswith("/stream"):
            assert event.keys() == {"stream", "data"}
            assert event["stream"] == name
            event = event["data"]
        assert (event["e"], event["s"]) == ("trade", coin)
        assert await ask("UNSUBSCRIBE", name, *asked) is None
        assert await ask("LIST_SUBSCRIPTIONS") == []


@pytest.mark.parametrize(
    "path", ["/ws/{}@trade/{}@aggTrade", "/stream?streams={}@trade/{}@aggTrade"]
)
async def test_the_streams_of_the_path_are_streamed(
    market: Market, chart: Program, http: aiohttp.ClientSession, coin: str, path: str
) -> None:
    async with http.ws_connect(chart.url + path.format(coin, coin)) as socket:
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert (await socket.receive_json())["result"] == [f"{coin}@trade", f"{coin}@aggTrade"]
        await market.trade(coin)
        events = [await socket.receive_json(timeout=PATIENCE_S) for _ in range(2)]
        assert {it.get("data", it)["e"] for it in events} == {"trade", "aggTrade"}


@pytest.mark.parametrize(
    "request_id", [{"id": 1}, {"id": 0}, {"id": -7}, {"id": "a b"}, {"id": ""}]
)
@pytest.mark.parametrize("method", ["SUBSCRIBE", "UNSUBSCRIBE"])
async def test_an_answer_has_the_id_of_the_request_and_nothing_else(
    chart: Program, http: aiohttp.ClientSession, request_id: dict[str, Any], method: str
) -> None:
    async with http.ws_connect(f"{chart.url}/ws") as socket:
        await socket.send_json({"method": method, "params": ["x@trade"], **request_id})
        assert await socket.receive_json(timeout=PATIENCE_S) == {"result": None, **request_id}


async def test_a_request_without_an_id_is_answered_without_one(
    chart: Program, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(f"{chart.url}/ws") as socket:
        await socket.send_json({"method": "SUBSCRIBE", "params": ["x@trade"]})
        assert await socket.receive_json(timeout=PATIENCE_S) == {"result": None, "id": None}


BAD_REQUESTS = [
    ("garbage", 3, None),
    ('{"method":', 3, None),
    ("[" * 50_000, 3, None),
    ("", 3, None),
    ("[]", 2, None),
    ("1", 2, None),
    ("{}", 2, None),
    ('{"method":"PUBLISH","id":5}', 2, 5),
    ('{"method":["SUBSCRIBE"],"id":5}', 2, 5),
    ('{"method":"SUBSCRIBE","params":"btc@trade","id":5}', 2, 5),
    ('{"method":"SUBSCRIBE","params":[1],"id":5}', 2, 5),
    ('{"method":"SUBSCRIBE","params":["nonsense"],"id":"x"}', 2, "x"),
    ('{"method":"SUBSCRIBE","params":{"a":1},"id":5}', 2, 5),
    ('{"method":"SET_PROPERTY","params":["combined"],"id":5}', 2, 5),
    ('{"method":"SET_PROPERTY","params":["combined","true"],"id":5}', 2, 5),
    ('{"method":"SET_PROPERTY","params":["other",true],"id":5}', 2, 5),
    ('{"method":"GET_PROPERTY","params":["other"],"id":5}', 2, 5),
    ('{"method":"SUBSCRIBE","params":["btc@kline_2m"],"id":5}', 2, 5),
    ('{"method":"UNSUBSCRIBE","params":["nonsense"],"id":5}', 2, 5),
    ('{"method":"SUBSCRIBE","params":[],"id":true}', 2, None),
    ('{"method":"SUBSCRIBE","params":[],"id":[1]}', 2, None),
]


async def test_a_bad_request_is_answered_with_an_error_and_changes_nothing(
    chart: Program, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(f"{chart.url}/ws") as socket:
        for request, code, request_id in BAD_REQUESTS:
            await socket.send_str(request)
            answer = await socket.receive_json(timeout=PATIENCE_S)
            assert answer.keys() == {"error", "id"}, request
            assert answer["error"].keys() == {"code", "msg"}, request
            assert (answer["error"]["code"], answer["id"]) == (code, request_id), request
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert await socket.receive_json(timeout=PATIENCE_S) == {"result": [], "id": 1}


async def test_an_unknown_stream_in_the_path_is_an_error_and_the_others_are_streamed(
    chart: Program, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(f"{chart.url}/stream?streams=nonsense/btc@trade") as socket:
        assert (await socket.receive_json(timeout=PATIENCE_S))["error"]["code"] == 2
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert (await socket.receive_json(timeout=PATIENCE_S))["result"] == ["btc@trade"]


@pytest.mark.parametrize("plus", ["+", "%2B"])
async def test_a_zone_in_the_query_may_have_its_plus_as_it_is(
    chart: Program, http: aiohttp.ClientSession, plus: str
) -> None:
    url = URL(f"{chart.url}/stream?streams=b%20c@kline_1d@{plus}09:00/b+c@trade", encoded=True)
    async with http.ws_connect(url) as socket:
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        streams = (await socket.receive_json(timeout=PATIENCE_S))["result"]
        assert streams == ["b c@kline_1d@+09:00", "b c@trade"]


NAMES = ["btc@trade", "no-such-coin@trade", "nonsense", "btc@depth", "btc@trade"]


@pytest.mark.parametrize("names", sorted(set(itertools.permutations(NAMES))))
@pytest.mark.parametrize("path", ["ws", "stream"])
async def test_unknown_streams_do_not_cost_the_others_theirs(
    chart: Program, http: aiohttp.ClientSession, path: str, names: tuple[str, ...]
) -> None:
    async with http.ws_connect(f"{chart.url}/{path}") as socket:
        for request_id in (1, "x", None):
            await socket.send_json({"method": "SUBSCRIBE", "params": names, "id": request_id})
            answer = await socket.receive_json(timeout=PATIENCE_S)
            assert (answer["id"], answer["error"]["code"]) == (request_id, 2)
            assert "'nonsense'" in answer["error"]["msg"]
            assert "'btc@depth'" in answer["error"]["msg"]
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 2})
        streams = (await socket.receive_json(timeout=PATIENCE_S))["result"]
        assert sorted(streams) == ["btc@trade", "no-such-coin@trade"]


@pytest.mark.parametrize("path", ["ws", "stream"])
async def test_with_unknown_streams_in_any_order_trades_of_the_others_arrive(
    market: Market, chart: Program, http: aiohttp.ClientSession, coin: str, path: str
) -> None:
    name = f"{coin.lower()}@trade"
    orders = sorted(set(itertools.permutations([name, "nonsense", f"{coin}@depth", name])))
    ids: Iterator[dict[str, Any]] = itertools.cycle([{"id": 7}, {"id": "x"}, {"id": None}, {}])
    async with http.ws_connect(f"{chart.url}/{path}") as socket:

        async def ask(method: str, names: tuple[str, ...] = ()) -> Any:
            request_id = next(ids)
            await socket.send_json({"method": method, "params": names, **request_id})
            answer = await socket.receive_json(timeout=PATIENCE_S)
            assert answer.pop("id") == request_id.get("id")
            return answer

        for number, names in enumerate(orders):
            assert (await ask("SUBSCRIBE", names))["error"]["code"] == 2
            assert await ask("LIST_SUBSCRIPTIONS") == {"result": [name]}
            for price in (2 * number + 1, 2 * number + 2):
                await market.trade(coin, price=price)
                event = await socket.receive_json(timeout=PATIENCE_S)
                if path == "stream":
                    assert event["stream"] == name
                    event = event["data"]
                assert (event["e"], event["s"], event["p"]) == ("trade", coin, str(price))
            assert (await ask("UNSUBSCRIBE", names))["error"]["code"] == 2
            assert await ask("LIST_SUBSCRIPTIONS") == {"result": []}


async def test_candles_of_a_zone_are_on_the_stream_as_rest_has_them(
    market: Market, chart: Program, coin: str
) -> None:
    zone = "+09:00"
    streams = {it: f"{coin}@kline_{it}@{zone}" for it in ("1d", "1w", "1M")}
    async with watch(chart, *streams.values()) as viewer:

        async def is_as_by_rest(trades: int) -> bool:
            for interval, stream in streams.items():
                rows = await market.get(
                    chart, "klines", symbol=coin, interval=interval, timeZone=zone
                )
                sent = {it["t"]: row(it) for it in viewer.of(stream)}
                if sum(it[8] for it in rows) < trades or [sent.get(it[0]) for it in rows] != rows:
                    return False
            return True

        late = [(9, 11), (400, 1)]
        for count, (at, price) in enumerate([(400, 5), (40, 7), (9, 3), (2, 4), (0, 6), *late], 1):
            await market.trade(coin, price=price, timestamp=now_ms() - at * DAY_MS)
            await viewer.wait(streams["1d"])  # the coin is there
            await eventually(partial(is_as_by_rest, count), "the stream has what REST has")
    for interval, stream in streams.items():
        assert {it["i"] for it in viewer.of(stream)} == {interval}


async def test_a_connection_can_be_made_combined(
    market: Market, chart: Program, http: aiohttp.ClientSession, coin: str
) -> None:
    async with http.ws_connect(f"{chart.url}/ws/{coin}@trade") as socket:

        async def ask(method: str, *parameters: Any) -> Any:
            await socket.send_json({"method": method, "params": parameters, "id": 1})
            return (await socket.receive_json(timeout=PATIENCE_S))["result"]

        assert await ask("GET_PROPERTY", "combined") is False
        assert await ask("SET_PROPERTY", "combined", True) is None
        assert await ask("GET_PROPERTY", "combined") is True
        await market.trade(coin)
        assert (await socket.receive_json(timeout=PATIENCE_S))["stream"] == f"{coin}@trade"
        assert await ask("SET_PROPERTY", "combined", False) is None
        await market.trade(coin)
        assert (await socket.receive_json(timeout=PATIENCE_S))["e"] == "trade"


async def test_a_stream_is_named_exactly_as_it_was_subscribed_to(
    market: Market, chart: Program, coin: str
) -> None:
    names = [f"{it}@trade" for it in (coin, coin.lower(), coin.title())]
    async with watch(chart, *names) as viewer:
        await market.trade(coin)
        for name in names:
            assert (await viewer.wait(name))["s"] == coin
        assert await viewer.ask("LIST_SUBSCRIPTIONS") == names


async def test_a_coin_that_has_exactly_the_name_comes_before_one_that_differs_in_case(
    market: Market, chart: Program, coin: str
) -> None:
    other = coin.lower()
    async with FilledStore(f"sqlite:///{chart.folder}/data/chart.sqlite") as store:
        await store.add_old_coins(coin, other)
    for name in (coin, other):
        await market.trade(name)

    async def both() -> bool:
        prices = await market.get(chart, "ticker/price")
        return {coin, other} <= {it["symbol"] for it in prices}

    await eventually(both, "both coins are stored")
    async with watch(chart, f"{coin}@trade", f"{other}@trade") as viewer:
        for name in (coin, other, coin):
            await market.trade(name, price=101)  # those at 100 may be broadcast only now
        streams = (f"{coin}@trade", f"{other}@trade")

        async def traded() -> list[list[str]] | None:
            told = [[it["s"] for it in viewer.of(name) if it["p"] == "101"] for name in streams]
            return told if sum(map(len, told)) >= 3 else None

        assert await eventually(traded, "three events") == [[coin, coin], [other]]
        assert {it["s"] for it in viewer.of(streams[0])} == {coin}


async def has(items: list[Any], count: int) -> bool:
    return len(items) >= count


async def test_a_coin_that_does_not_exist_yet_is_streamed_from_its_first_trade_on(
    site: Site, market: Market, coin: str
) -> None:
    lower = coin.lower()
    async with AsyncExitStack() as stack:
        viewers = [
            await stack.enter_async_context(
                watch(it, f"{lower}@trade", f"{lower}@kline_1M", f"{lower}@miniTicker")
            )
            for it in site.charts
        ]
        await market.trade(coin, price="1.50")
        for viewer in viewers:
            assert (await viewer.wait(f"{lower}@trade"))["s"] == coin
            kline = await viewer.wait(f"{lower}@kline_1M")
            assert (kline["s"], kline["n"], kline["o"]) == (coin, 1, "1.50")
            assert (await viewer.wait(f"{lower}@miniTicker"))["s"] == coin


async def test_a_trade_event_has_the_fields_and_the_id_that_rest_has(
    market: Market, chart: Program, coin: str
) -> None:
    timestamp = now_ms() - 5_000
    async with watch(chart, f"{coin}@trade", f"{coin}@aggTrade") as viewer:
        before = now_ms()
        await market.trade(coin, price="0.10", amount="1E-8", timestamp=timestamp)
        trade = await viewer.wait(f"{coin}@trade")
        aggregate = await viewer.wait(f"{coin}@aggTrade")
    assert before <= trade.pop("E") <= now_ms()
    assert before <= aggregate.pop("E") <= now_ms()
    (by_rest,) = await market.get(chart, "trades", symbol=coin)
    assert trade == {
        "e": "trade",
        "s": coin,
        "t": by_rest["id"],
        "p": "0.10",
        "q": "0.00000001",
        "b": 0,
        "a": 0,
        "T": timestamp,
        "m": False,
        "M": True,
    }
    (aggregate_by_rest,) = await market.get(chart, "aggTrades", symbol=coin)
    assert aggregate == {"e": "aggTrade", "s": coin, **aggregate_by_rest}
    for name in ("p", "q"):
        assert isinstance(trade[name], str)


async def test_a_kline_event_has_the_fields_and_the_numbers_that_rest_has(
    market: Market, chart: Program, coin: str
) -> None:
    before = now_ms()
    async with watch(chart, f"{coin}@kline_1M") as viewer:
        for count, (price, amount) in enumerate([("1.10", "2"), ("3", "0.10"), ("0.5", "7")], 1):
            await market.trade(coin, price=price, amount=amount, tradeId=count)
            await viewer.wait(f"{coin}@kline_1M", n=count)
        (*_, (_, _, event)) = viewer.events
    ids = [it["id"] for it in await market.get(chart, "trades", symbol=coin)]
    kline = event["k"]
    assert event.keys() == {"e", "E", "s", "k", "revision"}
    assert (event["e"], event["s"], event["revision"]) == ("kline", coin, 0)
    assert before <= event["E"] <= now_ms()
    assert kline.keys() == set("tTsifLochlvnxqVQB")
    assert (kline["s"], kline["i"], kline["x"]) == (coin, "1M", False)
    assert (kline["f"], kline["L"]) == (ids[0], ids[-1])
    assert (kline["o"], kline["h"], kline["l"], kline["c"]) == ("1.10", "3.00", "0.50", "0.50")
    assert row(kline)[:-1] == (await market.newest_kline(chart, coin, "1M"))[:-1]
    types = {name: type(value) for name, value in kline.items()}
    assert {name for name, kind in types.items() if kind is int} == set("tTfLn")
    assert {name for name, kind in types.items() if kind is bool} == {"x"}
    assert {name for name, kind in types.items() if kind is str} == set("siochlvqVQB")


@pytest.mark.parametrize("interval", ["1m", "1h", "1d", "1w", "1M"])
async def test_a_new_reader_is_sent_the_newest_candle_at_once_as_rest_has_it(
    site: Site, market: Market, coin: str, interval: str
) -> None:
    name = f"{coin.lower()}@kline_{interval}"
    async with watch(site.charts[0], name) as viewer:
        async with watch(site.charts[1], name) as other:
            timestamp = now_ms()
            for _ in range(3):
                await market.trade(coin, price="2.50", amount="0.1", timestamp=timestamp)
            for it in (viewer, other):  # which hears of them by the live topic, some ms later
                await it.wait(name, n=3)

        async def greet(chart: Program) -> float:
            async with watch(chart, name) as newcomer:
                begin = time.monotonic()
                kline = await newcomer.wait(name)
                duration = time.monotonic() - begin
            assert row(kline) == await market.newest_kline(chart, coin, interval)
            return duration

        for chart in site.charts:
            await in_time(1, partial(greet, chart))


@pytest.mark.parametrize("late_ms", [2 * MINUTE_MS, 400 * DAY_MS])
async def test_a_late_trade_sends_its_closed_candle_again_as_rest_has_it(
    site: Site, market: Market, coin: str, late_ms: int
) -> None:
    name, now = f"{coin}@kline_1m", now_ms()
    then = now - late_ms
    async with watch(site.charts[0], name) as one, watch(site.charts[1], name) as other:
        open_time = then - then % MINUTE_MS
        for price, timestamp in ((1, then), (2, now), (3, then)):
            await market.trade(coin, price=price, timestamp=timestamp)
            for viewer in (one, other):
                await viewer.wait(name, c=str(price))
        for viewer in (one, other):
            told = [it for it in viewer.of(name) if it["t"] == open_time]
            assert [(it["n"], it["x"]) for it in told] == [(1, True), (2, True)]
            (stored, *_) = await market.get(
                site.charts[0], "klines", symbol=coin, interval="1m", startTime=open_time
            )
            assert row(told[-1]) == stored


async def test_a_candle_is_closed_by_the_clock_within_two_seconds_of_its_end(
    site: Site, market: Market
) -> None:
    async def attempt() -> float:
        if now_ms() % MINUTE_MS > 40_000:
            await asyncio.sleep(25)  # into a new minute: there must be time to trade in it
        coins = [new_coin() for _ in range(4)]
        names = [f"{coin.lower()}@kline_1m" for coin in coins]
        async with watch(site.charts[0], *names) as one, watch(site.charts[1], *names) as other:
            now = now_ms()
            end = now - now % MINUTE_MS + MINUTE_MS
            for coin in coins:
                await market.trade(coin, timestamp=now)
            for viewer in (one, other):
                for name in names:
                    assert (await viewer.wait(name, n=1))["x"] is False
            for chart, viewer in zip(site.charts, (one, other), strict=True):
                for coin, name in zip(coins, names, strict=True):
                    closed = await viewer.wait(name, x=True)
                    assert [it["x"] for it in viewer.of(name)] == [False, True]
                    assert row(closed) == await market.newest_kline(chart, coin, "1m")
                    assert closed["T"] == end - 1
        delays = [
            time_ - end / 1000 for time_, _, event in one.events + other.events if event["k"]["x"]
        ]
        assert min(delays) >= 0
        return max(delays)

    await in_time(2, attempt)


async def test_a_trade_of_the_next_interval_closes_the_candle_before_it_opens_another(
    market: Market, chart: Program, coin: str
) -> None:
    name, now = f"{coin}@kline_1m", now_ms()
    async with watch(chart, name) as viewer:
        for timestamp in (now, now + MINUTE_MS):  # from a sender whose clock is ahead
            await market.trade(coin, timestamp=timestamp)
        await viewer.wait(name, t=now - now % MINUTE_MS + MINUTE_MS)
        told = [(it["t"] > now, it["x"]) for it in viewer.of(name)]
        assert told in (
            [(False, False), (False, True), (True, False)],
            [(False, True), (True, False)],  # the minute has ended before
        )


async def test_the_tickers_of_what_was_traded_are_sent(
    market: Market, chart: Program, coin: str
) -> None:
    one = f"{coin.lower()}@miniTicker"
    async with watch(chart, one, "!miniTicker@arr") as viewer:
        for price in ("5", "7", "4"):
            await market.trade(coin, price=price, amount="0.5")
        ticker = await viewer.wait(one, q="8.0")
        assert ticker.keys() == {"e", "E", "s", "c", "o", "h", "l", "v", "q"}
        assert (ticker["e"], ticker["s"], ticker["v"]) == ("24hrMiniTicker", coin, "1.5")
        assert [ticker[name] for name in "ohlc"] == ["5", "7", "4", "4"]
        by_rest = await market.get(chart, "ticker/24hr", symbol=coin)
        assert (by_rest["volume"], by_rest["quoteVolume"]) == (ticker["v"], ticker["q"])

        async def in_the_list() -> bool:
            lists = [data for _, name, data in viewer.events if name == "!miniTicker@arr"]
            return any(it["s"] == coin and it["q"] == "8.0" for all_ in lists for it in all_)

        await eventually(in_the_list, "the coin stands in the list of all")


async def test_the_whole_ticker_is_what_rest_says(
    market: Market, chart: Program, coin: str
) -> None:
    one, average = (f"{coin.lower()}@{kind}" for kind in ("ticker", "avgPrice"))
    async with watch(chart, one, "!ticker@arr", average) as viewer:
        for price, amount in (("5", "1"), ("7.5", "3")):
            await market.trade(coin, price=price, amount=amount)
        ticker = await viewer.wait(one, n=2)
        assert (ticker["e"], ticker["s"], ticker["E"]) == ("24hrTicker", coin, ticker["E"])
        by_rest = await market.get(chart, "ticker/24hr", symbol=coin)
        told = [ticker[key] for key in "spPwxcQbBaAohlvqOCFLn"]
        differences = {
            key: (it, ticker)
            for (key, it), ticker in zip(by_rest.items(), told, strict=True)
            if it != ticker
        }
        assert differences.keys() <= {"openTime", "closeTime"}  # REST was asked later
        assert all(it > ticker for it, ticker in differences.values())

        async def in_the_list() -> bool:
            lists = [data for _, name, data in viewer.events if name == "!ticker@arr"]
            return any(it["s"] == coin and it["n"] == 2 for all_ in lists for it in all_)

        await eventually(in_the_list, "the coin stands in the list of all")
        told_average = await viewer.wait(average, w="6.87500000")
        rest_average = await market.get(chart, "avgPrice", symbol=coin)
        assert told_average == {
            "e": "avgPrice",
            "E": told_average["E"],
            "s": coin,
            "i": f"{rest_average['mins']}m",
            "w": rest_average["price"],
            "T": rest_average["closeTime"],
        }


async def test_the_last_price_is_told_as_bid_and_ask_as_soon_as_it_changes(
    market: Market, site: Site, coin: str
) -> None:
    book = f"{coin.lower()}@bookTicker"
    async with AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(watch(it, book)) for it in site.charts]
        for price in ("5", "5", "7.5", "7.5"):
            await market.trade(coin, price=price)
        for viewer, chart in zip(viewers, site.charts, strict=True):
            event = await viewer.wait(book, b="7.5")
            by_rest = await market.get(chart, "ticker/bookTicker", symbol=coin)
            assert [event[key] for key in "sbBaA"] == list(by_rest.values())
            assert event.keys() == set("usbBaA")
            assert by_rest["bidQty"] == "0"
        trades = await market.get(chart, "trades", symbol=coin)
        assert event["u"] in {it["id"] for it in trades if it["price"] == "7.5"}
        async with watch(chart, book) as late:
            assert (await late.wait(book))["b"] == "7.5"
        for viewer in viewers:
            assert [it["b"] for it in viewer.of(book)] in (["5", "7.5"], ["7.5"])


async def test_after_unsubscribing_nothing_more_is_sent(
    market: Market, chart: Program, coin: str
) -> None:
    trades, klines = f"{coin}@trade", f"{coin}@kline_1M"
    async with watch(chart, trades, klines) as viewer:
        await market.trade(coin)
        await asyncio.gather(viewer.wait(trades), viewer.wait(klines, n=1))
        await viewer.ask("UNSUBSCRIBE", klines)
        await market.trade(coin)
        await eventually(lambda: has(viewer.of(trades), 2), "the other stream goes on")
        await viewer.ask("LIST_SUBSCRIPTIONS")  # what was to come before has come
        assert len(viewer.of(klines)) == 1
        await viewer.ask("SUBSCRIBE", klines)
        assert (await viewer.wait(klines, n=2))["x"] is False


async def test_what_one_worker_stores_the_other_streams_within_a_second(
    site: Site, market: Market
) -> None:
    async def attempt() -> float:
        coins = coins_of_each_partition(3)
        names = [f"{coin.lower()}@trade" for coin in coins]
        sent: dict[str, float] = {}
        async with watch(site.charts[0], *names) as one, watch(site.charts[1], *names) as other:
            for coin, name in zip(coins, names, strict=True):
                sent[name] = time.time()
                await market.trade(coin)
                for viewer in (one, other):
                    await viewer.wait(name)
            for viewer in (one, other):
                assert [name for _, name, _ in viewer.events] == names, "every coin, once"
        stored = [{it.coin for it in program.trades()} & set(coins) for program in site.charts]
        assert all(stored), "each worker has stored some of the coins"
        assert not stored[0] & stored[1]
        return max(time_ - sent[name] for time_, name, _ in one.events + other.events)

    await in_time(1, attempt)


async def test_a_ping_is_answered_with_what_it_carries(
    chart: Program, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(f"{chart.url}/ws", autoping=False) as socket:
        for payload in (b"", b"1700000000000"):
            await socket.ping(payload)
            pong = await socket.receive(timeout=PATIENCE_S)
            assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, payload)


async def test_who_says_goodbye_is_answered(chart: Program, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(f"{chart.url}/ws/btc@trade") as socket:
        await socket.close()
        assert (socket.close_code, socket.exception()) == (1000, None)


async def test_who_does_not_answer_pings_is_let_go_and_an_empty_pong_keeps_one(
    chart: Program, http: aiohttp.ClientSession
) -> None:
    def listen() -> tuple[list[int], float]:
        begin = time.monotonic()
        with SilentReader(chart, "/ws") as reader:
            opcodes = [frame.opcode for frame in reader.frames()]
        return opcodes, time.monotonic() - begin

    async with http.ws_connect(f"{chart.url}/ws", autoping=False) as socket:
        listening = asyncio.create_task(asyncio.to_thread(listen))
        assert (await socket.receive(timeout=SILENCE_S)).type is aiohttp.WSMsgType.PING
        await socket.pong(b"")
        opcodes, duration = await listening
        assert opcodes in ([PING], [PING, CLOSE])
        assert duration < SILENCE_S
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        message = await socket.receive(timeout=PATIENCE_S)
        while message.type is aiohttp.WSMsgType.PING:
            message = await socket.receive(timeout=PATIENCE_S)
        assert message.type is aiohttp.WSMsgType.TEXT


async def test_what_a_dying_worker_has_stored_and_told_nobody_is_shown_by_the_other(
    cluster: Cluster, start: StartProgram, http: aiohttp.ClientSession
) -> None:
    trading = start("trading_app", cluster.settings).wait_ready()
    chart = start("chart_app", cluster.settings).wait_ready()
    fault = {"FAULT_AT": "after-commit", "FAULT_SIGNAL": "SIGKILL"}
    dying = Program("chart_app", chart.folder, {**cluster.settings, **fault})
    dying.package = "tests.faulty_worker"
    market = Market(cluster.topic, trading, http)
    coins = coins_of_each_partition(2)
    names = {coin: f"{coin.lower()}@kline_1M" for coin in coins}
    with dying:
        for program in (chart, dying):
            wait_for(program.is_ready, "it has its place in the group")
        async with watch(chart, *names.values()) as viewer:
            for count in range(1, 6):
                for coin in coins:
                    await market.trade(coin, price=count)
                    # Also of the trade that the other has stored, and then died.
                    kline = await viewer.wait(names[coin], n=count)
                    assert kline["c"] == str(count)
                if not dying.running:
                    break
            assert await asyncio.to_thread(dying.wait) == -SIGKILL
            assert "fault after-commit" in dying.log()
            for coin, name in names.items():
                assert row(viewer.of(name)[-1]) == await market.newest_kline(chart, coin, "1M")
                counts = [it["n"] for it in viewer.of(name)]
                assert counts == sorted(set(counts)), "no state comes twice or goes back"
