from typing import Any

import msgspec
import pytest

from chart_app.model.bounds import Count, Number, Offset, OpenTime, PartitionId, Time

END_OF_9999_MS = 253_402_300_799_999
START_OF_YEAR_1_MS = -62_135_596_800_000


def is_taken(type_: Any, value: Any) -> bool:
    """Return whether msgspec takes a value for one of a type."""
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=type_)
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("type_", "first", "last"),
    [
        (Time, 0, END_OF_9999_MS),
        (OpenTime, START_OF_YEAR_1_MS, END_OF_9999_MS),
        (Count, 0, 2**63 - 1),
        (PartitionId, 0, 4095),
        (Offset, 0, 2**41 - 1),
    ],
)
def test_a_live_message_has_numbers_that_readers_can_count_with(
    type_: Any, first: int, last: int
) -> None:
    around = (first - 1, first, last, last + 1)
    assert [is_taken(type_, it) for it in around] == [False, True, True, False]


def test_a_live_message_has_decimals_as_texts_of_at_most_200_characters() -> None:
    values = ("9" * 200, "9" * 201, 9)
    assert [is_taken(Number, it) for it in values] == [True, False, False]
