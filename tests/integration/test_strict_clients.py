"""Clients whose decoders are strict, in Go and Rust: all that they offer of public market data.

Their programs stand in ``tests/clients``, and are built into ``build/clients``. Without Go or Rust
they are skipped, except in CI.
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import aiohttp
import pytest

from tests.integration.live_market import LIVE_COIN, LIVE_PRICE, LiveMarket
from tests.programs import ROOT
from tests.waiting import eventually

BUILT = ROOT / "build/clients"
#: For the first build, which loads and compiles some 200 libraries.
BUILD_LIMIT_S = 1500
RUN_LIMIT_S = 240

COIN = "BTCUSDT"
ONE, SOME = {"symbol": COIN}, {"symbols": f'["{COIN}","eth-krw"]'}
WEEK = {"windowSize": "7d"}
MINI = {"type": "MINI"}
NINE = {**ONE, "limit": "9"}
HOURS = {**ONE, "interval": "1h"}
#: What each answer that a program prints was asked for: the path, and the query.
ASKED: dict[str, tuple[str, dict[str, str]]] = {
    "exchangeInfo": ("exchangeInfo", {}),
    "exchangeInfo of one": ("exchangeInfo", ONE),
    "exchangeInfo of some": ("exchangeInfo", SOME),
    "depth": ("depth", ONE),
    "depth of some": ("depth", ONE),
    "aggTrades": ("aggTrades", NINE),
    "trades": ("trades", NINE),
    "historicalTrades": ("historicalTrades", NINE),
    "klines": ("klines", HOURS),
    "klines of a zone": ("klines", {**ONE, "interval": "1d", "timeZone": "5:30"}),
    "ticker/24hr of one": ("ticker/24hr", ONE),
    "ticker/24hr of some": ("ticker/24hr", SOME),
    "ticker/24hr": ("ticker/24hr", {}),
    "ticker/price of one": ("ticker/price", ONE),
    "ticker/price of some": ("ticker/price", SOME),
    "ticker/price": ("ticker/price", {}),
    "ticker/bookTicker of one": ("ticker/bookTicker", ONE),
    "ticker/bookTicker": ("ticker/bookTicker", {}),
    "ticker/tradingDay of one": ("ticker/tradingDay", ONE),
    "ticker/tradingDay of some": ("ticker/tradingDay", SOME),
    "ticker of one": ("ticker", {**ONE, **WEEK}),
    "ticker of some": ("ticker", SOME),
    "avgPrice": ("avgPrice", ONE),
}


class Client(NamedTuple):
    """A program: how it is built, where it is then, and the streams that it can open."""

    compiler: str
    build: list[str]
    program: Path
    #: By the program's name for them, what stands after the coin's name.
    streams: dict[str, str]
    #: What it asks otherwise than the other.
    asked: dict[str, tuple[str, dict[str, str]]]


LIVE = LIVE_COIN.lower()
CLIENTS = {
    "go": Client(
        "go",
        # Neither C nor what makes a program fast: it runs for seconds, and is built in as many.
        [
            *("env", "CGO_ENABLED=0", "go", "build", "-buildvcs=false", "-gcflags=all=-N -l"),
            *("-o", str(BUILT / "go-binance"), "."),
        ],
        BUILT / "go-binance",
        {
            "trade": "trade",
            "combined trade": "trade",
            "aggTrade": "aggTrade",
            "combined aggTrade": "aggTrade",
            "kline": "kline",
            "combined kline": "kline",
            "combined kline of intervals": "kline",
            "ticker": "ticker",
            "combined ticker": "ticker",
            "bookTicker": "bookTicker",
            "combined bookTicker": "bookTicker",
            "!miniTicker@arr": "!miniTicker@arr",
            "!ticker@arr": "!ticker@arr",
        },
        {"uiKlines": ("uiKlines", HOURS)},
    ),
    "rust": Client(
        "cargo",
        ["cargo", "build", "--quiet", "--locked", "--target-dir", str(BUILT / "rust")],
        BUILT / "rust/debug/clients",
        {
            f"ws/{LIVE}@trade": "trade",
            f"ws/{LIVE}@aggTrade": "aggTrade",
            f"ws/{LIVE}@kline_1m": "kline",
            f"stream?streams={LIVE}@kline_1d@+09:00": "kline",
            f"stream?streams={LIVE}@trade/{LIVE}@trade": "trade",
            f"ws/{LIVE}@ticker": "ticker",
            f"ws/{LIVE}@bookTicker": "bookTicker",
            "ws/!ticker@arr": "!ticker@arr",
        },
        {
            "uiKlines": ("uiKlines", {**HOURS, "timeZone": "5:30"}),
            "symbol": ("exchangeInfo", ONE),
            "ticker of one": ("ticker", {**ONE, **WEEK, **MINI}),
            "ticker of some": ("ticker", {**SOME, **WEEK}),
            "ticker/tradingDay of some": ("ticker/tradingDay", {**SOME, **MINI}),
        },
    ),
}


@pytest.fixture(scope="module", params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    """Build a program."""
    found: Client = CLIENTS[request.param]
    if not shutil.which(found.compiler):
        do_without(f"{found.compiler} is not installed")
    BUILT.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(
        found.build,
        cwd=ROOT / "tests/clients" / request.param,
        stderr=subprocess.PIPE,
        text=True,
        timeout=BUILD_LIMIT_S,
        check=False,
    )
    if built.returncode:
        do_without(f"{' '.join(found.build)} failed: {built.stderr}")
    return found


def do_without(reason: str) -> NoReturn:
    """Skip a test, except in CI."""
    if "CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.timeout(BUILD_LIMIT_S + RUN_LIMIT_S)
async def test_a_strict_client_decodes_all_that_it_asks_for(
    client: Client, live: LiveMarket
) -> None:
    asked = {**ASKED, **client.asked}
    async with live.trades_flow(), aiohttp.ClientSession(live.http) as http:

        async def is_stored() -> bool:
            async with http.get("/api/v3/ticker/price", params={"symbol": LIVE_COIN}) as answer:
                price: str = (await answer.json())["price"]
                return price == LIVE_PRICE

        await eventually(is_stored, "the streams begin with a trade of now")
        before = {name: await served(http, name, *query) for name, query in asked.items()}
        process = await asyncio.create_subprocess_exec(
            *(client.program, live.http, ",".join(client.streams)), stdout=subprocess.PIPE
        )
        async with asyncio.timeout(RUN_LIMIT_S):
            output, _ = await process.communicate()
        printed = json.loads(output)
        assert printed["errors"] == {}
        answers = printed["answers"]
        assert "1121" in str(answers.pop("error"))
        assert answers.pop("ping")
        assert answers.pop("time") > live.open_times[-1]
        assert answers.keys() <= asked.keys()
        for name, decoded in answers.items():
            compare(decoded, before[name], await served(http, name, *asked[name]), name)
    for name in client.streams:
        check_event(printed["events"][name], client.streams[name])


async def served(
    http: aiohttp.ClientSession, name: str, path: str, query: Mapping[str, str]
) -> Any:
    """Return what is served to who asks now, as the programs print it."""
    async with http.get(f"/api/v3/{path}", params=query) as answer:
        found = await answer.json()
    assert found
    if name == "symbol":
        (found,) = found["symbols"]
    return [named(it) for it in found] if "lines" in name else found


KLINE_NAMES = ("openTime", "open", "high", "low", "close", "volume", "closeTime")


def named(row: list[Any]) -> dict[str, Any]:
    """Return the row of a kline with names, as far as the clients have the same."""
    return dict(zip(KLINE_NAMES, row, strict=False))


def key(name: str) -> str:
    """Return a name without what differs by language: ``open_time`` and ``OpenTime``."""
    return name.replace("_", "").lower() if len(name) > 1 else name


def compare(decoded: Any, before: Any, after: Any, where: str) -> None:
    """Check that what a client has decoded is what is served, as far as it has the field.

    It asked between two moments: what moves with the clock is between what was served then.
    """
    if isinstance(decoded, dict) and isinstance(after, list):  # Rust names its enumerations
        (decoded,) = decoded.values()
    if isinstance(decoded, list) and not isinstance(after, list):  # Go has arrays of one, too
        before, after = [before], [after]
    if isinstance(after, list):
        assert len(decoded) == len(after), where
        for index, values in enumerate(zip(decoded, before, after, strict=True)):
            compare(*values, f"{where}[{index}]")
    elif isinstance(after, dict):
        if after.get("symbol") == LIVE_COIN:
            return  # it is another moment's
        known = {key(name): value for name, value in decoded.items()}
        shared = [name for name in after if key(name) in known]
        assert len(shared) > len(after) / 2 or "filter" in where, where
        for name in shared:
            compare(known[key(name)], before[name], after[name], f"{where}.{name}")
    elif decoded not in (before, after):  # Rust reads numbers as binary floats
        bounds = Decimal(before), Decimal(after)
        assert min(bounds) <= Decimal(decoded) <= max(bounds), (where, decoded, bounds)


def check_event(event: Any, stream: str) -> None:
    """Check that an event of the live coin holds its name and its price."""
    values = str(event)
    assert LIVE_COIN in values, (stream, event)
    assert f"'{LIVE_PRICE}'" in values or f" {LIVE_PRICE}.0" in values, (stream, event)
