"""A column is declared once: what is made of it elsewhere follows."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chart_app.model import candles, trades
from chart_app.model.binance import klines
from chart_app.model.binance.klines import Kline
from chart_app.model.candles import Candle, CandleKey, Mark, PublicCandle
from chart_app.model.columns import Column
from chart_app.model.intervals import Interval
from chart_app.model.scale import Scale
from chart_app.model.trades import PublicTrade, StoredTrade, Trades
from chart_app.rest.openapi_schemas import SCHEMAS
from chart_app.storage import schema
from chart_app.storage.rows.forms import candle_row, read_candle

numbers = st.decimals("1e-18", "999999999999999999", allow_nan=False, places=18)
integers = st.integers(0, 2**53)
marks = st.builds(Mark, integers, st.integers(-(10**63), 10**64), integers, numbers)
any_candle = st.builds(Candle, marks, marks, numbers, numbers, numbers, numbers, integers)
KEY = CandleKey("BTC", Interval.MONTH, 0)


@given(any_candle)
def test_a_candle_comes_back_from_its_columns(candle: Candle) -> None:
    assert candles.from_columns(candles.column_values(candle)) == candle


@given(any_candle)
def test_a_candle_comes_back_from_its_row(candle: Candle) -> None:
    assert read_candle(candle_row(KEY, candle)) == (KEY, candle)


@pytest.mark.parametrize(
    ("table", "columns"), [("candles", candles.COLUMNS), ("trades", trades.COLUMNS)]
)
def test_the_tables_have_all_columns(table: str, columns: tuple[Column, ...]) -> None:
    stored = schema.metadata.tables[table].columns
    for column in columns:
        assert stored[column.name].nullable == column.is_nullable


def test_what_is_served_of_a_candle_and_of_a_trade_are_columns() -> None:
    candle_columns = {column.name for column in candles.COLUMNS}
    assert candle_columns >= {*PublicCandle.__struct_fields__} - {"interval", "open_time"}
    assert {it.name for it in trades.COLUMNS} >= {*PublicTrade.__struct_fields__}


@given(any_candle)
def test_a_candle_is_broadcast_with_its_digits(candle: Candle) -> None:
    public = PublicCandle.of(KEY, candle)
    assert Decimal(public.open) == candle.open
    assert Decimal(public.volume) == candle.volume
    assert (public.trades, public.last_id) == (candle.trades, candle.last.id)


@given(any_candle)
def test_a_row_of_klines_and_its_event_say_the_same(candle: Candle) -> None:
    kline = Kline(PublicCandle.of(KEY, candle), KEY.interval.end_time(0), Scale(0, 0))
    row = klines.kline_row(kline)
    event = klines.kline_event("BTC", kline, 0, closed=True, now_ms=0)
    assert row == [event["k"][field.key] for field in klines.KLINE.fields]
    assert "".join(event["k"]) == "tTsifLochlvnxqVQB", "as Binance has them"
    assert row[klines.CLOSE_TIME_INDEX] == 31 * 86_400_000 - 1


def test_openapi_describes_each_field_of_a_kline() -> None:
    kline = SCHEMAS["Kline"]
    assert kline["minItems"] == kline["maxItems"] == len(klines.KLINE.fields)
    for field in klines.KLINE.fields:
        assert str(field.name) in kline["description"]


def test_the_rows_of_trades_are_what_is_served() -> None:
    stored = StoredTrade("BTC", 5, 6, 7, Decimal("1.50"), Decimal(2), "x", 8, "1.50", "2")
    assert list(trades.public_rows(Trades.of([stored]))) == [(7, 5, "1.50", "2")]


def test_candles_see_of_a_trade_its_place_in_time_and_its_numbers() -> None:
    stored = StoredTrade("BTC", 5, 6, 7, Decimal("1.50"), Decimal(2), "x", 8, "1.50", "2")
    assert list(Trades.of([stored]).ticks()) == [(5, 6, 7, Decimal("1.50"), Decimal(2))]
