"""The connections to the database, SQLite or PostgreSQL: one that writes, several that read."""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from asyncpg.exceptions import PostgresError
from sqlalchemy import URL, Connection, Dialect, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chart_app.storage.errors import LOCK_NOT_AVAILABLE, WrongStore, sqlstate
from chart_app.storage.kept_connection import NOT_OF_A_STATEMENT, KeptConnection
from chart_app.storage.schema import SQLITE
from chart_app.storage.transactions import Transactions
from chart_app.storage.wal import MAX_PAGES, WriteAheadLog, switch_to_wal
from settings import Settings

SQLITE_FILE = "chart.sqlite"
#: How long a statement may wait: for another process's lock, or for a server that hangs.
TIMEOUT_S = 5.0
#: How long PostgreSQL keeps the transaction, and the locks, of a worker that has gone silent: it
#: may be stopped, or its machine lost. Otherwise the time between two statements is far shorter.
IDLE_TIMEOUT_S = 10
#: How long a statement of PostgreSQL may wait for a lock: less than its time in all, so that the
#: error says what it waited for.
LOCK_TIMEOUT_S = 4
#: Prepared statements that are cached, of SQLite: there is about one for each batch size, see
#: chart_app/storage/rows/values.py.
STATEMENTS_KEPT = 500
READERS = 8
#: PostgreSQL's codes for a conflict with a concurrent transaction, which changed the same row,
#: created the same table or inserted the same key; the last also for a trade that is not new, see
#: chart_app/storage/rows/postgresql.py. The next try sees what was committed.
CONFLICTS = {
    *("40001", "40P01"),  # serialization_failure, deadlock_detected
    *("42P07", "23505"),  # duplicate_table, unique_violation
}
TRIES = 5
#: The parameters of DATABASE_URL that name files.
TLS_FILES = {"sslrootcert", "sslcert", "sslkey", "sslcrl"}
URL_FORM = (
    "must be postgresql://user:password@host:port/name, where @ in a password is %40 and % is %25"
)
SQLITE_ARGUMENTS: dict[str, Any] = {"timeout": TIMEOUT_S, "cached_statements": STATEMENTS_KEPT}

Result = TypeVar("Result")


class Database:
    """SQLite (WAL) or PostgreSQL, by URL."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == SQLITE
        self._writer: KeptConnection | None = None
        if self.is_sqlite:
            self.engine = create_engine(
                self.url.set(drivername="sqlite+pysqlite"),
                connect_args={**SQLITE_ARGUMENTS, "check_same_thread": False},
                pool_size=1,
                max_overflow=0,
            )
            event.listen(self.engine, "do_connect", self._make_folder)
            event.listen(self.engine, "connect", _switch_to_wal)
            event.listen(self.engine, "connect", _set_up_sqlite)
            self.reader = self._sqlite_reader()
        else:
            writer = self._postgresql(pool_size=1)
            self._writer = KeptConnection(writer)
            self.engine = writer.sync_engine
            self.reader = self._postgresql(pool_size=READERS, pool_pre_ping=True)
        #: For SQLite only.
        self._transactions = Transactions(self.engine, TIMEOUT_S)
        self._log = WriteAheadLog(self.reader)

    async def write(
        self,
        function: Callable[[Connection], Result],
        *,
        snapshot: bool = False,
        is_short: bool = False,
    ) -> Result:
        """Call a function with a connection, in one transaction, and return its result.

        The function is the same for both databases. It is called again after a conflict with
        another worker's transaction. With ``snapshot`` it sees one state of the database, and a
        row that was changed since is a conflict; without, in PostgreSQL, each statement sees what
        was committed before. ``is_short`` means that it has few rows, see
        :mod:`chart_app.storage.transactions`; there all of it runs in one piece: with a job of a
        thread for each statement, each would wait for the event loop several times.
        """
        if self._writer is None:
            result = await self._transactions.run(function, is_short=is_short)
            self._log.written()
            return result
        isolation = "repeatable_read" if snapshot else "read_committed"
        tries_left = TRIES
        while True:
            tries_left -= 1
            try:
                return await _in_transaction(self._writer, isolation, function)
            except (DBAPIError, PostgresError) as error:
                if not tries_left or sqlstate(error) not in CONFLICTS:
                    raise

    async def write_at_once(self, sql: str, arguments: Iterable[str]) -> list[Any] | None:
        """Run a statement of PostgreSQL as its own transaction, and return the rows.

        Return None if the server refuses the statement: then nothing has changed.
        """
        assert self._writer is not None
        try:
            async with self._writer.use() as (_, driver):
                rows: list[Any] = await driver.fetch(sql, *arguments)
                return rows
        except PostgresError as error:
            code = sqlstate(error)
            if code[:2] in NOT_OF_A_STATEMENT or code == LOCK_NOT_AVAILABLE:
                raise
            return None

    async def write_at_leisure(self, function: Callable[[Connection], Result]) -> Result:
        """Call a function as :meth:`write` does, once, whose statements may take any time."""
        if self._writer is None:
            return await self.write(function)
        writer = KeptConnection(self._postgresql(pool_size=1, timeout_s=None))
        try:
            return await _in_transaction(writer, "read_committed", function)
        finally:
            await writer.close()

    @property
    def dialect(self) -> Dialect:
        """Return SQLAlchemy's dialect."""
        return self.engine.dialect

    def _sqlite_reader(self) -> AsyncEngine:
        engine = create_async_engine(
            self.url.set(drivername="sqlite+aiosqlite"),
            connect_args=SQLITE_ARGUMENTS,
            isolation_level="AUTOCOMMIT",
            pool_size=READERS,
            max_overflow=0,
            pool_timeout=TIMEOUT_S,
        )
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        return engine

    def _make_folder(self, *_: Any) -> None:
        Path(self.url.database or "").parent.mkdir(parents=True, exist_ok=True)

    def _postgresql(self, *, timeout_s: float | None = TIMEOUT_S, **options: Any) -> AsyncEngine:
        return create_async_engine(
            "postgresql+asyncpg://",
            connect_args={
                # asyncpg reads the parameters of libpq, as sslmode; SQLAlchemy does not.
                "dsn": self.url.render_as_string(hide_password=False),
                "timeout": TIMEOUT_S,
                "command_timeout": timeout_s,
                "server_settings": {
                    "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT_S}s",
                    "lock_timeout": f"{LOCK_TIMEOUT_S}s",
                },
            },
            # Transactions are begun by the driver, see _in_transaction().
            isolation_level="AUTOCOMMIT",
            max_overflow=0,
            pool_timeout=TIMEOUT_S,
            **options,
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._writer is None:
            await self._log.close()
            self._transactions.close()
        else:
            await self._writer.close()
        await self.reader.dispose()


async def _in_transaction(
    writer: KeptConnection, isolation: str, function: Callable[[Connection], Result]
) -> Result:
    """Call a function in a transaction of asyncpg: it may use the driver's connection directly."""
    async with (
        writer.use() as (connection, driver),
        driver.transaction(isolation=isolation),
    ):
        return await connection.run_sync(function)


def check_file(database: Database) -> None:
    """Raise :exc:`WrongStore` if the file of a SQLite database does not exist.

    SQLite would create it.
    """
    file = Path(database.url.database or "")
    if database.is_sqlite and not file.is_file():
        raise WrongStore(f"There is no store: the file {file} does not exist")


def database_url(settings: Settings) -> URL:
    """Return ``DATABASE_URL``, or the URL of a SQLite file under ``DATA_DIR``.

    Raises ValueError, which says nothing that may be part of a password.
    """
    if not settings.database_url:
        return URL.create(SQLITE, database=str(settings.data_dir / SQLITE_FILE))
    try:
        url = make_url(settings.database_url.get_secret_value())
    except (ArgumentError, ValueError):
        raise ValueError(f"cannot be read; {URL_FORM}") from None
    if "@" in (url.host or ""):
        raise ValueError(f"has more than one @; {URL_FORM}")
    for name, values in url.normalized_query.items():
        if len(values) > 1:
            raise ValueError(f"has {name} more than once")
        if name in TLS_FILES and not Path(values[0]).is_file():
            raise ValueError(f"there is no file {values[0]}, which is its {name}")
    return url


def _switch_to_wal(connection: sqlite3.Connection, _: Any) -> None:
    switch_to_wal(connection, TIMEOUT_S)


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # Python's driver must not begin transactions
    cursor = connection.cursor()
    # A power cut may undo the last transactions with their offsets: the records are read again.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {MAX_PAGES}")
    cursor.close()
