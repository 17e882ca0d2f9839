"""The reading side of the store: coins, candles, trades, and the last 24 hours.

The database returns a result as one row of JSON: between two rows SQLite's thread would wait for
the GIL, up to 5 ms each time.

All times are ms since the epoch. Every method may raise :exc:`errors.StoreUnavailable`; of a trade
that no writer of ours stores, as one of a negative time, :exc:`msgspec.ValidationError`.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from itertools import islice
from typing import Any, NamedTuple, NotRequired, TypedDict, Unpack

import msgspec

from chart_app.model import zones
from chart_app.model.binance.klines import CLOSE_TIME_INDEX
from chart_app.model.candles import Candle, fill, from_columns, merge
from chart_app.model.coins import Coin, Window
from chart_app.model.decimals import EXACT, padded
from chart_app.model.intervals import DAY_MS, MINUTE_MS, Interval
from chart_app.model.trades import PublicTrade
from chart_app.model.zones import Buckets, ZonedInterval
from chart_app.storage import queries
from chart_app.storage.database import Database
from chart_app.storage.fetcher import Fetcher
from chart_app.storage.pieces import in_pieces
from streaming.slices import chunks

#: Times are clamped to these: no trade is beyond them, and the database's integers have 64 bits.
TIME_MIN = -(2**60)
TIME_MAX = 2**60
#: Before the first bucket with trades, whatever the interval.
LONG_AGO = -31 * DAY_MS
#: About as many candles as one statement reads to put others together from: they keep the event
#: loop for some 10 ms.
CANDLES_AT_ONCE = 1000


class Range(TypedDict):
    """Selects candles by open time, or trades by time: from ``start`` to ``end``, both inclusive.

    At most ``limit`` of them: with ``start`` the oldest, else the newest.
    """

    start: NotRequired[int | None]
    end: NotRequired[int | None]
    limit: int


class Price(NamedTuple):
    """The last price of a coin, in plain digits."""

    symbol: str
    price: str


class Consumed(NamedTuple):
    """A partition's next offset. For ``partition_id`` see :mod:`chart_app.model.trade_ids`."""

    partition_id: int
    topic: str
    partition: int
    next_offset: int


class RevisedCandles(NamedTuple):
    """Candles, by open time, as they are in a revision of the store."""

    revision: int
    candles: list[tuple[int, Candle]]


class StoreReader:
    """Reads what :class:`writer.StoreWriter` has stored."""

    def __init__(self, database: Database) -> None:
        self._fetcher = Fetcher(database)
        #: Names that are known to be stored. A coin is never removed.
        self._names: set[str] = set()

    async def coins(self, names: Collection[str] | None = None) -> list[Coin]:
        """Return all coins, or those of some names, sorted by name."""
        return sorted(_decode_coins(await self._named(queries.COINS, queries.NAMED_COINS, names)))

    async def find_coin(self, symbol: str) -> str | None:
        """Return the coin named ``symbol``, else the first whose name differs only in case."""
        return (await self.find_coins([symbol])).get(symbol)

    async def find_coins(self, symbols: Collection[str]) -> dict[str, str]:
        """Return the coins that :meth:`find_coin` finds, by symbol, in at most one query."""
        unknown = {it for it in symbols if it not in self._names}
        alike: dict[str, set[str]] = defaultdict(set)
        if unknown:
            wanted = _encode({it.casefold() for it in unknown})
            for (name,) in await self._fetcher.fetch(queries.FIND_COINS, {"folded": wanted}):
                alike[name.casefold()].add(name)
                if name in unknown:
                    self._names.add(name)
        found = {}
        for symbol in symbols:
            if symbol in self._names:
                found[symbol] = symbol
            elif names := alike[symbol.casefold()]:
                found[symbol] = min(names)
        return found

    async def klines(self, coin: str, interval: Interval, **wanted: Unpack[Range]) -> str:
        """Return candles as JSON, in the format of Binance's klines, oldest first."""
        newest = wanted.get("start") is None
        statement = queries.NEWEST_KLINES if newest else queries.OLDEST_KLINES
        length = interval.end_time(0)
        parameters = {"coin": coin, "interval": interval, "length": length, **_bounds(**wanted)}
        text = await self._json(statement, parameters)
        return _with_close_times(text) if interval is Interval.MONTH else text

    async def bars(self, coin: str, interval: Interval, **wanted: Unpack[Range]) -> str:
        """Return candles as columns: as members of a JSON object, without its braces.

        ``"t"`` (open time, s), ``"o"``, ``"h"``, ``"l"``, ``"c"``, ``"v"`` are arrays of numbers.
        The candles are always the newest of the range. Without any the text is empty.
        """
        parameters = {"coin": coin, "interval": interval, **_bounds(**wanted)}
        (columns,) = await self._fetcher.fetch(queries.BARS, parameters)
        names = queries.BARS.selected_columns.keys()
        texts = (f'"{name}":[{text}]' for name, text in zip(names, columns, strict=True) if text)
        return ",".join(texts)

    async def candles(
        self, coin: str, interval: Buckets, **wanted: Unpack[Range]
    ) -> list[tuple[int, Candle]]:
        """Return (open time, candle) for the same candles as :meth:`klines`, also of a zone."""
        return (await self.revised_candles(coin, interval, **wanted)).candles

    async def revised_candles(
        self, coin: str, interval: Buckets, **wanted: Unpack[Range]
    ) -> RevisedCandles:
        """Return the same with the store's revision."""
        if isinstance(interval, ZonedInterval):
            return await self._zoned_candles(coin, interval, **wanted)
        newest = wanted.get("start") is None
        statement = queries.NEWEST_CANDLES if newest else queries.OLDEST_CANDLES
        parameters = {"coin": coin, "interval": interval, **_bounds(**wanted)}
        ((text, revision),) = await self._fetcher.fetch(statement, parameters)
        rows = msgspec.json.decode(_array(text))
        candles = [(open_time, from_columns(values)) for open_time, *values in rows]
        return RevisedCandles(revision, candles)

    async def _zoned_candles(
        self, coin: str, zoned: ZonedInterval, **wanted: Unpack[Range]
    ) -> RevisedCandles:
        """Return candles that are put together from stored ones.

        Of ``limit`` candles at most ``4 * limit + 4`` buckets are looked at, of at most
        :data:`zones.MAX_PIECES` candles each. If some are of a later revision than others, the
        revision is the earliest.
        """
        start, end, limit = wanted.get("start"), wanted.get("end"), wanted["limit"]
        buckets = await self._buckets(coin, zoned, start, end, 2 * limit + 2)
        first, *others = [*_parts(zoned, buckets, limit)] or [[]]
        revision, found = await self._put_together(coin, zoned, first)
        for part in others:
            if len(found) >= limit:
                break
            found += (await self._put_together(coin, zoned, part)).candles
        return RevisedCandles(revision, sorted(found[:limit]))

    async def _buckets(
        self, coin: str, zoned: ZonedInterval, start: int | None, end: int | None, limit: int
    ) -> list[int]:
        """Return the open times of all buckets that may have trades, the wanted end first.

        A bucket has trades where one by UTC that shares time with it has.
        """
        newest = start is None
        statement = queries.NEWEST_OPEN_TIMES if newest else queries.OLDEST_OPEN_TIMES
        bounds = _bounds(
            start=None if start is None else zoned.interval.open_time(_clamp(start)),
            end=None if end is None else zoned.end_time(zoned.open_time(_clamp(end))) - 1,
            limit=limit,
        )
        parameters = {"coin": coin, "interval": zoned.interval, **bounds}
        stored = msgspec.json.decode(await self._json(statement, parameters))
        buckets = {it for time in stored for it in zoned.overlapping(time)}
        first, last = TIME_MIN if start is None else start, TIME_MAX if end is None else end
        return sorted((it for it in buckets if first <= it <= last), reverse=newest)

    async def _put_together(
        self, coin: str, zoned: ZonedInterval, buckets: Sequence[int]
    ) -> RevisedCandles:
        """Return the candles of buckets, in their order, where there are trades."""
        bucket_of: dict[str, dict[int, int]] = {it.value: {} for it in zones.PIECES}
        for bucket in buckets:
            for piece in zoned.pieces(bucket):
                bucket_of[piece.interval.value][piece.open_time] = bucket
        arrays = {f"times_{name}": _encode(times) for name, times in bucket_of.items()}
        bounds = {
            "first": min(buckets, default=0),
            "last": zoned.end_time(max(buckets, default=0)) - 1,
        }
        wanted = {"coin": coin, **bounds, **arrays}
        ((text, revision),) = await self._fetcher.fetch(queries.PIECES, wanted)
        rows = msgspec.json.decode(_array(text))
        candles: dict[int, Candle] = {}
        for interval, open_time, *values in rows:
            bucket = bucket_of[interval][open_time]
            candle = from_columns(values)
            candles[bucket] = merge(candles[bucket], candle) if bucket in candles else candle
        put_together = [(bucket, candles[bucket]) for bucket in buckets if bucket in candles]
        return RevisedCandles(revision, put_together)

    async def filled_candles(
        self, coin: str, interval: Buckets, now_ms: int, **wanted: Unpack[Range]
    ) -> list[tuple[int, Candle]]:
        """Return (open time, candle) for every bucket, with a flat candle where it has no trades.

        The first bucket is that of the coin's first trade; the last is the running one, or that
        of the coin's last trade if it is later.
        """
        start, end, limit = wanted.get("start"), wanted.get("end"), wanted["limit"]
        newest = await self.candles(coin, interval, limit=1)
        if not newest:
            return []
        last = max(interval.open_time(now_ms), newest[0][0])
        if end is not None and end < last:
            last = interval.open_time(max(end, LONG_AGO))
        if start is None:  # fill() skips the buckets before the first trade
            first = interval.back(last, limit - 1)
        elif start > last:
            return []
        else:
            oldest = await self.candles(coin, interval, start=TIME_MIN, limit=1)
            first = _first_bucket(interval, max(start, oldest[0][0]))
        before = await self.candles(coin, interval, end=first - 1, limit=1)
        known = await self.candles(coin, interval, start=first, end=last, limit=limit)
        previous = before[0][1].close if before else None
        buckets = interval.open_times(first, interval.end_time(last))
        return list(islice(fill(known, buckets, previous), limit))

    async def trades(
        self,
        coin: str,
        *,
        from_id: int | None = None,
        **wanted: Unpack[Range],
    ) -> list[PublicTrade]:
        """Return trades, oldest first.

        With ``from_id`` the first ``limit`` from that id on, in the order of ids; else those of
        a range of time, in the order of time.
        """
        if from_id is not None:
            statement = queries.TRADES_FROM
            parameters = {"from_id": _clamp(from_id), "limit": wanted["limit"]}
        else:
            newest = wanted.get("start") is None
            statement = queries.NEWEST_TRADES if newest else queries.OLDEST_TRADES
            parameters = _bounds(**wanted)
        return _decode_trades(await self._json(statement, {"coin": coin, **parameters}))

    async def prices(self, names: Collection[str] | None = None) -> list[Price]:
        """Return the last prices of all coins or some, sorted by name."""
        found = _decode_prices(await self._named(queries.PRICES, queries.NAMED_PRICES, names))
        return sorted(Price(name, padded(price, places)) for name, places, price in found)

    async def windows(
        self,
        now_ms: int,
        names: Collection[str],
        *,
        start: int | None = None,
        length_ms: int = DAY_MS,
    ) -> list[Window]:
        """Return the trades of coins since a time (ms), summed up, sorted by name.

        By default it is the last 24 hours, including the running minute. For a coin without a trade
        since then, return those of as long a time up to its last trade.
        """
        if start is None:
            start = now_ms - now_ms % MINUTE_MS + MINUTE_MS - length_ms
        wanted = {"names": _encode(names), "start": start, "length": length_ms}
        found: list[Any] = _decode_windows(await self._json(queries.WINDOWS, wanted))
        windows = []
        with localcontext(EXACT):
            for *coin, last_time, open_time, previous, last_amount, parts in found:
                close_time = max(last_time, now_ms if open_time == start else 0)
                others = (Decimal(it) if it else None for it in (previous, last_amount))
                times = (open_time, close_time, last_time)
                windows.append(Window(Coin(*coin), *times, *_sum_up(parts), *others))
        return sorted(windows, key=lambda it: it.coin)

    def windows_in_pieces(
        self, now_ms: int, names: Collection[str], *, length_ms: int = DAY_MS
    ) -> AsyncIterator[list[Window]]:
        """Return what :meth:`windows` does, of many coins: some at a time, sorted by name."""
        return in_pieces(
            sorted(names), lambda piece: self.windows(now_ms, piece, length_ms=length_ms)
        )

    async def consumed(self) -> list[Consumed]:
        """Return how far each partition is consumed."""
        return [Consumed(*row) for row in await self._fetcher.fetch(queries.CONSUMED, {})]

    async def traded_minutes(self, first_id: int, last_id: int) -> list[tuple[str, int]]:
        """Return (coin, open time) of each minute with trades of these ids, both inclusive."""
        wanted = {"first_id": first_id, "last_id": last_id}
        rows = await self._fetcher.fetch(queries.TRADED_MINUTES, wanted)
        return [(coin, minute) for coin, minute in rows]

    async def revision(self) -> int:
        """Return the store's revision: :mod:`chart_app.storage.voids`."""
        ((revision,),) = await self._fetcher.fetch(queries.REVISION, {})
        return int(revision)

    async def voided_minutes(self, since: int, limit: int) -> list[tuple[str, int]]:
        """Return (coin, open time) of minutes with trades of voids made or undone since.

        ``since`` is a revision. Of more than ``limit`` minutes they are the newest.
        """
        wanted = {"since": since, "limit": limit}
        rows = await self._fetcher.fetch(queries.VOIDED_MINUTES, wanted)
        return [(coin, minute) for coin, minute in rows]

    async def _named(self, of_all: Any, of_some: Any, names: Collection[str] | None) -> str:
        if names is None:
            return await self._json(of_all, {})
        return await self._json(of_some, {"names": _encode(names)})

    async def _json(self, statement: Any, parameters: Mapping[str, Any]) -> str:
        ((text,),) = await self._fetcher.fetch(statement, parameters)
        return _array(text)


_decode_trades = msgspec.json.Decoder(list[PublicTrade]).decode
_decode_coins = msgspec.json.Decoder(list[Coin]).decode
_decode_prices = msgspec.json.Decoder(list[tuple[str, int, str]]).decode
#: A candle's open time, open, high, low, close, volume, quote volume, trades, first and last id.
_Part = tuple[int, str, str, str, str, str, str, int, int, int]
_decode_windows = msgspec.json.Decoder(
    list[tuple[str, int, int, int, int, str, str, list[_Part]]]
).decode


def _encode(values: Collection[str] | Collection[int]) -> str:
    return msgspec.json.encode([*values]).decode()


def _parts(zoned: ZonedInterval, buckets: list[int], limit: int) -> Iterator[Sequence[int]]:
    """Yield the buckets, at most ``limit`` at a time, and of about :data:`CANDLES_AT_ONCE`."""
    if buckets:
        pieces_each = len([*zoned.pieces(buckets[0])])
        yield from chunks(buckets, max(1, min(limit, CANDLES_AT_ONCE // pieces_each)))


def _array(text: str | None) -> str:
    return f"[{text or ''}]"


def _first_bucket(interval: Buckets, time: int) -> int:
    """Return the open time of the first bucket that opens at a time or later."""
    open_time = interval.open_time(time)
    return open_time if open_time == time else interval.end_time(open_time)


def _with_close_times(klines: str) -> str:
    """Return monthly klines with their close times, which depend on the calendar."""
    rows = msgspec.json.decode(klines)
    for row in rows:
        row[CLOSE_TIME_INDEX] = Interval.MONTH.end_time(row[0]) - 1
    return msgspec.json.encode(rows).decode()


def _sum_up(parts: list[_Part]) -> tuple[Any, ...]:
    """Return the fields of :class:`Window` from ``open`` to ``last_id``, in the exact context."""
    parts.sort()
    _, opens, highs, lows, closes, volumes, quote_volumes, trades, first_ids, last_ids = zip(
        *parts, strict=True
    )
    return (
        Decimal(opens[0]),
        max(map(Decimal, highs)),
        min(map(Decimal, lows)),
        Decimal(closes[-1]),
        sum(map(Decimal, volumes)),
        sum(map(Decimal, quote_volumes)),
        sum(trades),
        first_ids[0],
        last_ids[-1],
    )


def _bounds(**wanted: Unpack[Range]) -> dict[str, int]:
    start, end, limit = wanted.get("start"), wanted.get("end"), wanted["limit"]
    return {
        "start": TIME_MIN if start is None else _clamp(start),
        "end": TIME_MAX if end is None else _clamp(end),
        "limit": limit,
    }


def _clamp(number: int) -> int:
    return max(TIME_MIN, min(number, TIME_MAX))
