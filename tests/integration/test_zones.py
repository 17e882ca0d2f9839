"""Klines by the clocks of a zone, against candles folded from the trades without our code."""

import itertools
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from chart_app.storage import reader
from tests.integration.filled_store import FilledStore, Given, serve

ZONES = {"+09:00": 540, "-05:00": -300, "+05:30": 330}
HOUR = timedelta(hours=1)
#: Around a leap day and a year's end, with days, weeks, and months without trades between.
PERIODS = [
    (datetime(2023, 12, 28, tzinfo=UTC), timedelta(days=9)),
    (datetime(2024, 2, 26, tzinfo=UTC), timedelta(days=8)),
    (datetime(2024, 7, 3, 11, 59, tzinfo=UTC), timedelta(minutes=3)),
]
NOW = int(datetime(2024, 8, 1, tzinfo=UTC).timestamp()) * 1000
COIN = "BTCUSDT"
#: So many combinations of startTime, endTime and limit are asked for, in each zone and interval.
RANGES = 30


def ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def make_trades() -> list[Given]:
    """Return trades in the order of their times, some at midnight of each zone, and just before."""
    chance = random.Random(20)
    times = []
    for start, length in PERIODS:
        times += [ms(start + length * chance.random()) for _ in range(150)]
        for day in range(length.days):
            for minutes in (0, *ZONES.values()):
                midnight = ms(start + timedelta(days=day, minutes=-minutes))
                times += [midnight - 1, midnight]
    return [
        Given(
            COIN, time, str(Decimal(chance.randrange(1, 9999)) / 100), str(chance.randrange(1, 9))
        )
        for time in sorted(times)
    ]


def midnight(local: datetime) -> datetime:
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def next_month(day: datetime) -> datetime:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def of_days(days: int) -> Callable[[datetime], tuple[datetime, datetime]]:
    """Return what finds the bucket of so many days, counted from 1970-01-01 of the zone."""

    def bucket(local: datetime) -> tuple[datetime, datetime]:
        first = datetime(1970, 1, 1, tzinfo=local.tzinfo)
        start = midnight(local) - timedelta(days=(local - first).days % days)
        return start, start + timedelta(days=days)

    return bucket


def of_hours(hours: int) -> Callable[[datetime], tuple[datetime, datetime]]:
    def bucket(local: datetime) -> tuple[datetime, datetime]:
        start = midnight(local).replace(hour=local.hour // hours * hours)
        return start, start + hours * HOUR

    return bucket


def of_week(local: datetime) -> tuple[datetime, datetime]:
    start = midnight(local) - timedelta(days=local.weekday())
    return start, start + timedelta(days=7)


def of_month(local: datetime) -> tuple[datetime, datetime]:
    start = midnight(local).replace(day=1)
    return start, next_month(start)


#: The start and the end of the bucket that holds a local time.
BUCKETS = {
    "1h": of_hours(1),
    "8h": of_hours(8),
    "1d": of_days(1),
    "3d": of_days(3),
    "1w": of_week,
    "1M": of_month,
}


def fold(trades: list[Given], interval: str, minutes: int) -> list[list[Any]]:
    """Return the rows of klines."""
    zone = timezone(timedelta(minutes=minutes))
    groups: dict[tuple[datetime, datetime], list[Given]] = {}
    for trade in trades:
        local = datetime.fromtimestamp(trade.time / 1000, zone)
        groups.setdefault(BUCKETS[interval](local), []).append(trade)
    rows = []
    for (start, end), group in groups.items():
        prices = [Decimal(it.price) for it in group]
        amount = sum(Decimal(it.amount) for it in group)
        turnover = sum(Decimal(it.price) * Decimal(it.amount) for it in group)
        shown = [f"{it:.2f}" for it in (prices[0], max(prices), min(prices), prices[-1])]
        taker = ["0", "0.00"]
        rows.append(
            [
                *(ms(start), *shown, str(amount), ms(end) - 1, f"{turnover:.2f}", len(group)),
                *(*taker, "0"),
            ]
        )
    return rows


@pytest.fixture(scope="module")
def trades() -> list[Given]:
    """Return the trades that are stored."""
    return make_trades()


async def test_klines_of_a_zone_are_those_that_its_clocks_make(
    database_url: str, trades: list[Given], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CANDLES_AT_ONCE", 100)  # so that answers take several statements
    async with FilledStore(database_url) as filled, serve(filled.reader, NOW) as client:
        chance = random.Random(1)
        mixed = chance.sample(trades, len(trades))
        for at in range(0, len(mixed), 100):  # late ones, too, amend their candles
            await filled.feed(*mixed[at : at + 100])

        async def klines(**query: Any) -> list[list[Any]]:
            async with client.get("/api/v3/klines", params={"symbol": COIN, **query}) as answer:
                assert answer.status == 200, await answer.text()
                rows: list[list[Any]] = await answer.json()
                return rows

        for zone, interval in itertools.product(ZONES, BUCKETS):
            expected = fold(trades, interval, ZONES[zone])
            asked = {"interval": interval, "timeZone": zone}
            assert await klines(**asked, limit=1000) == expected, asked
            times = [row[0] for row in expected]
            some = sorted({0, times[0], times[-1] + 1, *times[:: max(1, len(times) // 4)]})
            ranges = [*itertools.product([None, *some], [None, *some], [1, 3, 1000])]
            for start, end, limit in chance.sample(ranges, RANGES):
                found = [
                    row
                    for row in expected
                    if (start is None or row[0] >= start) and (end is None or row[0] <= end)
                ]
                part = found[-limit:] if start is None else found[:limit]
                query = {"startTime": start, "endTime": end, "limit": limit}
                given = {name: it for name, it in query.items() if it is not None}
                assert await klines(**asked, **given) == part, (asked, query)
