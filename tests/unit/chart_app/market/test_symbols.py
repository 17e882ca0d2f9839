from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chart_app.market.assets import Market
from chart_app.market.symbols import SYMBOL, Symbol, step
from chart_app.model.coins import Coin


def test_a_symbol_has_the_steps_and_the_places_of_its_coin() -> None:
    symbol = SYMBOL.row(Symbol(Coin("X", 0, 20), Market("X", "USD")))
    price, lot = symbol["filters"]
    assert price["tickSize"] == price["minPrice"] == "1"
    assert lot["stepSize"] == lot["minQty"] == "0.00000000000000000001"
    assert (price["maxPrice"], lot["maxQty"]) == ("9000000000", "9000000000." + "0" * 20)
    assert (symbol["baseAssetPrecision"], symbol["quoteAssetPrecision"]) == (20, 0)


def test_a_robot_sees_that_a_symbol_is_traded_and_that_nothing_can_be_ordered() -> None:
    symbol = SYMBOL.row(Symbol(Coin("X", 0, 0), Market("X", "USD")))
    allowed = {name for name, value in symbol.items() if value is True}
    assert allowed == {"isSpotTradingAllowed"}
    assert (symbol["orderTypes"], symbol["permissionSets"]) == (["LIMIT", "MARKET"], [["SPOT"]])


@pytest.mark.parametrize(("places", "text"), [(0, "1"), (1, "0.1"), (2, "0.01"), (8, "0.00000001")])
def test_a_step_is_written_out(places: int, text: str) -> None:
    assert step(places) == text


@given(st.integers(0, 60))
def test_a_step_is_a_power_of_ten(places: int) -> None:
    assert Decimal(step(places)) == Decimal(1).scaleb(-places)
