"""Times: ms since the epoch, UTC."""

from datetime import UTC, datetime
from functools import lru_cache

#: The end of the year 9999, the last that ISO 8601 and Python's calendar have.
TIMESTAMP_MAX_MS = 253_402_300_799_999

_MILLISECONDS = [f".{ms:03d}Z" for ms in range(1000)]


def is_time(timestamp_ms: int) -> bool:
    """Return whether a trade can have this time."""
    return 0 <= timestamp_ms <= TIMESTAMP_MAX_MS


def format_time(timestamp_ms: int) -> str:
    """Return a time, at most :data:`TIMESTAMP_MAX_MS`, in ISO 8601."""
    seconds, ms = divmod(timestamp_ms, 1000)
    return _format_second(seconds) + _MILLISECONDS[ms]


@lru_cache(maxsize=1024)
def _format_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
