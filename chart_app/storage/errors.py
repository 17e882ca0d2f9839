"""The errors of the store.

Errors::

    StoreError
      + StoreUnavailable    the database does not answer, or is locked: try again later
          + StoreLocked     it is locked by another program: nothing was done
      + Superseded          the stored offset is another one: read on from there
      + Refused             some of the trades must not be stored: try again without them
      + WrongStore          the database is not one this program can use
        + WrongAddress      DATABASE_URL has a parameter that cannot be used
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from asyncpg.exceptions import (
    ClientConfigurationError,
    InterfaceError,
    InternalClientError,
    PostgresError,
)
from sqlalchemy.exc import SQLAlchemyError

from chart_app.model.refusals import Refusal

#: What SQLAlchemy and the drivers of both databases raise.
DATABASE_ERRORS = (
    SQLAlchemyError,
    PostgresError,
    InterfaceError,
    InternalClientError,
    sqlite3.Error,
    OSError,
    TimeoutError,
)
#: PostgreSQL's error code for a lock that was not free in time.
LOCK_NOT_AVAILABLE = "55P03"
#: The class (first two characters) of PostgreSQL's error codes for invalid values.
DATA_EXCEPTION = "22"


class StoreError(Exception):
    """An operation of the store has failed."""


class StoreUnavailable(StoreError):
    """The database does not answer, or is locked: try again later."""


class StoreLocked(StoreUnavailable):
    """Another program has locked the database: nothing was done."""


class Superseded(StoreError):
    """The stored offset is another one: another worker has the partition, or had it last."""


class Refused(StoreError):
    """Some of the trades must not be stored; ``refusals`` says why, by the trades' ids.

    Nothing was stored. It has all refused trades of the transaction.
    """

    def __init__(self, refusals: Mapping[int, Refusal]) -> None:
        super().__init__(f"{len(refusals)} trades must not be stored")
        self.refusals = refusals


class WrongStore(StoreError):
    """The database is not one this program can use."""


class WrongAddress(WrongStore):
    """DATABASE_URL has a parameter that cannot be used."""


@contextmanager
def translate_errors(*, pass_data_errors: bool = False) -> Iterator[None]:
    """Raise :exc:`StoreUnavailable` for an error of the database, or :exc:`WrongAddress`.

    With ``pass_data_errors`` an error about a value is raised unchanged: PostgreSQL answers, but
    will never accept the value, for example a text with a NUL.
    """
    try:
        yield
    except DATABASE_ERRORS as error:
        if isinstance(cause := _cause(error), ClientConfigurationError):
            raise WrongAddress(f"DATABASE_URL cannot be used: {_first_line(cause)}") from error
        if pass_data_errors and _is_data_error(error):
            raise
        if is_locked(error):
            raise StoreLocked(
                "another program has locked it, and may be migrating it, or voiding trades"
            ) from error
        raise StoreUnavailable(f"{type(error).__name__}: {_first_line(error)}") from error


def sqlstate(error: BaseException) -> str:
    """Return PostgreSQL's code of an error, or ""."""
    return getattr(error, "sqlstate", None) or getattr(_original(error), "sqlstate", None) or ""


def _original(error: BaseException) -> BaseException | None:
    """Return the driver's error of one of SQLAlchemy's."""
    return getattr(error, "orig", None)


def _cause(error: BaseException) -> BaseException | None:
    """Return asyncpg's error that SQLAlchemy has turned into its own."""
    return getattr(_original(error), "__cause__", None)


def _is_data_error(error: BaseException) -> bool:
    return sqlstate(error).startswith(DATA_EXCEPTION)


def is_locked(error: BaseException) -> bool:
    """Return whether a lock was not free, in PostgreSQL or SQLite."""
    sqlite_code = getattr(_original(error) or error, "sqlite_errorcode", None)
    return sqlstate(error) == LOCK_NOT_AVAILABLE or sqlite_code == sqlite3.SQLITE_BUSY


def _first_line(error: BaseException | None) -> str:
    return str(error).split("\n", maxsplit=1)[0]
