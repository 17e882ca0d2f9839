from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chart_app.model.intervals import DAY_MS, HOUR_MS, MINUTE_MS, Interval
from chart_app.model.zones import MAX_PIECES, PIECES, ZonedInterval, parse_offset

MIN_MS = -62_135_596_800_000  # the year 1
MAX_MS = 253_402_300_799_999  # the end of the year 9999

zoned = st.builds(
    ZonedInterval,
    st.sampled_from(Interval),
    st.integers(-12 * 60, 14 * 60).map(lambda minutes: minutes * MINUTE_MS),
)
times = st.integers(MIN_MS, MAX_MS)


def at(text: str) -> int:
    """Return a time in ms."""
    return int(datetime.fromisoformat(text).timestamp()) * 1000


@given(zoned, times)
def test_the_pieces_of_a_bucket_are_all_of_it_only(buckets: ZonedInterval, time: int) -> None:
    open_time = buckets.open_time(time)
    end = buckets.end_time(open_time)
    assert open_time <= time < end
    pieces = list(buckets.pieces(open_time))
    assert len(pieces) <= MAX_PIECES
    for piece in pieces:
        assert piece.open_time == open_time
        assert piece.interval.open_time(open_time) == open_time, "there is such a candle"
        open_time = piece.interval.end_time(open_time)
    assert open_time == end


@given(zoned, times)
def test_a_bucket_is_found_by_any_candle_that_shares_time_with_it(
    buckets: ZonedInterval, time: int
) -> None:
    stored = buckets.interval.open_time(time)
    found = list(buckets.overlapping(stored))
    assert buckets.open_time(time) in found
    assert len(found) <= 2


@given(zoned, times)
def test_buckets_follow_each_other(buckets: ZonedInterval, time: int) -> None:
    open_time = buckets.open_time(time)
    end = buckets.end_time(open_time)
    assert buckets.open_time(end) == end
    assert buckets.back(end, 1) == open_time
    assert list(buckets.open_times(open_time, end + 1)) == [open_time, end]


@pytest.mark.parametrize("interval", Interval)
def test_with_the_clocks_of_utc_buckets_are_those_that_are_stored(interval: Interval) -> None:
    assert ZonedInterval(interval, 0).is_stored
    time = at("2024-02-29T13:47:11+00:00")
    assert ZonedInterval(interval, 0).open_time(time) == interval.open_time(time)


@pytest.mark.parametrize(
    ("interval", "hours", "is_stored"),
    [
        *((Interval.H1, 9, True), (Interval.H1, 5.5, False), (Interval.M30, 5.5, True)),
        *((Interval.H8, 8, True), (Interval.H12, -12, True), (Interval.D1, 12, False)),
        *((Interval.M15, 5.75, True), (Interval.M30, 5.75, False), (Interval.W1, 1, False)),
        *((Interval.MONTH, 1, False), (Interval.D3, 12, False)),
    ],
)
def test_a_zone_changes_nothing_for_intervals_that_divide_its_offset(
    interval: Interval, hours: float, is_stored: bool
) -> None:
    assert ZonedInterval(interval, int(hours * HOUR_MS)).is_stored is is_stored


@pytest.mark.parametrize(
    ("interval", "opens", "ends"),
    [
        (Interval.D1, "2024-02-29", "2024-03-01"),
        (Interval.W1, "2024-02-26", "2024-03-04"),
        (Interval.MONTH, "2024-02-01", "2024-03-01"),
    ],
)
@pytest.mark.parametrize("zone", ["+09:00", "-05:00", "+05:30"])
def test_days_weeks_and_months_begin_at_midnight_of_the_zone(
    interval: Interval, opens: str, ends: str, zone: str
) -> None:
    offset = parse_offset(zone)
    assert offset is not None
    buckets = ZonedInterval(interval, offset)
    open_time = buckets.open_time(at(f"2024-02-29T12:00:00{zone}"))
    assert open_time == at(f"{opens}T00:00:00{zone}")
    assert buckets.end_time(open_time) == at(f"{ends}T00:00:00{zone}")


def test_the_pieces_of_a_day_in_korea() -> None:
    buckets = ZonedInterval(Interval.D1, 9 * HOUR_MS)
    open_time = at("2024-02-29T00:00:00+09:00")
    hours = [
        (piece.interval.value, (piece.open_time - open_time) // HOUR_MS)
        for piece in buckets.pieces(open_time)
    ]
    assert hours == [("1h", 0), ("4h", 1), ("4h", 5), ("12h", 9), ("2h", 21), ("1h", 23)]


def test_each_piece_is_a_multiple_of_the_one_before() -> None:
    lengths = [interval.end_time(0) for interval in PIECES]
    assert all(longer % shorter == 0 for shorter, longer in pairwise(lengths))
    assert lengths[-1] == DAY_MS


def test_months_beyond_the_calendar_are_those_of_400_years_before() -> None:
    year_10000 = MAX_MS + 1
    assert Interval.MONTH.open_time(year_10000 + 5) == year_10000
    assert datetime.fromtimestamp((year_10000 - 146_097 * DAY_MS) / 1000, UTC).year == 9600
