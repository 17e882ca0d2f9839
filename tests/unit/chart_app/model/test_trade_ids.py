from hypothesis import given
from hypothesis import strategies as st

from chart_app.model.trade_ids import MAX_PARTITIONS, split, trade_id

#: The largest whole number up to which JavaScript's numbers are exact.
MAX_SAFE_INTEGER = 2**53 - 1
OFFSET_MAX = 2**41 - 1

partition_ids = st.integers(0, MAX_PARTITIONS - 1)
offsets = st.integers(0, OFFSET_MAX)


@given(partition_ids, offsets)
def test_an_id_says_its_partition_and_its_offset(partition_id: int, offset: int) -> None:
    assert split(trade_id(partition_id, offset)) == (partition_id, offset)


def test_ids_are_all_the_numbers_that_javascript_holds_exactly() -> None:
    assert trade_id(0, 0) == 0
    assert trade_id(1, 0) == trade_id(0, OFFSET_MAX) + 1
    assert trade_id(MAX_PARTITIONS - 1, OFFSET_MAX) == MAX_SAFE_INTEGER
    assert split(MAX_SAFE_INTEGER) == (MAX_PARTITIONS - 1, OFFSET_MAX)
