"""The statements of :mod:`chart_app.storage.reader`, built once.

None sorts by name: PostgreSQL's order of names depends on its locale.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    column,
    exists,
    func,
    literal_column,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from chart_app.model import zones
from chart_app.model.binance.fields import Field
from chart_app.model.binance.klines import CLOSE_TIME, KLINE, UNKNOWN
from chart_app.model.candles import COLUMNS as CANDLE_COLUMNS
from chart_app.model.columns import Measure
from chart_app.model.intervals import MINUTE_MS, Interval
from chart_app.model.scale import MAX_PLACES
from chart_app.model.trades import COLUMNS as TRADE_COLUMNS
from chart_app.model.trades import PublicTrade
from chart_app.storage.schema import candles, coins, partitions, store, trades, voided_trades, voids

Statement = Select[*tuple[Any, ...]]
Function = TypeVar("Function", bound=FunctionElement[Any])

_COIN = bindparam("coin", type_=Text)


def _of_coin(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(column).where(coins.c.coin == _COIN).scalar_subquery()


_COIN_ID = _of_coin(coins.c.id)
#: As many as a turnover may have.
ZEROS = "0" * (2 * MAX_PLACES)
_START = bindparam("start", type_=BigInteger)
_END = bindparam("end", type_=BigInteger)
_LIMIT = bindparam("limit", type_=Integer)
_SINCE = bindparam("since", type_=BigInteger)


def _compiled_as(sqlite: str, postgresql: str) -> Callable[[type[Function]], type[Function]]:
    """Give a SQL function its text in each database; ``{}`` stands for the arguments."""

    def register(function: type[Function]) -> type[Function]:
        for dialect, template in (("sqlite", sqlite), ("postgresql", postgresql)):
            compiles(function, dialect)(partial(_compile, template))
        return function

    return register


def _compile(
    template: str, element: FunctionElement[Any], compiler: SQLCompiler, **options: Any
) -> str:
    return template.format(compiler.process(element.clauses, **options))


@_compiled_as("group_concat({})", "string_agg({}, ',')")
class _Joined(FunctionElement[str]):
    """An aggregate: the texts of all rows, joined by commas."""

    name = "joined"
    inherit_cache = True
    type = Text()


@_compiled_as("json_each({})", "json_array_elements_text(CAST({} AS JSON))")
class _Elements(FunctionElement[str]):
    """A table of the texts of a JSON array, in its column ``value``."""

    name = "elements"
    inherit_cache = True


@_compiled_as("json_quote({})", "to_json({})")
class _Quoted(FunctionElement[str]):
    """A text as JSON, with what it needs escaped."""

    name = "quoted"
    inherit_cache = True
    type = JSON()


class _Padded(FunctionElement[str]):
    """A number, and how many decimal places it is to have: with zeros at its end."""

    name = "padded"
    inherit_cache = True
    type = Text()


@compiles(_Padded, "postgresql")
def _padded_by_postgresql(element: _Padded, compiler: SQLCompiler, **options: Any) -> str:
    number, places = (compiler.process(it, **options) for it in element.clauses)
    return f"round({number}, {places})"


@compiles(_Padded, "sqlite")
def _padded_by_sqlite(element: _Padded, compiler: SQLCompiler, **options: Any) -> str:
    """Look at the place of the point first: most numbers have all their places."""
    number, places = (compiler.process(it, **options) for it in element.clauses)
    point = f"instr({number}, '.')"
    missing = f"{places} + ({places} > 0) - ({point} > 0) * (length({number}) - {point} + 1)"
    zeros = f"substr('.{ZEROS}', 1 + ({point} > 0), max({missing}, 0))"
    return (
        f"CASE WHEN substr({number}, -1 - {places}, 1) = '.' THEN {number} "
        f"ELSE {number} || {zeros} END"
    )


class _JsonRow(FunctionElement[str]):
    """A row as JSON array: integers as numbers, JSON as it is, all else as texts.

    It is made by a template: concatenation with || is half as fast.
    """

    name = "json_row"
    inherit_cache = True
    type = Text()


@compiles(_JsonRow, "postgresql")
def _row_by_postgresql(element: _JsonRow, compiler: SQLCompiler, **options: Any) -> str:
    return _compile_row("format", element, compiler, **options)


@compiles(_JsonRow, "sqlite")
def _row_by_sqlite(element: _JsonRow, compiler: SQLCompiler, **options: Any) -> str:
    return _compile_row("printf", element, compiler, **options)


def _compile_row(function: str, element: _JsonRow, compiler: SQLCompiler, **options: Any) -> str:
    columns = list(element.clauses)
    templates = ["%s" if isinstance(it.type, Integer | JSON) else '"%s"' for it in columns]
    values = [compiler.process(it, **options) for it in columns]
    return f"{function}('[{','.join(templates)}]', {', '.join(values)})"


_COIN_PLACES = {
    Measure.PRICE: coins.c.price_scale,
    Measure.AMOUNT: coins.c.amount_scale,
    Measure.TURNOVER: coins.c.price_scale + coins.c.amount_scale,
}
_PLACES = {measure: _of_coin(places) for measure, places in _COIN_PLACES.items()}
_MEASURES = {it.name: it.measure for it in (*CANDLE_COLUMNS, *TRADE_COLUMNS)}


def _zero(measure: Measure) -> ColumnElement[str]:
    places = _COIN_PLACES[measure]
    digits = case((places > 0, places + 2), else_=1)
    return _of_coin(func.substr(f"0.{ZEROS}", 1, digits, type_=Text))


def _padded(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column of the coin, a decimal with as many places as its trades have at most."""
    measure = _MEASURES.get(str(column.name))
    return _Padded(column, _PLACES[measure]) if measure else column


def _range(
    keys: Sequence[ColumnElement[Any]],
    columns: Mapping[str, ColumnElement[Any]],
    *where: ColumnElement[bool],
    newest: bool = False,
) -> Statement:
    """Select a text for each column: its values in the rows of a range, joined by commas.

    The rows are the first ``limit`` in the order of the keys, or the last if ``newest`` is set, in
    this order. SQLite and PostgreSQL both aggregate rows in the order of the subquery.
    """
    order = [key.desc() for key in keys] if newest else keys
    labelled = [column.label(name) for name, column in columns.items()]
    in_range = select(*keys, *labelled).where(*where)
    rows = in_range.order_by(*order).limit(_LIMIT).subquery()
    if newest:
        rows = select(rows).order_by(*(rows.c[key.name] for key in keys)).subquery()
    texts = (_Joined(cast(rows.c[name], Text)).label(name) for name in columns)
    return select(*texts)


def _candles(columns: Mapping[str, ColumnElement[Any]], *, newest: bool) -> Statement:
    return _range(
        [candles.c.open_time],
        columns,
        candles.c.coin == _COIN,
        candles.c.interval == bindparam("interval", type_=Text),
        candles.c.open_time.between(_START, _END),
        newest=newest,
    )


def _trades(*, newest: bool) -> Statement:
    return _range(
        [trades.c.time, trades.c.id],
        _TRADE,
        trades.c.coin_id == _COIN_ID,
        trades.c.time.between(_START, _END),
        newest=newest,
    )


REVISION = select(store.c.revision)


def _any_of(texts: str) -> Select[tuple[str]]:
    """Select the texts of a JSON array, which is a parameter."""
    elements = _Elements(bindparam(texts, type_=Text)).table_valued(column("value", Text))
    return select(elements.c.value)


_NAMED = coins.c.coin.in_(_any_of("names"))

#: Whether a coin has candles: others have had trades that are void now.
_HAS_CANDLES = exists().where(
    candles.c.coin == coins.c.coin, candles.c.interval == Interval.MONTH.value
)
#: The coins as one text, each as the values of a :class:`chart_app.model.coins.Coin`.
COINS = select(
    _Joined(_JsonRow(_Quoted(coins.c.coin), coins.c.price_scale, coins.c.amount_scale))
).where(_HAS_CANDLES)
NAMED_COINS = COINS.where(_NAMED)

#: The coins whose case-folded names are in a JSON array.
FIND_COINS = select(coins.c.coin).where(coins.c.folded.in_(_any_of("folded")))


def _kline_column(field: Field) -> ColumnElement[Any]:
    if field.attribute == CLOSE_TIME:
        return candles.c.open_time + bindparam("length", type_=BigInteger) - 1
    if field.attribute is None:
        return literal_column(f"'{field.constant}'", Text)
    if field.attribute in UNKNOWN:
        return _zero(UNKNOWN[field.attribute])
    return _padded(candles.c[field.attribute])


#: The row that :func:`chart_app.model.binance.klines.kline_row` returns.
_KLINE = {"row": _JsonRow(*map(_kline_column, KLINE.fields))}
NEWEST_KLINES = _candles(_KLINE, newest=True)
OLDEST_KLINES = _candles(_KLINE, newest=False)

#: The open time, and the values for :func:`chart_app.model.candles.from_columns`; beside all rows
#: the store's revision.
_CANDLE = {
    "row": _JsonRow(candles.c.open_time, *(candles.c[it.name] for it in CANDLE_COLUMNS)),
}
NEWEST_CANDLES, OLDEST_CANDLES = (
    _candles(_CANDLE, newest=newest).add_columns(REVISION.scalar_subquery())
    for newest in (True, False)
)

#: The open times alone.
_OPEN_TIME = {"time": candles.c.open_time}
NEWEST_OPEN_TIMES = _candles(_OPEN_TIME, newest=True)
OLDEST_OPEN_TIMES = _candles(_OPEN_TIME, newest=False)

_INTERVAL_AND_CANDLE = _JsonRow(
    *(candles.c.interval, candles.c.open_time), *(candles.c[it.name] for it in CANDLE_COLUMNS)
)


def _pieces(interval: Interval) -> Select[Any]:
    times = _any_of(f"times_{interval.value}").subquery()
    return select(_INTERVAL_AND_CANDLE.label("row")).where(
        candles.c.coin == _COIN,
        candles.c.interval == interval.value,
        candles.c.open_time.between(
            bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger)
        ),
        candles.c.open_time.in_(select(cast(times.c.value, BigInteger))),
    )


#: The candles whose open times are in JSON arrays, one of each interval of :data:`PIECES`; beside
#: all of them the store's revision. Without statistics PostgreSQL reads all that are between the
#: first and the last of these times, rather than look each up.
PIECES = select(
    _Joined(union_all(*map(_pieces, zones.PIECES)).subquery().c.row),
    REVISION.scalar_subquery(),
)

BARS = _candles(
    {
        "t": candles.c.open_time // 1000,
        "o": candles.c.open,
        "h": candles.c.high,
        "l": candles.c.low,
        "c": candles.c.close,
        "v": candles.c.volume,
    },
    newest=True,
)

#: A :class:`chart_app.model.trades.PublicTrade`.
_TRADE = {"row": _JsonRow(*(_padded(trades.c[it]) for it in PublicTrade.__struct_fields__))}
NEWEST_TRADES = _trades(newest=True)
OLDEST_TRADES = _trades(newest=False)
TRADES_FROM = _range(
    [trades.c.id],
    _TRADE,
    trades.c.coin_id == _COIN_ID,
    trades.c.id >= bindparam("from_id", type_=BigInteger),
)

CONSUMED = select(
    *(partitions.c.partition_id, partitions.c.topic, partitions.c.partition),
    partitions.c.next_offset,
).where(partitions.c.is_current)
TRADED_MINUTES = (
    select(coins.c.coin, (trades.c.time - trades.c.time % MINUTE_MS).label("minute"))
    # Of each coin, since that is how trades are indexed.
    .join_from(coins, trades, coins.c.id == trades.c.coin_id)
    .where(
        trades.c.id.between(
            bindparam("first_id", type_=BigInteger), bindparam("last_id", type_=BigInteger)
        )
    )
    .distinct()
)

#: The newest minutes, of each coin, with trades of voids that were made or undone since a revision.
VOIDED_MINUTES = (
    select(voids.c.coin, (voided_trades.c.time - voided_trades.c.time % MINUTE_MS).label("minute"))
    .join_from(voids, voided_trades, voids.c.id == voided_trades.c.void_id)
    .where((voids.c.id > _SINCE) | (voids.c.undo_id > _SINCE))
    .distinct()
    .order_by(literal_column("minute").desc())
    .limit(_LIMIT)
)


def _of_newest_month(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column of a coin's newest monthly candle, whose last trade is the coin's."""
    return (
        select(column)
        .where(candles.c.coin == coins.c.coin, candles.c.interval == Interval.MONTH.value)
        .order_by(candles.c.open_time.desc())
        .limit(1)
        .scalar_subquery()
    )


#: The last prices as one text, each as [coin, decimal places, price].
PRICES = select(
    _Joined(
        _JsonRow(
            *(_Quoted(coins.c.coin), coins.c.price_scale),
            _of_newest_month(cast(candles.c.close, Text)),
        )
    )
).where(_HAS_CANDLES)
NAMED_PRICES = PRICES.where(_NAMED)

_PART = _JsonRow(
    *(candles.c.open_time, candles.c.open, candles.c.high, candles.c.low, candles.c.close),
    *(candles.c.volume, candles.c.quote_volume, candles.c.trades),
    *(candles.c.first_id, candles.c.last_id),
)
#: A window is summed up from candles of these intervals, each up to where a bucket of the next one
#: begins, the longest to the end: for a day at most 15 candles a coin, where minutes would be
#: 1,440.
_PART_INTERVALS = (
    *(Interval.M1, Interval.M5, Interval.M15, Interval.M30),
    *(Interval.H1, Interval.H2, Interval.H4, Interval.H12),
)


def _ceiling(time: ColumnElement[int], length: int) -> ColumnElement[int]:
    """Return a time, also before the epoch, rounded up to a multiple of a length."""
    return time + (length - time % length) % length


def _close_before(time: ColumnElement[int], coin: ColumnElement[str]) -> ColumnElement[Any]:
    return (
        select(cast(candles.c.close, Text))
        .where(candles.c.coin == coin, candles.c.interval == Interval.M1.value)
        .where(candles.c.open_time < time)
        .order_by(candles.c.open_time.desc())
        .limit(1)
        .scalar_subquery()
    )


def _amount_of(id_: ColumnElement[int], coin_id: ColumnElement[int]) -> ColumnElement[Any]:
    return (
        select(cast(trades.c.amount, Text))
        .where(trades.c.coin_id == coin_id, trades.c.id == id_)
        .scalar_subquery()
    )


def _windows() -> Statement:
    newest = (
        select(
            *(coins.c.coin, coins.c.price_scale, coins.c.amount_scale),
            coins.c.id.label("coin_id"),
            _of_newest_month(candles.c.last_time).label("last_time"),
            _of_newest_month(candles.c.last_id).label("last_id"),
        )
        .where(_NAMED)
        .cte("newest")
        # Else a database may look the time up wherever it is used.
        .prefix_with("MATERIALIZED")
    )
    last_time = newest.c.last_time
    minute = last_time - last_time % MINUTE_MS
    length = bindparam("length", type_=BigInteger)
    start = case((last_time >= _START, _START), else_=minute + MINUTE_MS - length)
    windows = (
        select(*newest.c, start.label("start"))
        .where(last_time.is_not(None))
        .cte("windows")
        .prefix_with("MATERIALIZED")
    )
    parts = []
    for interval, longer in zip(_PART_INTERVALS, (*_PART_INTERVALS[1:], None), strict=True):
        where = [
            candles.c.coin == windows.c.coin,
            candles.c.interval == interval.value,
            candles.c.open_time >= _ceiling(windows.c.start, interval.end_time(0)),
        ]
        if longer:
            where.append(candles.c.open_time < _ceiling(windows.c.start, longer.end_time(0)))
        parts.append(select(_PART.label("text")).where(*where).correlate(windows))
    rows = union_all(*parts).subquery()
    opening, closing = (literal_column(f"'{it}'", Text) for it in "[]")
    joined = select(opening + _Joined(rows.c.text) + closing)
    window = _JsonRow(
        *(_Quoted(windows.c.coin), windows.c.price_scale, windows.c.amount_scale),
        *(windows.c.last_time, windows.c.start),
        _close_before(windows.c.start, windows.c.coin),
        _amount_of(windows.c.last_id, windows.c.coin_id),
        type_coerce(joined.scalar_subquery(), JSON),
    )
    return select(_Joined(window)).select_from(windows)


#: Windows of coins as one text: of each the values of a :class:`chart_app.model.coins.Coin`, the
#: time of its last trade, the time at which its window begins, the last price before, the amount of
#: the last trade ("" where there is none), and the candles of the window. ``start`` is when windows
#: of ``length`` begin that end now.
WINDOWS = _windows()
