import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chart_app.model.intervals import Interval
from chart_app.rest import parameters
from chart_app.rest.parameters import BadRequest

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
    assert error in {None, -1100, -1121}
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
