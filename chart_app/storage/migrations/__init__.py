"""Migrates the tables of a store of an earlier version, in place and in one transaction.

Each version has a module, whose ``migrate`` makes its tables of those of the version before: in the
SQL of that time, since what :mod:`chart_app.storage.schema` says goes on to change.
"""

import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from chart_app.storage import schema
from chart_app.storage.database import Database
from chart_app.storage.errors import WrongStore, sqlstate
from chart_app.storage.migrations import version_2, version_3

logger = logging.getLogger(__name__)

#: Classes of PostgreSQL's error codes: dependent objects exist, integrity constraint violation,
#: data exception, access rule violation.
PERMANENT = {"2B", "23", "22", "42"}

#: The migrations, each by the version that it starts from.
MIGRATIONS = {1: version_2.migrate, 2: version_3.migrate}


async def migrate(database: Database) -> None:
    """Migrate a store of an earlier version, unless another program does.

    Raises the database's error while another program has locked the store, and WrongStore if
    trying again cannot help. A program that is killed meanwhile leaves the store as it was.
    """
    try:
        await database.write_at_leisure(_migrate)
    except DBAPIError as error:
        if sqlstate(error)[:2] in PERMANENT:
            raise WrongStore(f"The store cannot be migrated: {error.orig}") from error
        raise


def _migrate(connection: Connection) -> None:
    # SQLite's transactions lock all of the store.
    if connection.dialect.name != schema.SQLITE:
        connection.execute(text("LOCK TABLE store IN ACCESS EXCLUSIVE MODE"))
    version = schema.read_version(connection)
    if version >= schema.VERSION:
        return  # another program has migrated it meanwhile
    start = time.monotonic()
    logger.info("Migrating the store from version %d to %d", version, schema.VERSION)
    if connection.dialect.name == schema.SQLITE:
        _back_up(connection.engine.url.database or "", version)
    else:
        logger.info(
            "Readers wait until it is done. It is one transaction: if it fails, nothing changes"
        )
    for number in range(version, schema.VERSION):
        MIGRATIONS[number](connection)
    logger.info("Migrated the store in %.1f s", time.monotonic() - start)


def backup_file(file: str | Path, version: int) -> Path:
    """Return where SQLite's file is backed up before its migration from a version."""
    return Path(f"{file}.version-{version}")


def _back_up(file: str, version: int) -> None:
    backup = backup_file(file, version)
    unfinished = backup.with_name(f"{backup.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(unfinished)) as target:
        source.backup(target)
    unfinished.replace(backup)
    logger.info("The store is backed up in %s", backup)
