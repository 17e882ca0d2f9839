"""Describes a store: its version, what a start would do with it, and its size on disk."""

from collections.abc import Iterator

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from chart_app.storage import schema
from chart_app.storage.database import Database, check_file
from chart_app.storage.errors import WrongAddress, WrongStore, translate_errors
from chart_app.storage.migrations import backup_file

#: (kind, name, bytes) of each table and index.
_SQLITE_SIZES = """
    SELECT schema.type, schema.name, pgsize
    FROM dbstat JOIN sqlite_schema AS schema ON schema.name = dbstat.name
    WHERE aggregate = TRUE"""
_DBSTAT = "SELECT 1 FROM dbstat LIMIT 1"
_POSTGRESQL_SIZES = """
    SELECT CASE relkind WHEN 'i' THEN 'index' ELSE 'table' END, relname, pg_relation_size(oid)
    FROM pg_class
    WHERE relkind IN ('r', 'i') AND pg_table_is_visible(oid)
        AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)"""


async def describe(database: Database) -> list[str]:
    """Return the lines that describe a store. Raises :exc:`StoreError`."""
    try:
        check_file(database)
        with translate_errors():
            async with database.reader.connect() as connection:
                return await connection.run_sync(lambda it: list(_describe(it, database)))
    except WrongAddress:
        raise
    except WrongStore as error:
        return [f"{error}. A worker creates it at its start."]


def _describe(connection: Connection, database: Database) -> Iterator[str]:
    schema.check_exists(connection)
    version = schema.read_version(connection)
    yield f"The store has version {version} of the tables, this program version {schema.VERSION}."
    yield _start(connection, version, database)
    if database.is_sqlite and not _has_dbstat(connection):
        yield "Python's SQLite was built without dbstat: the size of each table is unknown."
        return
    sizes = connection.execute(text(_SQLITE_SIZES if database.is_sqlite else _POSTGRESQL_SIZES))
    for kind, name, size in sorted(sizes, key=lambda row: (-row[2], row[1])):
        yield f"{kind}  {name:24} {size:16,} bytes"


def _start(connection: Connection, version: int, database: Database) -> str:
    """Return what a worker would do at its start with a store of a version."""
    if version < schema.VERSION:
        backup = backup_file(database.url.database or "", version)
        kept = f" after it has copied it to {backup}" if database.is_sqlite else ""
        return f"A worker migrates it at its start{kept}."
    try:
        schema.check_version(connection)
    except WrongStore as error:
        return f"A worker refuses it: {error}."
    return "A worker uses it as it is."


def _has_dbstat(connection: Connection) -> bool:
    try:
        connection.execute(text(_DBSTAT))
    except OperationalError:
        return False
    return True
