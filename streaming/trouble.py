"""What keeps a part of the program from working: shown by the health check, and logged."""

import logging


class Trouble:
    """The reason why a part does not work, or None. Logged when it begins and when it is over."""

    def __init__(
        self,
        logger: logging.Logger,
        over: str,
        reason: str | None = None,
        level: int = logging.ERROR,
    ) -> None:
        """``over`` is the log line for the recovery; the initial ``reason`` is not logged."""
        self._logger = logger
        self._over = over
        self._reason = reason
        self._level = level
        self._is_logged = False

    def check(self) -> str | None:
        """Return the reason, or None."""
        return self._reason

    def note(self, reason: str | None) -> None:
        """Record the current reason, or that there is none any more."""
        if reason and not self._is_logged:
            self._logger.log(self._level, "%s", reason)
        elif self._reason and not reason:
            self._logger.info("%s", self._over)
        self._reason = reason
        self._is_logged = reason is not None

    def clear(self) -> None:
        """Forget the reason without a log line: whether it is over is unknown."""
        self._reason = None
        self._is_logged = False
