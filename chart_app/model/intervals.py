"""The intervals of candles, and where their buckets begin and end.

All times are ms since the epoch, UTC. Up to three days a bucket begins at a multiple of its
length since the epoch; weeks begin on Monday and months on the 1st, by the calendar.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
#: The epoch was a Thursday; this is the Monday before it.
FIRST_MONDAY_MS = -3 * DAY_MS


class Interval(StrEnum):
    """An interval, named as in Binance's API. Iterating yields the shortest first."""

    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H2 = "2h"
    H4 = "4h"
    H6 = "6h"
    H8 = "8h"
    H12 = "12h"
    D1 = "1d"
    D3 = "3d"
    W1 = "1w"
    MONTH = "1M"

    #: That of the text, to which it is equal; Enum's own takes ten times as long.
    __hash__ = str.__hash__

    def open_time(self, time_ms: int) -> int:
        """Return the open time of the bucket that contains a time."""
        if self is Interval.MONTH:
            return _month(time_ms // DAY_MS)[0]
        origin = FIRST_MONDAY_MS if self is Interval.W1 else 0
        return time_ms - (time_ms - origin) % _LENGTHS_MS[self]

    def end_time(self, open_time: int) -> int:
        """Return the end of the bucket that opens at ``open_time``: the next one's open time."""
        if self is Interval.MONTH:
            return _month(open_time // DAY_MS)[1]
        return open_time + _LENGTHS_MS[self]

    def back(self, open_time: int, buckets: int) -> int:
        """Return the open time of the bucket that is ``buckets`` before that at ``open_time``."""
        if self is Interval.MONTH:
            for _ in range(buckets):
                open_time = self.open_time(open_time - 1)
            return open_time
        return open_time - buckets * _LENGTHS_MS[self]

    def open_times(self, start: int, end: int) -> Iterator[int]:
        """Yield the open times of the buckets from ``start`` up to, but not including, ``end``."""
        open_time = start
        while open_time < end:
            yield open_time
            open_time = self.end_time(open_time)


_LENGTHS_MS = {
    Interval.M1: MINUTE_MS,
    Interval.M3: 3 * MINUTE_MS,
    Interval.M5: 5 * MINUTE_MS,
    Interval.M15: 15 * MINUTE_MS,
    Interval.M30: 30 * MINUTE_MS,
    Interval.H1: HOUR_MS,
    Interval.H2: 2 * HOUR_MS,
    Interval.H4: 4 * HOUR_MS,
    Interval.H6: 6 * HOUR_MS,
    Interval.H8: 8 * HOUR_MS,
    Interval.H12: 12 * HOUR_MS,
    Interval.D1: DAY_MS,
    Interval.D3: 3 * DAY_MS,
    Interval.W1: WEEK_MS,
}

#: The shorter interval that each interval is merged from: its buckets nest in the longer one's.
MADE_OF = {
    Interval.M3: Interval.M1,
    Interval.M5: Interval.M1,
    Interval.M15: Interval.M5,
    Interval.M30: Interval.M15,
    Interval.H1: Interval.M30,
    Interval.H2: Interval.H1,
    Interval.H4: Interval.H2,
    Interval.H6: Interval.H2,
    Interval.H8: Interval.H4,
    Interval.H12: Interval.H4,
    Interval.D1: Interval.H12,
    Interval.D3: Interval.D1,
    Interval.W1: Interval.D1,
    Interval.MONTH: Interval.D1,
}


#: The calendar repeats itself after 400 years. So that a datetime, which ends with the year 9999,
#: serves for any time, what is looked up is the same day of the 400 years from 1970 on.
CALENDAR_CYCLE_DAYS = 146_097


@lru_cache(maxsize=1024)
def _month(day: int) -> tuple[int, int]:
    """Return the start and end (ms) of the month of a day, counted since the epoch."""
    date = datetime.fromtimestamp(day % CALENDAR_CYCLE_DAYS * DAY_MS // 1000, UTC)
    start = day - (date.day - 1)
    return start * DAY_MS, (start + monthrange(date.year, date.month)[1]) * DAY_MS
