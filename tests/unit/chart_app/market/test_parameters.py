import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chart_app.market import parameters
from chart_app.market.parameters import BadRequest
from chart_app.model.intervals import DAY_MS, HOUR_MS, MINUTE_MS, Interval

texts = st.text(max_size=100)


def attempt(read: Callable[..., Any], *arguments: Any) -> tuple[Any, int | None]:
    """Return what reading a parameter returns and None, or None and the error's code."""
    try:
        return read(*arguments), None
    except BadRequest as error:
        return None, error.code


def test_what_is_not_given_has_its_default() -> None:
    assert parameters.symbol({}) is None
    assert parameters.symbols({}) is None
    assert parameters.integer({}, "startTime") is None
    assert parameters.limit({}) == 500
    assert parameters.flag({}, "fill") is False
    assert attempt(parameters.required_symbol, {}) == (None, -1102)
    assert attempt(parameters.interval, {}) == (None, -1102)


@pytest.mark.parametrize("interval", Interval)
def test_intervals_are_named_exactly(interval: Interval) -> None:
    assert parameters.interval({"interval": interval.value}) is interval


@given(texts)
def test_any_symbol_is_taken_or_refused(text: str) -> None:
    symbol, error = attempt(parameters.symbol, {"symbol": text})
    assert error in ({-1105} if text == "" else {None, -1100, -1121})
    assert (error == -1121) <= (len(text) > 64)
    assert error or symbol == (text or None)


@given(texts | st.integers().map(str))
def test_any_integer_is_taken_or_refused(text: str) -> None:
    number, error = attempt(parameters.integer, {"x": text}, "x")
    assert error in {None, -1100}
    assert error or number == (int(text) if text else None)


@given(texts | st.lists(texts, max_size=3).map(json.dumps))
def test_any_list_of_symbols_is_taken_or_refused(text: str) -> None:
    symbols, error = attempt(parameters.symbols, {"symbols": text})
    assert error in {None, -1100, -1121}
    assert error or symbols == (json.loads(text) if text else None)


def test_more_symbols_than_may_be_are_refused() -> None:
    most = ["A"] * parameters.MAX_SYMBOLS
    assert parameters.symbols({"symbols": json.dumps(most)}) == most
    assert attempt(parameters.symbols, {"symbols": json.dumps([*most, "A"])}) == (None, -1130)


def test_limits_above_the_most_count_as_the_most() -> None:
    assert parameters.limit({"limit": "1001"}) == 1000
    assert attempt(parameters.limit, {"limit": "0"}) == (None, -1130)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        *(("0", 0), ("8", 8), ("+9", 9), ("-1:00", -1), ("05:45", 5.75), ("-12", -12)),
        *(("14:00", 14), ("+05:30", 5.5), ("-00:30", -0.5), (" 9", 9)),
    ],
)
def test_a_time_zone_is_an_offset_in_hours_and_minutes(text: str, hours: float) -> None:
    assert parameters.time_zone_ms({"timeZone": text}) == hours * HOUR_MS
    assert parameters.time_zone_ms({}) == 0


@pytest.mark.parametrize(
    "text",
    ["14:01", "-12:01", "15", "99:59", "8:60", "8:5", "Asia/Seoul", "+-1", "  1", "8 ", "１"],
)
def test_another_time_zone_is_an_error(text: str) -> None:
    assert attempt(parameters.time_zone_ms, {"timeZone": text})[1] in {-1100, -1130}


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [("1m", MINUTE_MS), ("59m", 59 * MINUTE_MS), ("23h", 23 * HOUR_MS), ("7d", 7 * DAY_MS)],
)
def test_a_window_is_of_minutes_hours_or_days(text: str, length_ms: int) -> None:
    assert parameters.window_ms({"windowSize": text}) == length_ms
    assert parameters.window_ms({}) == DAY_MS


@pytest.mark.parametrize("text", ["0m", "60m", "24h", "8d", "1w", "m", "-1m", "1 m", "100m"])
def test_another_window_is_an_error(text: str) -> None:
    assert attempt(parameters.window_ms, {"windowSize": text}) == (None, -1130)


def test_times_are_in_milliseconds_or_microseconds() -> None:
    assert parameters.ticks_per_ms({}) == 1
    assert parameters.ticks_per_ms({"timeUnit": "MICROSECOND"}) == 1000
    assert parameters.ticks_per_ms({"timeUnit": "microsecond"}) == 1000
    assert attempt(parameters.ticks_per_ms, {"timeUnit": "second"}) == (None, -1194)


def test_a_ticker_is_full_or_mini() -> None:
    assert not parameters.is_mini({})
    assert parameters.is_mini({"type": "MINI"})
    assert attempt(parameters.is_mini, {"type": "mini"}) == (None, -1130)
