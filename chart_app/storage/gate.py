"""Waits for the store at the start, and checks afterwards that it answers."""

import asyncio
import logging
import time

from mode import Service
from sqlalchemy import select

from chart_app.storage.database import Database
from chart_app.storage.errors import DATABASE_ERRORS, StoreUnavailable, WrongStore
from chart_app.storage.writer import StoreWriter
from streaming.deadlines import HELD_UP_S
from streaming.service import is_ending
from streaming.trouble import Trouble

logger = logging.getLogger(__name__)

RETRY_INTERVAL_S = 1.0
PING_INTERVAL_S = 1.0
PING_TIMEOUT_S = 3.0


class StoreGate(Service):
    """Lets the services after it start once the store is ready; closes the store at the end."""

    logger = logger
    mundane_level = "debug"

    def __init__(self, writer: StoreWriter, database: Database) -> None:
        super().__init__()
        self._writer = writer
        self._database = database
        self._trouble = Trouble(logger, "The store answers", "the store has not answered yet")

    def check(self) -> str | None:
        """Return None if the store answers, else what is wrong."""
        return self._trouble.check()

    async def on_start(self) -> None:
        """Wait for the store, and log that; end the program if it cannot use the store."""
        while not is_ending(self):
            try:
                await self._writer.open()
            except StoreUnavailable as error:
                self._trouble.note(f"the store does not answer: {error}")
                await asyncio.sleep(RETRY_INTERVAL_S)
            except WrongStore as error:
                logger.critical("%s", error)
                raise SystemExit(1) from None
            else:
                self._trouble.note(None)
                return

    @Service.task
    async def _ping(self) -> None:
        while not self.should_stop:
            due = time.monotonic() + PING_TIMEOUT_S
            try:
                async with (
                    asyncio.timeout(PING_TIMEOUT_S),
                    self._database.reader.connect() as connection,
                ):
                    await connection.execute(select(1))
            except DATABASE_ERRORS as error:
                if time.monotonic() > due + HELD_UP_S:
                    continue
                self._trouble.note(f"the store does not answer: {error!r}")
            else:
                self._trouble.note(None)
            await self.sleep(PING_INTERVAL_S)

    async def on_stop(self) -> None:
        """Close the connections."""
        await self._database.close()
