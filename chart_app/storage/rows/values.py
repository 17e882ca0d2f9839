"""Statements of SQLite for many rows.

SQLAlchemy needs longer to compile a statement for many rows than the database to run it, and a
statement for each row costs a wait for the GIL each, which the event loop holds. So a statement is
compiled for one row, its text is repeated for many, and all goes straight to the driver.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Table,
    and_,
    bindparam,
    column,
    func,
    or_,
    select,
    values,
)
from sqlalchemy.dialects import sqlite

from chart_app.storage import schema
from chart_app.storage.driver import driver

#: Rows of a statement; the rest of the rows has a statement of its own size. With 16 columns the
#: largest has 32,000 parameters; SQLite allows 32,766.
SIZES = (2000, 500, 100)

Rows = Sequence[Sequence[Any]]


class Statement:
    """A statement for any number of rows."""

    def __init__(self, dialect: Dialect, statement: Any) -> None:
        text = str(statement.compile(dialect=dialect))
        self._text = lru_cache(maxsize=None)(lambda count: repeat_row(text, count))

    def execute(self, connection: Connection, rows: Rows) -> int:
        """Run the statement for all rows; return the number of rows changed."""
        return sum(self._run(connection, part).rowcount for part in parts(rows))

    def fetch(self, connection: Connection, rows: Rows) -> list[Any]:
        """Run the statement for all rows; return the rows found, as the driver gives them."""
        return [row for part in parts(rows) for row in self._run(connection, part)]

    def _run(self, connection: Connection, rows: Rows) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = driver(connection).execute(
            self._text(len(rows)), tuple(chain.from_iterable(rows))
        )
        return cursor


def repeat_row(sql: str, count: int) -> str:
    """Return a statement with ``VALUES (…)`` for ``count`` rows."""
    head, row, tail = re.split(r"(?<=VALUES )(\([^()]*\))", sql, maxsplit=1)
    return head + ", ".join([row] * count) + tail


def parts(rows: Rows) -> Iterator[Rows]:
    """Yield the rows in parts of :data:`SIZES` rows, then the rest."""
    start = 0
    for size in SIZES:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size
    if start < len(rows):
        yield rows[start:]


def insert_new(table: Table, dialect: Dialect) -> Statement:
    """Return a statement that inserts rows, except those that violate a unique key."""
    return Statement(dialect, _insert(table).on_conflict_do_nothing())


def upsert(
    table: Table, keys: Sequence[Column[Any]], dialect: Dialect, *, largest: bool = False
) -> Statement:
    """Return a statement that inserts rows, or updates those with the same keys.

    With ``largest`` the larger of the stored and of the new value stays in each column.
    """
    statement = _insert(table)
    changed = {
        new.key: func.max(table.columns[new.key], new) if largest else new
        for new in statement.excluded
        if table.columns[new.key] not in keys and not table.columns[new.key].identity
    }
    return Statement(dialect, statement.on_conflict_do_update(index_elements=keys, set_=changed))


def select_by(
    keys: Sequence[Column[Any]], dialect: Dialect, other_than: Sequence[Column[Any]] = ()
) -> Statement:
    """Return a statement that selects rows of a table by the values of these columns.

    With ``other_than``, only rows in which one of these columns has another value, text by text.
    """
    given = [*keys, *other_than]
    wanted = (
        values(*(column(it.name, it.type) for it in given), name="wanted")
        .data([tuple(bindparam(it.name, type_=it.type) for it in given)])
        .cte()
    )
    matches = and_(*(key == wanted.c[key.name] for key in keys))
    rows = select(keys[0].table).join(wanted, matches)
    if other_than:
        rows = rows.where(or_(*(it != wanted.c[it.name] for it in other_than)))
    return Statement(dialect, rows)


def _insert(table: Table) -> sqlite.Insert:
    parameters = {it.key: bindparam(it.key, type_=it.type) for it in schema.given_columns(table)}
    return sqlite.insert(table).values([parameters])
