"""What keeps a part of the program from its work: told to health, and logged."""

import logging


class Trouble:
    """A reason, or None. Logged when it comes, when it changes, and when it is over."""

    def __init__(
        self,
        logger: logging.Logger,
        over: str,
        reason: str | None = None,
        level: int = logging.ERROR,
    ) -> None:
        """``over`` is the line that says that all is well; the first ``reason`` is not logged."""
        self._logger = logger
        self._over = over
        self._reason = reason
        self._level = level

    def check(self) -> str | None:
        """Return what is wrong, or None."""
        return self._reason

    def note(self, reason: str | None) -> None:
        """Take it that this is wrong now, or nothing any more."""
        if reason and reason != self._reason:
            self._logger.log(self._level, "%s", reason)
        elif self._reason and not reason:
            self._logger.info("%s", self._over)
        self._reason = reason
