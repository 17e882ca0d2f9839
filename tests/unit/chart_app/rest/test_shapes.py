from decimal import Decimal
from typing import Any

from chart_app.model import binance_formats
from chart_app.model.coins import Coin, Day
from chart_app.model.trades import PublicTrade
from chart_app.rest import shapes
from chart_app.rest.market import Market

LARGEST = Decimal("999999999999999999.99999999999999999999")
SMALLEST = Decimal("1E-18")


def day(**changes: Any) -> Day:
    """Return a day."""
    prices = dict.fromkeys(["open", "high", "low", "close"], Decimal("1.50"))
    volumes = {"volume": Decimal(3), "quote_volume": Decimal("4.50")}
    whole = Day(Coin("BTC", 2, 3), 1, 2, **prices, **volumes, trades=7)
    return whole._replace(**changes)


def test_a_trade_has_its_exact_quote_quantity() -> None:
    trade = binance_formats.trade_row(PublicTrade(5, 6, "0.000000000000000001", "1.50"))
    assert trade["price"] == "0.000000000000000001"
    assert trade["quoteQty"] == "0.00000000000000000150"


def test_a_change_is_told_in_numbers_and_in_percent() -> None:
    ticker = shapes.ticker(day(open=Decimal(3), close=Decimal("1.50")))
    assert (ticker["priceChange"], ticker["priceChangePercent"]) == ("-1.50", "-50.000")


def test_the_average_price_is_rounded_to_eight_places_at_least() -> None:
    assert shapes.ticker(day(volume=Decimal(7)))["weightedAvgPrice"] == "0.64285714"
    fine = Coin("BTC", 20, 3)
    assert shapes.ticker(day(coin=fine))["weightedAvgPrice"] == "1.50000000000000000000"


def test_extreme_numbers_make_a_ticker_too() -> None:
    ticker = shapes.ticker(
        day(open=SMALLEST, close=LARGEST, volume=SMALLEST, quote_volume=LARGEST * 10**18)
    )
    for name in ("priceChange", "priceChangePercent", "weightedAvgPrice", "quoteVolume"):
        assert "E" not in ticker[name]
        assert Decimal(ticker[name]) > 10**17


def test_a_symbol_has_the_steps_of_its_coin() -> None:
    symbol = shapes.symbol(Coin("X", 0, 20), Market("X", "USD"))
    price, lot = symbol["filters"]
    assert price["tickSize"] == price["minPrice"] == "1"
    assert lot["stepSize"] == lot["minQty"] == "0.00000000000000000001"
