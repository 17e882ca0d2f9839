"""The state of a part of the program that may fail: reported by health, and logged."""

import logging


class Trouble:
    """The reason why something does not work, or None; logged whenever it changes."""

    def __init__(
        self,
        logger: logging.Logger,
        over: str,
        reason: str | None = None,
        level: int = logging.ERROR,
    ) -> None:
        """``over`` is logged when the trouble ends; the initial ``reason`` is not logged."""
        self._logger = logger
        self._over = over
        self._reason = reason
        self._level = level

    def check(self) -> str | None:
        """Return what is wrong, or None."""
        return self._reason

    def note(self, reason: str | None) -> None:
        """Set the current reason, None if there is none any more."""
        if reason and reason != self._reason:
            self._logger.log(self._level, "%s", reason)
        elif self._reason and not reason:
            self._logger.info("%s", self._over)
        self._reason = reason
