"""Voids: trades that no longer count, and their undo. Needs neither Kafka nor a worker.

A void moves trades out of the table that candles are computed from, and computes their candles
again, in one transaction that raises the store's revision. Within a revision candles only gain
trades; of two states of a candle the newer is that of the higher revision, and within one the one
with more trades. Workers may run meanwhile: their transactions wait.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from chart_app.model.intervals import MINUTE_MS
from chart_app.storage import schema
from chart_app.storage.database import Database, Result, check_file
from chart_app.storage.errors import StoreError, StoreLocked, WrongStore, translate_errors
from chart_app.storage.recomputation import check_store, recompute
from chart_app.storage.rows import row_writer
from streaming.logs import quote_value

#: Pauses between the tries where the store is locked.
RETRY_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 4.0)
#: The fence is an UPDATE, which waits for this lock, as this lock waits for transactions that have
#: passed the fence. All other locks of workers come after it.
_LOCK_OUT_WORKERS = "LOCK TABLE partitions IN SHARE ROW EXCLUSIVE MODE"

_trades = schema.trades.c
_voids = schema.voids.c
_voided = schema.voided_trades.c


class NothingToVoid(StoreError):
    """No trade is meant."""


class CannotUndo(StoreError):
    """The void cannot be undone."""


class Selection(NamedTuple):
    """The trades of a coin that are meant, by exactly one of these.

    sender_ids:  the senders' ids (``tradeId``).
    ids:         the store's ids (``id`` in REST).
    times:       (from, to) in ms, without the end.
    """

    coin: str
    sender_ids: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    times: tuple[int, int] | None = None


class Reason(NamedTuple):
    """Who makes a void or an undo, why, and when (ms)."""

    who: str
    why: str
    time: int


class Found(NamedTuple):
    """How many trades there are, and the times (ms) of the first and of the last."""

    trades: int
    first_time: int
    last_time: int


class Void(NamedTuple):
    """A void, and its undo."""

    id: int
    coin: str
    found: Found
    reason: Reason
    undone: Reason | None = None


class Outcome(NamedTuple):
    """What a void or an undo has done; how many candles were computed again, or are gone."""

    void: Void
    candles: int
    gone: int


class Voids:
    """Makes, undoes and lists voids. Every method may raise :exc:`StoreError`.

    The database must not be that of a :class:`writer.StoreWriter`: of SQLite it notices only what
    other connections have changed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = row_writer(database.dialect)

    async def find(self, selection: Selection) -> Found:
        """Return which trades a void would take. Raises :exc:`NothingToVoid`."""
        return await self._read(lambda connection: _find(connection, selection))

    async def void(self, selection: Selection, reason: Reason) -> Outcome:
        """Take trades out of the candles. Raises :exc:`NothingToVoid`."""
        return await self._write(lambda connection: self._void(connection, selection, reason))

    async def undo(self, void_id: int, reason: Reason) -> Outcome:
        """Put the trades of a void back. Raises :exc:`CannotUndo`."""
        return await self._write(lambda connection: self._undo(connection, void_id, reason))

    async def all(self) -> list[Void]:
        """Return all voids, oldest first."""
        return await self._read(_read_all)

    def _void(self, connection: Connection, selection: Selection, reason: Reason) -> Outcome:
        void_id = _begin(connection)
        is_meant = _is_meant(connection, selection)
        rows = select(literal(void_id), *_trades).where(is_meant)
        names = [_voided.void_id, *(_voided[column.name] for column in _trades)]
        connection.execute(insert(schema.voided_trades).from_select(names, rows))
        connection.execute(delete(schema.trades).where(is_meant))
        found = _sum_up(connection, void_id)
        connection.execute(
            insert(schema.voids).values(
                id=void_id, coin=selection.coin, **found._asdict(), **reason._asdict()
            )
        )
        void = Void(void_id, selection.coin, found, reason)
        return self._recompute(connection, void)

    def _undo(self, connection: Connection, void_id: int, reason: Reason) -> Outcome:
        undo_id = _begin(connection)
        void = _find_void(connection, void_id)
        _check_ids(connection, void)
        names = [column.name for column in _trades]
        rows = select(*(_voided[name] for name in names)).where(_voided.void_id == void_id)
        connection.execute(insert(schema.trades).from_select(names, rows))
        connection.execute(
            update(schema.voids)
            .where(_voids.id == void_id)
            .values(
                undo_id=undo_id, **{f"undo_{name}": it for name, it in reason._asdict().items()}
            )
        )
        return self._recompute(connection, void._replace(undone=reason))

    def _recompute(self, connection: Connection, void: Void) -> Outcome:
        minute = (_voided.time - _voided.time % MINUTE_MS).label("minute")
        minutes = connection.scalars(select(minute).where(_voided.void_id == void.id).distinct())
        return Outcome(void, *recompute(connection, self._rows, void.coin, list(minutes)))

    async def _read(self, function: Callable[[Connection], Result]) -> Result:
        check_file(self._database)
        with translate_errors():
            async with self._database.reader.connect() as connection:
                return await connection.run_sync(function)

    async def _write(self, function: Callable[[Connection], Result]) -> Result:
        check_file(self._database)
        for pause in RETRY_PAUSES_S:
            try:
                return await self._try_to_write(function)
            except StoreLocked:
                await asyncio.sleep(pause)
        return await self._try_to_write(function)

    async def _try_to_write(self, function: Callable[[Connection], Result]) -> Result:
        with translate_errors():
            return await self._database.write_at_leisure(function)


def _begin(connection: Connection) -> int:
    """Lock out all that writes, raise the store's revision, and return it."""
    schema.check_exists(connection)
    schema.check_version(connection)
    # First, for rebuilds and other voids wait for it, and a rebuild may take long: workers go on.
    raised = update(schema.store).values(revision=schema.store.c.revision + 1)
    revision: int = connection.scalars(raised.returning(schema.store.c.revision)).one()
    if connection.dialect.name != schema.SQLITE:
        connection.execute(text(_LOCK_OUT_WORKERS))
    check_store(connection)
    return revision


def _is_meant(connection: Connection, selection: Selection) -> ColumnElement[bool]:
    coin_id = connection.scalar(
        select(schema.coins.c.id).where(schema.coins.c.coin == selection.coin)
    )
    if coin_id is None:
        raise WrongStore(f"The store has no coin {quote_value(selection.coin)}")
    return and_(_trades.coin_id == coin_id, _is_chosen(selection))


def _is_chosen(selection: Selection) -> ColumnElement[bool]:
    if selection.times:
        start, end = selection.times
        return and_(_trades.time >= start, _trades.time < end)
    if selection.ids:
        return _trades.id.in_(selection.ids)
    return _trades.trade_id.in_(selection.sender_ids)


def _find(connection: Connection, selection: Selection) -> Found:
    check_store(connection)
    columns = (func.count(), func.min(_trades.time), func.max(_trades.time))
    return _found(connection, select(*columns).where(_is_meant(connection, selection)))


def _sum_up(connection: Connection, void_id: int) -> Found:
    columns = (func.count(), func.min(_voided.time), func.max(_voided.time))
    return _found(connection, select(*columns).where(_voided.void_id == void_id))


def _found(connection: Connection, statement: Select[int, int, int]) -> Found:
    found = Found(*connection.execute(statement).one())
    if not found.trades:
        raise NothingToVoid("There are no such trades")
    return found


def _check_ids(connection: Connection, void: Void) -> None:
    """Raise :exc:`CannotUndo` if senders' ids of a void's trades are of other trades now."""
    is_taken = exists().where(
        _trades.trade_id == _voided.trade_id, _trades.coin_id == _voided.coin_id
    )
    taken = select(_voided.trade_id).where(_voided.void_id == void.id, is_taken)
    count = connection.scalar(select(func.count()).select_from(taken.subquery()))
    if count:
        first = connection.scalar(taken.order_by(_voided.id).limit(1))
        raise CannotUndo(
            f"{count} of its {void.found.trades} trades cannot come back: their tradeId is that "
            f"of another trade now, the first {quote_value(first or '')}"
        )


def _find_void(connection: Connection, void_id: int) -> Void:
    row = connection.execute(select(schema.voids).where(_voids.id == void_id)).one_or_none()
    if row is None:
        raise CannotUndo(f"There is no void {void_id}")
    void = _void(row)
    if void.undone:
        raise CannotUndo(f"Void {void_id} is undone already")
    return void


def _read_all(connection: Connection) -> list[Void]:
    schema.check_exists(connection)
    schema.check_version(connection)
    return [_void(row) for row in connection.execute(select(schema.voids).order_by(_voids.id))]


def _void(row: Row[tuple[object, ...]]) -> Void:
    found = Found(row.trades, row.first_time, row.last_time)
    undone = None
    if row.undo_id is not None:
        undone = Reason(row.undo_who, row.undo_why, row.undo_time)
    return Void(row.id, row.coin, found, Reason(row.who, row.why, row.time), undone)
