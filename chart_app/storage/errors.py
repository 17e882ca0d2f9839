"""What goes wrong with the store.

Errors::

    StoreError
      + StoreUnavailable    the database does not answer, or is locked: try again later
      + Superseded          the partition stands at another offset: read that again
      + WrongStore          the database is not one this program can use
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg.exceptions import InterfaceError, PostgresError
from sqlalchemy.exc import SQLAlchemyError

#: What the drivers of both databases raise, and SQLAlchemy around them.
DATABASE_ERRORS = (
    SQLAlchemyError,
    PostgresError,
    InterfaceError,
    sqlite3.Error,
    OSError,
    TimeoutError,
)
#: What PostgreSQL's codes of errors begin with that are about a value.
DATA_EXCEPTION = "22"


class StoreError(Exception):
    """The store did not do what it was asked for."""


class StoreUnavailable(StoreError):
    """The database does not answer, or is locked: try again later."""


class Superseded(StoreError):
    """The partition stands at another offset: another worker has it, or had it last."""


class WrongStore(StoreError):
    """The database is not one this program can use."""


@contextmanager
def translated(*, pass_values: bool = False) -> Iterator[None]:
    """Raise :exc:`StoreUnavailable` for an error of the database.

    With ``pass_values`` one about a value passes: PostgreSQL is there, and will never take it, as
    a text with a NUL.
    """
    try:
        yield
    except DATABASE_ERRORS as error:
        if pass_values and _is_about_a_value(error):
            raise
        raise StoreUnavailable(f"{type(error).__name__}: {error}".split("\n")[0]) from error


def _is_about_a_value(error: BaseException) -> bool:
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return str(sqlstate).startswith(DATA_EXCEPTION)
