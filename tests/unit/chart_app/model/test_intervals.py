from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chart_app.model.intervals import DAY_MS, MADE_OF, Interval

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LENGTHS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}

#: Times that a trade may have: from the epoch to the year 9999.
times = st.integers(0, 253_402_300_799_999)
intervals = st.sampled_from(Interval)
at_any_time = given(intervals, times)


def ms(text: str) -> int:
    """Return a time of ISO 8601, UTC, in ms."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // MILLISECOND


def open_time_by_calendar(interval: Interval, time_ms: int) -> int:
    """Return the same as ``interval.open_time``, found with datetime."""
    time = EPOCH + time_ms * MILLISECOND
    midnight = time.replace(hour=0, minute=0, second=0, microsecond=0)
    if interval is Interval.MONTH:
        start = midnight.replace(day=1)
    elif interval is Interval.W1:
        start = midnight - timedelta(days=midnight.weekday())
    else:
        length = int(interval[:-1]) * LENGTHS[interval[-1]]
        start = EPOCH + (time - EPOCH) // length * length
    return (start - EPOCH) // MILLISECOND


@at_any_time
def test_buckets_begin_where_the_calendar_says(interval: Interval, time: int) -> None:
    assert interval.open_time(time) == open_time_by_calendar(interval, time)


@at_any_time
def test_a_time_lies_in_its_bucket(interval: Interval, time: int) -> None:
    open_time = interval.open_time(time)
    assert open_time <= time < interval.end_time(open_time)


@at_any_time
def test_buckets_follow_each_other_without_gap_or_overlap(interval: Interval, time: int) -> None:
    open_time = interval.open_time(time)
    end = interval.end_time(open_time)
    assert interval.open_time(end - 1) == open_time
    assert interval.back(end, 1) == open_time
    if end < ms("9999-12-31T00:00"):
        assert interval.open_time(end) == end


@given(intervals, st.integers(0, ms("2999-12-31")), st.integers(0, 50))
def test_going_back_is_the_opposite_of_counting_on(
    interval: Interval, time: int, count: int
) -> None:
    last = interval.open_time(time)
    first = interval.back(last, count)
    buckets = list(interval.open_times(first, last + 1))
    assert len(buckets) == count + 1
    assert (buckets[0], buckets[-1]) == (first, last)


@pytest.mark.parametrize("longer", MADE_OF)
@given(time=times)
def test_buckets_nest_in_those_of_the_next_rung(longer: Interval, time: int) -> None:
    shorter = MADE_OF[longer]
    open_time = shorter.open_time(time)
    assert longer.open_time(open_time) == longer.open_time(shorter.end_time(open_time) - 1)


def test_every_interval_but_the_shortest_is_made_of_a_shorter_one() -> None:
    assert list(Interval)[1:] == list(MADE_OF)
    made = {Interval.M1}
    for interval, source in MADE_OF.items():  # in this order they can be made
        assert source in made
        made.add(interval)


def test_intervals_are_named_as_in_binance_s_api() -> None:
    names = "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M"
    assert [it.value for it in Interval] == names.split()


def test_the_shortest_comes_first() -> None:
    lengths = [interval.end_time(interval.open_time(0)) for interval in Interval]
    assert all(one < other for one, other in pairwise(lengths))


@pytest.mark.parametrize(
    ("time", "monday"),
    [
        ("1970-01-01", "1969-12-29"),
        ("2024-02-29T12:00", "2024-02-26"),
        ("2024-12-30", "2024-12-30"),
        ("2025-01-01", "2024-12-30"),
        ("2026-11-22T23:59:59.999", "2026-11-16"),
        ("2026-11-23", "2026-11-23"),
    ],
)
def test_weeks_begin_on_monday(time: str, monday: str) -> None:
    assert Interval.W1.open_time(ms(time)) == ms(monday)


@pytest.mark.parametrize(
    ("time", "first", "next_first"),
    [
        ("1970-01-01", "1970-01-01", "1970-02-01"),
        ("2023-02-28T23:59:59.999", "2023-02-01", "2023-03-01"),
        ("2024-02-29T23:59:59.999", "2024-02-01", "2024-03-01"),
        ("2024-12-31", "2024-12-01", "2025-01-01"),
        ("2000-02-29", "2000-02-01", "2000-03-01"),
        ("2100-02-28", "2100-02-01", "2100-03-01"),
        ("2100-12-31T23:59:59.999", "2100-12-01", "2101-01-01"),
        ("9999-12-31T23:59:59.999", "9999-12-01", "9999-12-31"),
    ],
)
def test_months_begin_on_the_1st(time: str, first: str, next_first: str) -> None:
    assert Interval.MONTH.open_time(ms(time)) == ms(first)
    end = Interval.MONTH.end_time(ms(first))
    assert end == ms(next_first) + (DAY_MS if next_first.startswith("9999") else 0)


def test_the_century_year_2100_has_no_leap_day() -> None:
    february = ms("2100-02-01")
    assert Interval.MONTH.end_time(february) - february == 28 * DAY_MS


def test_three_days_count_from_the_epoch() -> None:
    assert Interval.D3.open_time(ms("1970-01-03T23:59")) == 0
    assert Interval.D3.open_time(ms("1970-01-04")) == 3 * DAY_MS


def test_before_the_epoch_there_are_buckets_too() -> None:
    assert Interval.M1.open_time(-1) == -60_000
    assert Interval.MONTH.open_time(-1) == ms("1969-12-01")


def test_going_back_over_months_goes_by_the_calendar() -> None:
    assert Interval.MONTH.back(ms("2024-03-01"), 1) == ms("2024-02-01")
    assert Interval.MONTH.back(ms("2024-03-01"), 12) == ms("2023-03-01")


def test_there_are_no_open_times_where_the_end_is_the_start() -> None:
    assert list(Interval.M1.open_times(60_000, 60_000)) == []
