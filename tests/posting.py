"""A client that posts trades without pause and remembers the answers."""

import asyncio
from types import TracebackType
from typing import Self

import aiohttp

from tests.waiting import eventually

CONNECTIONS = 8
COINS = 10
EVERY_NTH_IS_BAD = 20


class Poster:
    """Posts trades, told apart by their ids, while the ``async with`` block runs."""

    def __init__(self, url: str, topic: str) -> None:
        self.accepted: set[str] = set()  # answered 201
        self.refused: set[str] = set()  # answered 4xx
        self.unknown = 0  # answered 503, or not at all
        self._url = f"{url}/send-trading-data"
        self._topic = topic
        self._number = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def wait_accepted(self, count: int) -> None:
        """Wait until so many more trades were accepted."""
        goal = len(self.accepted) + count

        async def reached() -> bool:
            return len(self.accepted) >= goal

        await eventually(reached, f"{count} more trades were accepted")

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._post_all()) for _ in range(CONNECTIONS)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _post_all(self) -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                self._number += 1
                await self._post(http, self._number)

    async def _post(self, http: aiohttp.ClientSession, number: int) -> None:
        trade_id = f"t{number}"
        trade = {
            "topic": self._topic,
            "coinName": f"COIN{number % COINS}",
            "price": 100 + number if number % EVERY_NTH_IS_BAD else -1,
            "numOfCoin": 1,
            "tradeId": trade_id,
        }
        try:
            async with http.post(self._url, json=trade) as answer:
                if answer.status == 201:
                    self.accepted.add(trade_id)
                elif 400 <= answer.status < 500:
                    self.refused.add(trade_id)
                else:
                    assert answer.status == 503, await answer.text()
                    self.unknown += 1
        except aiohttp.ClientError:
            self.unknown += 1
            await asyncio.sleep(0.05)  # the server is away: not as fast as one can
