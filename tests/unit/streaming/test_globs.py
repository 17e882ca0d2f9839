import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.globs import CACHED_VERDICTS_MAX, matches, matches_any, one_of

NAMES = st.text("ab*?", max_size=12)
#: The worst case takes some ms.
LIMIT_S = 2.0


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        *(("*", ""), ("*", "BTC"), ("BTC*", "BTC"), ("BTC*", "BTC-USD"), ("*USD", "BTC-USD")),
        *(("B*C*D", "BTC-USD"), ("B?C", "BTC"), ("a?b", "a b"), ("BTC", "BTC"), ("**", "x")),
        *(("비트*", "비트코인"), ("a.c", "a.c"), ("[a]", "[a]"), ("*a*b", "xaab")),
    ],
)
def test_a_glob_matches(glob: str, name: str) -> None:
    assert matches(glob, name)


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        *(("BTC*", "btc"), ("BTC*", "XBTC"), ("*USD", "USDT"), ("B?C", "BC"), ("", "a")),
        *(("a.c", "abc"), ("[a]", "a"), ("BTC", "BTC "), ("B*C*D", "BTC-USDT"), ("?", "")),
    ],
)
def test_a_glob_does_not_match(glob: str, name: str) -> None:
    assert not matches(glob, name)


@given(st.text("ab*?", max_size=8), NAMES)
def test_it_is_as_fnmatch_has_it(glob: str, name: str) -> None:
    assert matches(glob, name) is fnmatch.fnmatchcase(name, glob)


def test_one_of_several_is_enough() -> None:
    assert matches_any(("ETH*", "BTC*"), "BTC-USD")
    assert not matches_any(("ETH*", "BTC*"), "SOL")
    assert not matches_any((), "SOL")


def test_the_worst_case_is_bounded() -> None:
    start = time.process_time()
    for glob in (
        "*a" * 31 + "b",
        "*" + "a" * 62 + "b",
        "?" + "*a" * 31 + "b",
        "*" + "a" * 61 + "?b",
    ):
        assert not matches(glob, "a" * 64)
    assert time.process_time() - start < LIMIT_S


def test_where_every_name_matches_there_is_nothing_to_ask() -> None:
    assert one_of(["BTC", "*"]) is None
    match = one_of(["BTC*", "ETH-USD"])
    assert match
    names = ("BTC", "BTC-USD", "ETH", "ETH-USD", "")
    assert [it for it in names if match(it)] == ["BTC", "BTC-USD", "ETH-USD"]


def test_a_bounded_number_of_verdicts_is_kept() -> None:
    for number in range(CACHED_VERDICTS_MAX + 10):
        assert matches_any(("BTC*",), f"BTC{number}")
    assert matches_any.cache_info().currsize == CACHED_VERDICTS_MAX
