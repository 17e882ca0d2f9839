"""The connection to PostgreSQL that writes, kept until it fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chart_app.storage.driver import driver
from chart_app.storage.errors import StoreError, sqlstate

#: Classes of PostgreSQL's codes for a connection that fails and a server that ends. Errors of the
#: driver itself have none.
NOT_OF_A_STATEMENT = {"", "08", "57"}


class KeptConnection:
    """One connection of an engine: to take it from the pool would cost more than a statement."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._kept: AsyncConnection | None = None
        self._using = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[tuple[AsyncConnection, Any]]:
        """Yield the connection, and that of the driver, to one at a time; give it up if it fails.

        SQLAlchemy does not see the driver's errors. Where it is not the server that has answered
        with one, the connection may be lost, or in the midst of an operation.
        """
        async with self._using:
            if self._kept is None:
                self._kept = await self._engine.connect()
            connection = self._kept
            assert connection.sync_connection
            own = driver(connection.sync_connection)
            try:
                yield connection, own
            except BaseException as error:
                if not isinstance(error, StoreError) and sqlstate(error)[:2] in NOT_OF_A_STATEMENT:
                    self._kept = None
                    own.terminate()
                    await connection.invalidate()
                    await connection.close()
                raise
            finally:
                if self._kept and connection.in_transaction():
                    await connection.rollback()  # SQLAlchemy's: the driver's has ended

    async def close(self) -> None:
        """Close the connection, and the engine's others."""
        if self._kept:
            await self._kept.close()
        await self._engine.dispose()
