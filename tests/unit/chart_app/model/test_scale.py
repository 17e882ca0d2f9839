from decimal import Decimal

import pytest

from chart_app.model.scale import Scale, decimal_places, scale_of


@pytest.mark.parametrize(
    ("number", "places"),
    [("1", 0), ("1.50", 2), ("1E-7", 7), ("1E+3", 0), ("1E+1", 0), ("0.10E+1", 1)],
)
def test_a_number_has_the_decimal_places_of_its_plain_digits(number: str, places: int) -> None:
    assert decimal_places(Decimal(number)) == places


def test_the_scale_of_trades_is_that_of_the_finest_price_and_of_the_finest_amount() -> None:
    prices, amounts = ("1", "2.125", "3E+2"), ("0.5", "1E+1", "4")
    assert scale_of(map(Decimal, prices), map(Decimal, amounts)) == Scale(3, 1)


@pytest.mark.parametrize(
    ("scale", "suffices"),
    [
        *((Scale(2, 3), True), (Scale(3, 3), True), (Scale(2, 4), True)),
        *((Scale(1, 3), False), (Scale(2, 2), False), (Scale(1, 9), False), (Scale(9, 2), False)),
        (None, False),
    ],
)
def test_a_scale_suffices_if_it_is_as_fine_in_price_and_in_amount(
    scale: Scale | None, suffices: bool
) -> None:
    assert Scale(2, 3).within(scale) is suffices
