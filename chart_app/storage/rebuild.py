"""Recomputes the candles from the stored trades; reports differences, and repairs them.

Needs neither Kafka nor a worker. Workers may run meanwhile: each coin is one transaction, which is
tried again after a conflict. SQLite allows one writer at a time, so there they wait.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from chart_app.model.candles import (
    COLUMNS,
    Candle,
    CandleKey,
    Tick,
    column_values,
    fold_coin,
    merge,
)
from chart_app.model.decimals import plain
from chart_app.model.intervals import Interval
from chart_app.model.times import format_time
from chart_app.storage import schema
from chart_app.storage.database import Database, check_file
from chart_app.storage.errors import StoreUnavailable, WrongStore, translate_errors
from chart_app.storage.recomputation import (
    END,
    START,
    check_store,
    delete_candles,
    read_candles,
    read_ticks,
)
from chart_app.storage.rows import row_writer
from streaming.logs import quote_value

#: Pauses between the tries of a coin's transaction.
RETRY_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 4.0)

_NAMES = [column.name for column in COLUMNS]


class Difference(NamedTuple):
    """A candle that is not as the trades make it. None: it is missing, or should not exist."""

    key: CandleKey
    stored: Candle | None
    computed: Candle | None

    def __str__(self) -> str:
        coin, interval, open_time = self.key
        return (
            f"{quote_value(coin)} {interval.value} {format_time(open_time)} {self._description()}"
        )

    def _description(self) -> str:
        if self.stored is None:
            return f"missing: {self._values(self.computed)}"
        if self.computed is None:
            return f"superfluous: {self._values(self.stored)}"
        pairs = zip(_NAMES, self._texts(self.stored), self._texts(self.computed), strict=True)
        return "wrong: " + ", ".join(
            f"{name} {stored} → {computed}"
            for name, stored, computed in pairs
            if stored != computed
        )

    def _values(self, candle: Candle | None) -> str:
        texts = self._texts(candle) if candle else []
        return ", ".join(f"{name} {text}" for name, text in zip(_NAMES, texts, strict=True))

    def _texts(self, candle: Candle) -> list[str]:
        values = column_values(candle)
        return [_shortest(it) if isinstance(it, Decimal) else str(it) for it in values]


def _shortest(number: Decimal) -> str:
    text = plain(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def compare(
    stored: Mapping[CandleKey, Candle], computed: Mapping[CandleKey, Candle]
) -> Iterator[Difference]:
    """Yield the differences, in the order of the keys."""
    for key in sorted({**stored, **computed}):
        difference = Difference(key, stored.get(key), computed.get(key))
        if difference.stored != difference.computed:
            yield difference


class Recomputation:
    """Computes the candles of a coin from its trades, which are added in the order of their times.

    So all but the last candle of each interval are complete, and can be removed.
    """

    def __init__(self, coin: str) -> None:
        self._coin = coin
        self._candles: dict[Interval, dict[int, Candle]] = {interval: {} for interval in Interval}

    def add(self, ticks: Iterable[Tick]) -> None:
        """Add the next trades."""
        for interval, open_time, candle in fold_coin(ticks):
            candles = self._candles[interval]
            known = candles.get(open_time)
            candles[open_time] = candle if known is None else merge(known, candle)

    def pop(self, interval: Interval, end: int) -> dict[CandleKey, Candle]:
        """Remove the candles that open before ``end``, and return them."""
        candles = self._candles[interval]
        complete = [open_time for open_time in candles if open_time < end]
        return {CandleKey(self._coin, interval, it): candles.pop(it) for it in complete}


@dataclass
class Outcome:
    """How many coins and candles were checked, and how many candles differed."""

    coins: int = 0
    candles: int = 0
    differences: int = 0


class Rebuild:
    """Compares the stored candles with the stored trades; corrects them if ``repair`` is set."""

    def __init__(self, database: Database, *, repair: bool) -> None:
        self.outcome = Outcome()
        self._database = database
        self._repair = repair
        self._rows = row_writer(database.dialect)

    def summary(self) -> str:
        """Return a line that sums up what was checked and repaired."""
        it = self.outcome
        repaired = " (repaired)" if it.differences and self._repair else ""
        return (
            f"{it.candles} candles of {it.coins} coins checked, "
            f"{it.differences} differences{repaired}"
        )

    async def run(self, coin: str | None) -> AsyncIterator[Difference]:
        """Yield the differences of each coin, after its repair. Raises :exc:`StoreError`."""
        check_file(self._database)
        with translate_errors():
            async with self._database.reader.connect() as connection:
                await connection.run_sync(check_store)
                coins = await connection.run_sync(find_coins)
        if coin is not None and coin not in coins:
            raise WrongStore(f"The store has no coin {quote_value(coin)}")
        for name in coins if coin is None else [coin]:
            for difference in await self._rebuild(name):
                yield difference

    async def _rebuild(self, coin: str) -> list[Difference]:
        for pause in (*RETRY_PAUSES_S, None):
            try:
                with translate_errors():
                    candles, differences = await self._database.write(
                        lambda connection: self._rebuild_in(connection, coin), snapshot=True
                    )
            except StoreUnavailable:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                break
        self.outcome.coins += 1
        self.outcome.candles += candles
        self.outcome.differences += len(differences)
        return differences

    def _rebuild_in(self, connection: Connection, coin: str) -> tuple[int, list[Difference]]:
        """Return the number of the coin's candles, and their differences."""
        lock_out_voids(connection)
        check_store(connection)
        recomputation = Recomputation(coin)
        starts = dict.fromkeys(Interval, START)
        candles = 0
        differences: list[Difference] = []

        def compare_before(ends: Mapping[Interval, int]) -> None:
            nonlocal candles
            stored: dict[CandleKey, Candle] = {}
            computed: dict[CandleKey, Candle] = {}
            for interval, end in ends.items():
                if starts[interval] < end:
                    stored |= read_candles(connection, coin, interval, starts[interval], end)
                    computed |= recomputation.pop(interval, end)
                    starts[interval] = end
            candles += len(stored.keys() | computed.keys())
            found = list(compare(stored, computed))
            if self._repair:
                self._correct(connection, found)
            differences.extend(found)

        for ticks in read_ticks(connection, coin):
            recomputation.add(ticks)
            compare_before({interval: interval.open_time(ticks[-1].time) for interval in Interval})
        compare_before(dict.fromkeys(Interval, END))
        return candles, differences

    def _correct(self, connection: Connection, differences: Iterable[Difference]) -> None:
        corrected = {it.key: it.computed for it in differences if it.computed}
        self._rows.put_candles(connection, corrected)
        delete_candles(connection, (it.key for it in differences if it.computed is None))


def find_coins(connection: Connection) -> list[str]:
    """Return the coins that are stored, or have candles: by an index lookup each, not a scan."""
    coins = set(connection.scalars(select(schema.coins.c.coin)))
    column = schema.candles.c.coin
    coin = ""
    while coin := connection.scalar(select(func.min(column)).where(column > coin)):
        coins.add(coin)
    return sorted(coins)


def lock_out_voids(connection: Connection) -> None:
    """Have voids wait for the end of this transaction; raise a conflict if one was faster.

    The trades are read as they were at its beginning. What is computed from them would put
    candles in place of those of a void.
    """
    connection.execute(select(schema.store.c.version).with_for_update(read=True))
