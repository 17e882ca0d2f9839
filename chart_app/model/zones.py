"""The buckets of an interval in a time zone, and of which stored candles they are made.

Candles are stored by UTC. In another zone a day, say, begins at another hour: it is put together
from shorter candles at its edges and longer ones between.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from chart_app.model.intervals import HOUR_MS, MINUTE_MS, Interval

#: The intervals that buckets are put together from. Each is a multiple of the one before.
PIECES = (
    *(Interval.M1, Interval.M5, Interval.M15, Interval.M30),
    *(Interval.H1, Interval.H2, Interval.H4, Interval.H12, Interval.D1),
)
_LENGTHS_MS = {interval: interval.end_time(0) for interval in PIECES}
#: Pieces of a bucket at most: a month's days, and at both of its edges some shorter ones.
MAX_PIECES = 31 + 2 * 13


_OFFSET = re.compile(r"([+-]?)([0-9]{1,2})(?::([0-5][0-9]))?").fullmatch
MIN_OFFSET_MS, MAX_OFFSET_MS = -12 * HOUR_MS, 14 * HOUR_MS


def parse_offset(text: str) -> int | None:
    """Return an offset from UTC in ms, of a text such as ``-1:00`` or ``+9``; None of another."""
    found = _OFFSET(text)
    if not found:
        return None
    sign, hours, minutes = found.groups(default="0")
    offset = (int(hours) * HOUR_MS + int(minutes) * MINUTE_MS) * (-1 if sign == "-" else 1)
    return offset if MIN_OFFSET_MS <= offset <= MAX_OFFSET_MS else None


class Piece(NamedTuple):
    """A stored candle of a coin: its interval and its open time (ms)."""

    interval: Interval
    open_time: int


class ZonedInterval(NamedTuple):
    """An interval whose buckets begin by the clocks of a zone. Times are ms since the epoch.

    ``offset_ms`` is what these clocks are ahead of UTC, a number of whole minutes.
    """

    interval: Interval
    offset_ms: int

    @property
    def is_stored(self) -> bool:
        """Return whether its buckets are those of UTC."""
        return self.offset_ms % self.interval.end_time(0) == 0

    def open_time(self, time_ms: int) -> int:
        """Return the open time of the bucket that contains a time."""
        return self.interval.open_time(time_ms + self.offset_ms) - self.offset_ms

    def end_time(self, open_time: int) -> int:
        """Return the end of the bucket that opens at ``open_time``."""
        return self.interval.end_time(open_time + self.offset_ms) - self.offset_ms

    def back(self, open_time: int, buckets: int) -> int:
        """Return the open time of the bucket that is ``buckets`` before that at ``open_time``."""
        return self.interval.back(open_time + self.offset_ms, buckets) - self.offset_ms

    def open_times(self, start: int, end: int) -> Iterator[int]:
        """Yield the open times of the buckets from ``start`` up to, but not including, ``end``."""
        open_time = start
        while open_time < end:
            yield open_time
            open_time = self.end_time(open_time)

    def pieces(self, open_time: int) -> Iterator[Piece]:
        """Yield the candles that make up a bucket, as few as there can be."""
        end = self.end_time(open_time)
        while open_time < end:
            for interval in reversed(PIECES):
                length = _LENGTHS_MS[interval]
                if open_time % length == 0 and open_time + length <= end:
                    yield Piece(interval, open_time)
                    open_time += length
                    break

    def overlapping(self, stored_open_time: int) -> Iterator[int]:
        """Yield the open times of the buckets that share time with one of the same interval by UTC.

        They are one or two, and so are the buckets by UTC that share time with one of these.
        """
        first = self.open_time(stored_open_time)
        return self.open_times(first, self.interval.end_time(stored_open_time))


#: Whose buckets begin and end by UTC, or by a zone.
Buckets = Interval | ZonedInterval
