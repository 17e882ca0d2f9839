from decimal import Decimal, Inexact, InvalidOperation

import pytest

from chart_app.model.decimals import EXACT, plain


def test_a_sum_has_200_digits_and_none_is_lost_silently() -> None:
    one = Decimal(1)
    assert str(EXACT.add(Decimal("1E+199"), one)) == "1" + "0" * 198 + "1"
    with pytest.raises(Inexact):
        EXACT.add(Decimal("1E+200"), one)


def test_what_is_no_number_is_an_error() -> None:
    with pytest.raises(InvalidOperation):
        EXACT.subtract(Decimal("Infinity"), Decimal("Infinity"))


@pytest.mark.parametrize(
    ("number", "digits"), [("1E+3", "1000"), ("1E-18", "0." + "0" * 17 + "1"), ("0.50", "0.50")]
)
def test_plain_digits_have_no_exponent(number: str, digits: str) -> None:
    assert plain(Decimal(number)) == digits
