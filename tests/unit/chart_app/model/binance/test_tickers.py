from decimal import Decimal
from typing import Any

from chart_app.model.binance.tickers import (
    AVERAGE_PRICE,
    BOOK_TICKER,
    TICKER,
    WINDOW_TICKER,
    LastPrice,
    Ticker,
    average_price_event,
    book_ticker_event,
    mini_ticker_event,
    ticker_event,
)
from chart_app.model.candles import PublicCandle
from chart_app.model.coins import Coin, Window
from chart_app.model.intervals import Interval
from chart_app.model.scale import Scale

LARGEST = Decimal("999999999999999999.99999999999999999999")
SMALLEST = Decimal("1E-18")


WINDOW = Window(
    Coin("BTC", price_scale=2, amount_scale=3),
    open_time=1,
    close_time=2,
    last_time=1,
    **dict.fromkeys(["open", "high", "low", "close"], Decimal("1.5")),
    volume=Decimal(3),
    quote_volume=Decimal("4.50"),
    trades=7,
    first_id=10,
    last_id=16,
    previous_close=Decimal(1),
    last_amount=Decimal(2),
)


def show(**changes: Any) -> dict[str, Any]:
    """Return the ticker of a window."""
    return TICKER.row(Ticker(WINDOW._replace(**changes)))


def test_a_ticker_has_the_fields_of_binance_with_the_places_of_the_coin() -> None:
    assert show() == {
        "symbol": "BTC",
        "priceChange": "0.00",
        "priceChangePercent": "0.000",
        "weightedAvgPrice": "1.50000000",
        "prevClosePrice": "1.00",
        "lastPrice": "1.50",
        "lastQty": "2.000",
        "bidPrice": "1.50",
        "bidQty": "0.000",
        "askPrice": "1.50",
        "askQty": "0.000",
        "openPrice": "1.50",
        "highPrice": "1.50",
        "lowPrice": "1.50",
        "volume": "3.000",
        "quoteVolume": "4.50000",
        "openTime": 1,
        "closeTime": 2,
        "firstId": 10,
        "lastId": 16,
        "count": 7,
    }


def test_what_is_not_known_is_0() -> None:
    ticker = show(previous_close=None, last_amount=None)
    assert (ticker["prevClosePrice"], ticker["lastQty"]) == ("0.00", "0.000")


def test_a_change_is_told_in_numbers_and_in_percent() -> None:
    ticker = show(open=Decimal(3), close=Decimal("1.50"))
    assert (ticker["priceChange"], ticker["priceChangePercent"]) == ("-1.50", "-50.000")


def test_the_average_price_is_rounded_to_eight_places_at_least() -> None:
    assert show(volume=Decimal(7))["weightedAvgPrice"] == "0.64285714"
    fine = Coin("BTC", 20, 3)
    assert show(coin=fine)["weightedAvgPrice"] == "1.50000000000000000000"


def test_extreme_numbers_make_a_ticker_too() -> None:
    ticker = show(open=SMALLEST, close=LARGEST, volume=SMALLEST, quote_volume=LARGEST * 10**18)
    for name in ("priceChange", "priceChangePercent", "weightedAvgPrice", "quoteVolume"):
        assert "E" not in ticker[name]
        assert Decimal(ticker[name]) > 10**17


def test_times_may_be_in_microseconds() -> None:
    row = TICKER.row(Ticker(WINDOW), 1000)
    assert (row["openTime"], row["closeTime"], row["count"]) == (1000, 2000, 7)


def test_events_have_the_same_values_under_binances_short_keys() -> None:
    ticker = Ticker(WINDOW)
    row, event = TICKER.row(ticker), ticker_event(ticker, 1)
    assert event.pop("e") == "24hrTicker"
    assert event.pop("E") == 1
    assert list(event.values()) == list(row.values())
    assert "".join(event) == "spPwxcQbBaAohlvqOCFLn", "as Binance has them"
    assert mini_ticker_event(ticker, 1) == {
        "e": "24hrMiniTicker",
        "E": 1,
        **{key: event[key] for key in "scohlvq"},
    }


def test_the_event_of_a_window_that_is_over_has_the_time_of_its_end() -> None:
    ticker = Ticker(WINDOW)
    for event in (ticker_event(ticker, 9), mini_ticker_event(ticker, 9)):
        assert event["E"] == WINDOW.close_time == 2


def test_an_average_has_the_time_of_the_last_trade() -> None:
    ticker = Ticker(WINDOW)
    assert AVERAGE_PRICE.row(ticker, 1000) == {
        "mins": 5,
        "price": "1.50000000",
        "closeTime": 1000,
    }
    assert average_price_event(ticker, 9) == {
        "e": "avgPrice",
        "E": 9,
        "s": "BTC",
        "i": "5m",
        "w": "1.50000000",
        "T": 1,
    }


def test_a_book_ticker_is_the_last_price() -> None:
    assert BOOK_TICKER.row(Ticker(WINDOW)) == {
        "symbol": "BTC",
        "bidPrice": "1.50",
        "bidQty": "0.000",
        "askPrice": "1.50",
        "askQty": "0.000",
    }
    candle = PublicCandle(Interval.MONTH, 0, "1", "3", "0.5", "1.5", "10", "20.5", 4, 100, 103)
    assert book_ticker_event(LastPrice("BTC", candle, Scale(2, 3))) == {
        "u": 103,
        "s": "BTC",
        "b": "1.50",
        "B": "0.000",
        "a": "1.50",
        "A": "0.000",
    }


def test_the_ticker_of_a_window_says_nothing_of_bid_and_ask() -> None:
    row = WINDOW_TICKER.row(Ticker(WINDOW))
    assert not row.keys() & {"bidPrice", "askPrice", "prevClosePrice", "lastQty"}
    assert len(row) == 15
