"""Files that are loaded at the start, and again whenever their content changes."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from mode import Service

logger = logging.getLogger(__name__)

POLL_INTERVAL_S = 1.0
#: Of each file. More than a chain of certificates or a file of keys has.
MAX_BYTES = 1024 * 1024


class InvalidFile(Exception):
    """A file cannot be read, or its content is not valid."""


class WatchedFiles(Service):
    """Files that belong together: what is loaded comes from all of them.

    Their contents are compared, not their times: a file may be rewritten, or replaced by renaming
    another or a symbolic link, as Kubernetes does.
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        name: str,
        paths: Sequence[Path],
        load: Callable[[Sequence[bytes]], None],
        interval_s: float = POLL_INTERVAL_S,
    ) -> None:
        """``load`` gets the contents, and raises ValueError if they are not valid.

        ``name`` stands for them in messages: that of their setting.
        """
        super().__init__()
        self._name = name
        self._paths = paths
        self._load = load
        self._interval_s = interval_s
        #: The contents that were loaded or found invalid, or why they could not be read.
        self._seen: list[bytes] | str | None = None

    def load_first(self) -> None:
        """Load the files. Raises :exc:`InvalidFile`."""
        self._seen = self._read()
        self._apply()

    @Service.task
    async def _poll(self) -> None:
        while not self.should_stop:
            await self.sleep(self._interval_s)
            await self.check()

    async def check(self) -> None:
        """Load the files again if they have changed; log if they cannot be loaded."""
        found = await asyncio.to_thread(self._read)
        if found == self._seen:
            return
        self._seen = found
        try:
            self._apply()
        except InvalidFile as error:
            logger.error("%s; what was loaded before stays in use", error)
        else:
            logger.info("%s: loaded again", self._name)

    def _apply(self) -> None:
        if isinstance(self._seen, str):
            raise InvalidFile(f"{self._name}: {self._seen}")
        try:
            self._load(self._seen or [])
        except ValueError as error:
            raise InvalidFile(f"{self._name}: {error}") from None

    def _read(self) -> list[bytes] | str:
        contents = []
        for path in self._paths:
            try:
                with path.open("rb") as file:
                    contents.append(file.read(MAX_BYTES + 1))
            except OSError as error:
                return f"{path} cannot be read: {error.strerror}"
            if len(contents[-1]) > MAX_BYTES:
                return f"{path} is larger than {MAX_BYTES} bytes"
        return contents
