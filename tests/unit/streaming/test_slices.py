from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from streaming.slices import slices


def size_of(items: Sequence[str]) -> int:
    """Return the characters of items."""
    return sum(map(len, items))


texts = st.lists(st.text("x", max_size=20), max_size=50)


@given(texts, st.integers(1, 10), st.integers(1, 40))
def test_slices_are_all_items_in_order_and_none_is_too_large(
    items: list[str], count: int, size: int
) -> None:
    parts = list(slices(items, count, size, size_of))
    assert [item for part in parts for item in part] == items
    for part in parts:
        assert 0 < len(part) <= count
        assert len(part) == 1 or sum(map(len, part)) <= size


def test_what_is_small_is_cut_by_its_number_only() -> None:
    assert [len(part) for part in slices(["x"] * 25, 10, 10, size_of)] == [10, 10, 5]


def test_an_item_that_is_too_large_comes_alone() -> None:
    assert list(slices(["x", "xxxx", "x"], 10, 3, size_of)) == [["x"], ["xxxx"], ["x"]]
