"""Recomputes the candles from the stored trades; reports differences, and repairs them.

Needs neither Kafka nor a worker. Workers may run meanwhile: each coin is one transaction, which is
tried again after a conflict. SQLite allows one writer at a time, so there they wait.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select, tuple_

from chart_app.model.candles import (
    COLUMNS,
    Candle,
    CandleKey,
    Tick,
    column_values,
    fold_coin,
    merge,
    sequence,
)
from chart_app.model.decimals import plain
from chart_app.model.intervals import Interval
from chart_app.model.times import format_time
from chart_app.model.trade_ids import split
from chart_app.storage import schema
from chart_app.storage.database import Database, check_file
from chart_app.storage.errors import StoreUnavailable, WrongStore, translate_errors
from chart_app.storage.rows import row_writer
from chart_app.storage.rows.forms import read_candle
from streaming.logs import quote_value

#: Trades in memory at a time.
CHUNK_TRADES = 20_000
#: Pauses between the tries of a coin's transaction.
RETRY_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 4.0)
#: Below and above every open time.
START, END = -(2**63), 2**63 - 1

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
        superfluous = [it.key for it in differences if it.computed is None]
        if superfluous:
            connection.execute(_DELETE, [_parameters(key) for key in superfluous])


_DELETE = delete(schema.candles).where(
    schema.candles.c.coin == bindparam("of_coin"),
    schema.candles.c.interval == bindparam("of_interval"),
    schema.candles.c.open_time == bindparam("of_time"),
)


def _parameters(key: CandleKey) -> dict[str, Any]:
    return {"of_coin": key.coin, "of_interval": key.interval.value, "of_time": key.open_time}


def check_store(connection: Connection) -> None:
    """Raise :exc:`WrongStore` unless candles can be recomputed from the trades stored there."""
    schema.check_exists(connection)
    schema.check_version(connection)
    if not connection.scalar(select(schema.store.c.has_all_trades)):
        raise WrongStore(
            "The store does not have all trades, because a worker has run with "
            "STORE_TRADES=false: its candles count trades that it does not have"
        )


def find_coins(connection: Connection) -> list[str]:
    """Return the coins that are stored, or have candles: by an index lookup each, not a scan."""
    coins = set(connection.scalars(select(schema.coins.c.coin)))
    column = schema.candles.c.coin
    coin = ""
    while coin := connection.scalar(select(func.min(column)).where(column > coin)):
        coins.add(coin)
    return sorted(coins)


def read_ticks(connection: Connection, coin: str) -> Iterator[list[Tick]]:
    """Yield the trades of a coin in the order of their times, in chunks."""
    columns = schema.trades.c
    statement = (
        select(
            columns.time,
            columns.id,
            columns.trade_id,
            columns.price,
            columns.amount,
        )
        .join(schema.coins, schema.coins.c.id == columns.coin_id)
        .where(schema.coins.c.coin == coin)
        .order_by(columns.time, columns.id)
        .limit(CHUNK_TRADES)
    )
    page = statement
    while found := connection.execute(page).all():
        yield [
            Tick(time, sequence(trade_id, split(id_)[1]), id_, price, amount)
            for time, id_, trade_id, price, amount in found
        ]
        last = (found[-1].time, found[-1].id)
        page = statement.where(tuple_(columns.time, columns.id) > last)


def read_candles(
    connection: Connection, coin: str, interval: Interval, start: int, end: int
) -> dict[CandleKey, Candle]:
    """Return the stored candles that open from ``start`` up to, but not including, ``end``."""
    columns = schema.candles.c
    statement = select(schema.candles).where(
        columns.coin == coin,
        columns.interval == interval.value,
        columns.open_time >= start,
        columns.open_time < end,
    )
    return dict(map(read_candle, connection.execute(statement)))
