"""Waiting for the store at the start, and whether it answers since."""

import asyncio
import logging

from mode import Service
from sqlalchemy import select

from chart_app.storage.database import Database
from chart_app.storage.writer import DATABASE_ERRORS, Store, StoreUnavailable, WrongStore
from streaming.service import is_ending

logger = logging.getLogger(__name__)

RETRY_INTERVAL_S = 1.0
PING_INTERVAL_S = 1.0
PING_TIMEOUT_S = 3.0


class StoreGate(Service):
    """Lets the services behind it start once the store is there; closes it at the end."""

    logger = logger
    mundane_level = "debug"

    def __init__(self, store: Store, database: Database) -> None:
        super().__init__()
        self._store = store
        self._database = database
        self._trouble: str | None = "the store has not answered yet"

    def check(self) -> str | None:
        """Return None if the store answers, else what is wrong."""
        return self._trouble

    async def on_start(self) -> None:
        """Wait for the store, saying so; end the program if it is not one of ours."""
        while not is_ending(self):
            try:
                await self._store.open()
            except StoreUnavailable as error:
                self._note(f"the store does not answer: {error}")
                await asyncio.sleep(RETRY_INTERVAL_S)
            except WrongStore as error:
                logger.critical("%s", error)
                raise SystemExit(1) from None
            else:
                self._note(None)
                return

    @Service.task
    async def _ping(self) -> None:
        while not self.should_stop:
            try:
                async with asyncio.timeout(PING_TIMEOUT_S), self._database.reader.connect() as it:
                    await it.execute(select(1))
            except DATABASE_ERRORS as error:
                self._note(f"the store does not answer: {error!r}")
            else:
                self._note(None)
            await self.sleep(PING_INTERVAL_S)

    def _note(self, trouble: str | None) -> None:
        if trouble and self._trouble != trouble:
            logger.error("%s", trouble)
        elif self._trouble and not trouble:
            logger.info("The store answers")
        self._trouble = trouble

    async def on_stop(self) -> None:
        """Close the connections."""
        await self._database.close()
