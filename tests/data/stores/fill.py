"""Fills a store with the code of version 0.2.0: ``fill.py DATABASE_URL KIND``.

:mod:`tests.make_released_stores` runs it, in a folder with that version. Records as they were on
Kafka pass through that version's decoder and its Store. Each time they make the same rows, but the
order of the indexes in SQLite's file is not always the same.
"""

# mypy: disable-error-code="import-not-found, attr-defined, no-any-unimported"

import asyncio
import json
import random
import sys
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from chart_app.database import Database
from chart_app.store import Portion, Progress, Store
from faust.types import TP
from sqlalchemy import make_url

from chart_app import agent

#: The sessions whose worker stores trades, of each kind of store.
STORES_TRADES = {"all-trades": range(6), "some-trades": range(2), "candles-only": range(0)}

COINS = (
    *("BTCUSDT", "btcusdt", "ETH-KRW", "two words", "it's", 'say "hi"', "back\\slash"),
    *("100%", "%s%(d)s", ":colon", "a'b\"c\\d%e_f&g=h", "비트코인", "Straße", "STRASSE"),
    *("\u00e9", "e\u0301", "😀", "X" * 64),
)
#: When the trades of each session begin: about the end of a day, of a week, a month or a year.
BEGINS = (
    *("2025-01-31T23:58:00", "2025-02-02T23:59:00", "2025-03-31T11:59:30"),
    *("2025-12-31T23:59:00", "2026-03-01T23:58:30"),
)
SESSION_MS = 150_000
TRADES_OF_A_SESSION = 90
PORTION_RECORDS = 8

#: The topics of each session: their ids, and how many partitions they have.
OLD, NEW, LATEST = (f"5f0c8b6e-1d2a-4c7b-9e3f-00000000000{number}" for number in (1, 2, 3))
TRADE_DATA, PRICES, KOREA = "tradeData", "prices.v1", "Trades_KR-2"
TOPICS: tuple[dict[str, tuple[str, int]], ...] = (
    {TRADE_DATA: (OLD, 4), PRICES: (OLD, 2)},
    {TRADE_DATA: (OLD, 4), PRICES: (OLD, 2)},
    {TRADE_DATA: (NEW, 4), PRICES: (OLD, 2), KOREA: (OLD, 1)},  # one was recreated
    {TRADE_DATA: (NEW, 5), PRICES: (OLD, 2), KOREA: (OLD, 1)},  # it has got a partition more
    {TRADE_DATA: (NEW, 5), PRICES: (NEW, 2), KOREA: (OLD, 1)},  # another was recreated
    {PRICES: (LATEST, 2)},  # once more, and is empty
)
INVALID = (b"", b"garbage", b'{"coinName":"BTCUSDT","price":1}', b"\xff\xfe")


class Record(NamedTuple):
    """What 0.2.0 reads of a record."""

    offset: int
    timestamp: int
    value: bytes


class Filling:
    """Topics with records, and the worker that stores them."""

    def __init__(self, url: str, kind: str) -> None:
        self._url = url
        self._stores_trades = STORES_TRADES[kind]
        self._chance = random.Random(20)
        self._ids: list[Any] = []
        self._ends: dict[tuple[str, TP], int] = {}

    async def run(self) -> None:
        """Fill the store."""
        for number, topics in enumerate(TOPICS):
            await self._work(number, topics)

    async def _work(self, number: int, topics: dict[str, tuple[str, int]]) -> None:
        """Do as a worker that starts, consumes what came in meanwhile, and ends."""
        database = Database(make_url(self._url))
        store = Store(database, store_trades=number in self._stores_trades)
        await store.open()
        ids = {
            TP(topic, partition): topic_id
            for topic, (topic_id, partitions) in topics.items()
            for partition in range(partitions)
        }
        progress = await store.progress(ids)
        records: dict[TP, list[Record]] = {tp: [] for tp in ids}
        for coin, time, value in self._session(number):
            topic = self._chance.choice([*topics, TRADE_DATA])
            tp = TP(topic, zlib.crc32(coin.encode()) % topics[topic][1])
            end = self._ends.get((ids[tp], tp), 0)
            records[tp].append(Record(end, time, value))
            self._ends[ids[tp], tp] = end + self._chance.choice((1, 1, 1, 1, 1, 1, 1, 2))
        waiting = [list(self._portions(tp, progress[tp], records[tp])) for tp in ids]
        while waiting := [portions for portions in waiting if portions]:
            some = self._chance.sample(waiting, min(3, len(waiting)))
            await store.apply(*(portion for portions in some for portion in portions[:2]))
            for portions in some:
                del portions[:2]
        await database.close()

    def _portions(self, tp: TP, progress: Progress, records: list[Record]) -> Iterator[Portion]:
        for start in range(0, len(records), PORTION_RECORDS):
            part = records[start : start + PORTION_RECORDS]
            consumed, _ = agent.sort(part)
            trades = agent.stored_trades(progress.log, consumed)
            next_offset = part[-1].offset + 1
            yield Portion(tp, progress, next_offset, trades)
            progress = progress._replace(next_offset=next_offset)

    def _session(self, number: int) -> Iterator[tuple[str, int, bytes]]:
        """Yield coin, time and message of trades, and some records that are invalid."""
        if number == len(BEGINS):
            return
        chance = self._chance
        start_ms = int(datetime.fromisoformat(f"{BEGINS[number]}+00:00").timestamp() * 1000)
        coins = [*(COINS[:3] * 4), *COINS[3 + number % 2 :: 2]]
        time = start_ms
        for index in range(TRADES_OF_A_SESSION):
            if chance.random() < 0.8:  # the others share a millisecond
                time = start_ms + SESSION_MS * index // TRADES_OF_A_SESSION + chance.randrange(999)
            late_ms = chance.randrange(60_000) if chance.random() < 0.05 else 0
            coin = chance.choice(coins)
            value = chance.choice(INVALID) if chance.random() < 0.02 else self._message(coin)
            yield coin, time - late_ms, value
        yield "btcusdt", 0, self._message("btcusdt")

    def _message(self, coin: str) -> bytes:
        name = json.dumps(coin, ensure_ascii=False)
        message = f'{{"coinName":{name},"numOfCoin":{self._number()},"price":{self._number()}'
        trade_id = self._trade_id()
        if trade_id is not None:
            message += f',"tradeId":{json.dumps(trade_id)}'
        return (message + "}").encode()

    def _number(self) -> str:
        chance = self._chance
        kind = chance.random()
        if kind < 0.03:
            return chance.choice(("1e-18", "999999999999999999.99999999999999999999", "3E+17"))
        if kind < 0.06:
            return f"{chance.randrange(10**17, 10**18)}.{chance.randrange(10**20):020}"
        if kind < 0.10:
            return f'"{chance.randrange(1, 10**6)}.50"'  # as the older system wrote it
        whole, places = chance.randrange(1, 10**5), chance.randrange(1, 9)
        return f"{whole}.{chance.randrange(10**places):0{places}}" if kind < 0.8 else str(whole)

    def _trade_id(self) -> str | int | None:
        chance = self._chance
        kind = chance.random()
        if kind < 0.3:
            return None
        if kind < 0.5 and self._ids:
            known: str | int = chance.choice(self._ids)
            return known  # refused, if it was the same coin's
        number = chance.randrange(-(10**6), 10**9)
        texts = ("007", "7", "-0", "nul\0", "체결", "it's", "%s", "x" * 64, f"t{number}")
        if kind < 0.6:
            new: str | int = chance.choice(texts)
        elif kind < 0.62:
            new = chance.randrange(10**62, 10**63)
        else:
            new = number if kind < 0.9 else str(number)
        self._ids.append(new)
        return new


if __name__ == "__main__":
    asyncio.run(Filling(*sys.argv[1:]).run())
