"""One who reads streams for as long as the test lasts, and what it has been told in the end.

Like a chart it connects again when the connection breaks, and reads by REST what it has missed
meanwhile, and nothing after that: what then changes it must be told.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.integration.scene import Scene
from tests.integration.trades import COINS
from tests.waiting import PATIENCE_S, eventually

WATCHED = COINS[::4]
INTERVALS = ("1m", "1M")
PAGE = 1000

#: The klines as REST has them, by coin, interval and open time.
Klines = dict[tuple[str, str, int], list[Any]]


class Onlooker:
    """Reads candles and trades from one worker of a scene, or from who has taken its place."""

    def __init__(self, scene: Scene, number: int) -> None:
        self.klines: Klines = {}
        #: The revision and the number of trades of each, also of those that are gone.
        self._states: dict[tuple[str, str, int], tuple[int, int]] = {}
        self.trades: set[int] = set()
        #: How often each trade came on the connection that is open now.
        self.events: Counter[int] = Counter()
        self.connections = 0
        self._scene = scene
        self._number = number
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look_on())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._task
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    async def _look_on(self) -> None:
        while True:
            try:
                async with aiohttp.ClientSession() as http:
                    await self._connect(http)
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.1)  # the worker is dead or does not answer: again

    async def _connect(self, http: aiohttp.ClientSession) -> None:
        url = self._scene.workers[self._number].url
        streams = [f"{coin}@kline_{it}" for coin in WATCHED for it in INTERVALS]
        streams += [f"{coin}@trade" for coin in WATCHED]
        async with http.ws_connect(f"{url}/ws") as socket:
            await socket.send_json({"method": "SUBSCRIBE", "params": streams, "id": 1})
            self.events.clear()
            reading: asyncio.Task[None] | None = None
            try:
                async for message in socket:
                    event = json.loads(message.data)
                    if event.get("id") == 1:
                        assert "result" in event, event
                        reading = asyncio.create_task(self._catch_up(http, url))
                        self.connections += 1
                    else:
                        self._take(event)
                    if reading and reading.done():
                        reading.result()
            finally:
                if reading:
                    reading.cancel()
                    await asyncio.wait([reading])

    async def _catch_up(self, http: aiohttp.ClientSession, url: str) -> None:
        klines, trades = await by_rest(http, url)
        for key, row in klines.items():
            self._take_kline(key, row, 0)
        self.trades |= trades

    def _take(self, event: Any) -> None:
        if event["e"] == "trade":
            self.trades.add(event["t"])
            self.events[event["t"]] += 1
            return
        kline = event["k"]
        row = by_value([kline[name] for name in "tohlcvTqnVQB"])
        self._take_kline((event["s"], kline["i"], kline["t"]), row, event["revision"])

    def _take_kline(self, key: tuple[str, str, int], row: list[Any], revision: int) -> None:
        # What REST says and an event may cross: what is of a higher revision is newer, else who
        # has more trades.
        state = (revision, row[8])
        if state < self._states.get(key, (0, 0)):
            return
        self._states[key] = state
        self.klines[key] = row
        if not row[8]:
            del self.klines[key]


def by_value(row: list[Any]) -> list[Any]:
    """Return a kline with numbers for texts, which get zeros when a coin gets decimal places."""
    return [Decimal(it) if isinstance(it, str) else it for it in row]


async def by_rest(http: aiohttp.ClientSession, url: str) -> tuple[Klines, set[int]]:
    """Return all candles and the ids of all trades of the coins."""
    klines: Klines = {}
    trades: set[int] = set()

    async def get(path: str, **parameters: Any) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with http.get(f"{url}/api/v3/{path}", params=parameters) as answer:
                    if answer.status == 200:
                        return await answer.json()
                    if answer.status == 400:  # the coin was not traded yet
                        return []
                await asyncio.sleep(0.1)

    for coin in WATCHED:
        for interval in INTERVALS:
            rows = await get("klines", symbol=coin, interval=interval, limit=PAGE)
            assert len(rows) < PAGE
            klines.update({(coin, interval, row[0]): by_value(row) for row in rows})
        first = 0
        while page := await get("historicalTrades", symbol=coin, fromId=first, limit=PAGE):
            trades.update(it["id"] for it in page)
            first = page[-1]["id"] + 1
    return klines, trades


async def check_told(it: Scene, onlookers: Sequence[Onlooker], *, trades: bool = True) -> None:
    """Check that what was told is in the end what REST says."""
    async with aiohttp.ClientSession() as http:
        klines, ids = await by_rest(http, it.workers[0].url)
    for onlooker in onlookers:

        async def told() -> bool:
            return onlooker.klines == klines and (not trades or onlooker.trades == ids)  # noqa: B023

        try:
            await eventually(told, "the onlooker has been told")
        except AssertionError:
            wrong = {key: (onlooker.klines.get(key), row) for key, row in klines.items()}
            wrong = {key: both for key, both in wrong.items() if both[0] != both[1]}
            missing, more = ids - onlooker.trades, onlooker.trades - ids
            assert (len(wrong), [*wrong.items()][:5], len(missing), len(more)) == (0, [], 0, 0)
        assert max(onlooker.events.values(), default=0) <= 1, "each trade comes once"
