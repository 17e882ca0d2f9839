"""Notices voids and their undo, and has the changed candles read again for the subscribers.

Each worker does so for its own subscribers: a void needs neither Kafka nor a worker.
"""

import logging
from collections import defaultdict
from typing import Protocol

from mode import Service

from chart_app.live.traded_minutes import Minutes
from chart_app.storage.errors import StoreUnavailable
from chart_app.storage.reader import StoreReader
from streaming.logs import quote_value

logger = logging.getLogger(__name__)

#: How often the store's revision is read, as long as there are subscribers: half of the second
#: within which they are told.
POLL_INTERVAL_S = 0.5
#: Minutes, the newest, of which the candles are corrected: 69 days. More would only take memory.
MAX_MINUTES = 100_000


class Subscribers(Protocol):
    """The subscribers of this worker's streams."""

    @property
    def has_subscribers(self) -> bool:
        """Return whether any stream has a subscriber."""

    def correct(self, minutes: Minutes) -> None:
        """Mark the candles of these minutes of each coin to be read again."""


class Corrections(Service):
    """Watches the store's revision."""

    logger = logger
    mundane_level = "debug"

    def __init__(self, reader: StoreReader, subscribers: Subscribers) -> None:
        super().__init__()
        self._reader = reader
        self._subscribers = subscribers
        #: The revision of which the subscribers have been told all.
        self._told: int | None = None

    async def on_start(self) -> None:
        """Begin with the revision of now: there are no subscribers yet."""
        await self._poll()

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            await self.sleep(POLL_INTERVAL_S)
            if self._subscribers.has_subscribers or self._told is None:
                await self._poll()

    async def _poll(self) -> None:
        try:
            revision = await self._reader.revision()
            if self._told is not None and revision > self._told:
                self._tell(await self._reader.voided_minutes(self._told, MAX_MINUTES))
        except StoreUnavailable as error:
            logger.debug("Could not read the store's revision: %s", error)  # the gate reports it
        else:
            self._told = revision

    def _tell(self, found: list[tuple[str, int]]) -> None:
        minutes: dict[str, set[int]] = defaultdict(set)
        for coin, minute in found:
            minutes[coin].add(minute)
        for coin, open_times in minutes.items():
            logger.info(
                "Trades of %s in %d minutes are void, or no longer void: correcting their candles",
                *(quote_value(coin), len(open_times)),
            )
        self._subscribers.correct(minutes)
