"""Reads from the database with as few jobs for SQLite's thread as possible."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Executable

from chart_app.storage.database import Database
from chart_app.storage.errors import translate_errors


class Fetcher:
    """Runs reading statements, each by itself.

    SQLAlchemy hands SQLite's thread four jobs for a statement: cursor, execute, fetch, close. Each
    waits for the GIL, which a busy event loop keeps for up to 5 ms; so here it gets one.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.reader
        self._is_sqlite = database.is_sqlite
        self._compiled = cache(lambda statement: statement.compile(dialect=database.dialect))

    async def fetch(
        self, statement: Executable, parameters: Mapping[str, Any]
    ) -> list[Sequence[Any]]:
        """Return the rows of a statement.

        Raises :exc:`errors.StoreUnavailable`, or the database's own error if it refuses a value.
        """
        with translate_errors(pass_data_errors=True):
            async with self._engine.connect() as connection:
                if not self._is_sqlite:
                    return list(await connection.execute(statement, parameters))
                compiled = self._compiled(statement)
                values = {**compiled.params, **parameters}
                driver: Any = (await connection.get_raw_connection()).driver_connection
                return list(
                    await driver.execute_fetchall(
                        compiled.string, [values[name] for name in compiled.positiontup]
                    )
                )
