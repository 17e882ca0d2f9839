"""The tests that are to begin first."""

import pytest

from tests.programs import ROOT
from tests.schedule import LONGEST, file, name, place


@pytest.mark.parametrize("unit", LONGEST)
def test_what_is_to_begin_first_exists(unit: str) -> None:
    text = (ROOT / file(unit)).read_text()
    assert f"def {unit.partition('::')[2]}(" in text or unit == file(unit)


def test_the_longest_begin_first_and_unit_tests_last() -> None:
    others = ["tests/unit/test_records.py::test_x", "tests/integration/test_udf.py::test_x[1]"]
    tests = [*others, *(f"{unit}::test_x" if unit == file(unit) else unit for unit in LONGEST)]
    assert sorted(tests, key=place) == [*tests[2:], *reversed(others)]
    assert name("a.py::test[b::c]") == "a.py::test"
