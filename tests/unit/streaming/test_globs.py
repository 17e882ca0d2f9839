import fnmatch
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.globs import NAMES_KEPT, matches, one_of


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        ("*", ""),
        ("*", "BTC"),
        ("BTC", "BTC"),
        ("BTC*", "BTC"),
        ("BTC*", "BTC-USD"),
        ("*-USD", "BTC-USD"),
        ("B?C", "B*C"),
        ("?", "비"),
        ("*C*U*", "BTC-USD"),
        ("a*b", "abab"),
        ("[B]TC", "[B]TC"),
        ("*?", "x"),
    ],
)
def test_a_glob_matches_whole_names(glob: str, name: str) -> None:
    assert matches(glob, name)


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        ("BTC", "btc"),
        ("BTC", "BTC-USD"),
        ("BTC*", "ETH-BTC"),
        ("B?C", "BC"),
        ("?", ""),
        ("*?", ""),
        ("", "a"),
        ("[B]TC", "BTC"),
        ("a*b", "aba"),
        ("b", "*"),
        ("b?", "b"),
    ],
)
def test_a_glob_matches_nothing_else(glob: str, name: str) -> None:
    assert not matches(glob, name)


@given(st.text("ab*?", max_size=8), st.text("ab*?", max_size=12))
def test_a_glob_matches_what_pythons_own_does(glob: str, name: str) -> None:
    assert matches(glob, name) == bool(re.match(fnmatch.translate(glob), name))


def test_the_worst_glob_is_quick() -> None:
    glob = ("*a" * 32)[:63] + "b"
    names = ["a" * 64, "a" * 63 + "b", "ab" * 32]
    start = time.monotonic()
    for _ in range(100):
        for name in names:
            matches(glob, name)
            matches("*a*a*a*a*b", name)
    # At most 64 * 64 steps each: 0.5 ms. With backtracking it would be years.
    assert time.monotonic() - start < 20


def test_one_of_several_globs_is_to_match() -> None:
    match = one_of(["BTC*", "ETH-USD"])
    assert match
    names = ("BTC", "BTC-USD", "ETH", "ETH-USD", "")
    assert [it for it in names if match(it)] == ["BTC", "BTC-USD", "ETH-USD"]


def test_where_every_name_matches_there_is_nothing_to_ask() -> None:
    assert one_of(["BTC", "*"]) is None


def test_a_bounded_number_of_answers_is_kept() -> None:
    match: Any = one_of(["BTC*"])
    for number in range(NAMES_KEPT + 10):
        assert match(f"BTC{number}")
        assert not match(f"ETH{number}")
    assert match.cache_info().currsize == NAMES_KEPT
