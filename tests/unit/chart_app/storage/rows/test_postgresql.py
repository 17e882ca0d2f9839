from decimal import Decimal

from chart_app.model.trades import StoredTrade, Trades
from chart_app.storage.rows.forms import trade_columns
from chart_app.storage.rows.postgresql import ALL, MERGE_CANDLES, array_text, copy_text

COIN_IDS = {"BTC": 11, "ETH": 12}


def trade(coin: str, sender_id: str | None) -> StoredTrade:
    return StoredTrade(coin, 5, 6, 7, Decimal("1.50"), Decimal(2), sender_id, 8, "1.50", "2")


def test_a_trade_is_a_line_of_its_columns() -> None:
    trades = Trades.of([trade("BTC", "x"), trade("ETH", None), trade("BTC", "원")])
    assert copy_text(trade_columns(trades, COIN_IDS)).decode() == (
        "7\t5\t11\t1.50\t2\tx\n7\t5\t12\t1.50\t2\t\\N\n7\t5\t11\t1.50\t2\t원\n"
    )


def test_what_means_something_to_copy_is_escaped() -> None:
    trades = Trades.of([trade("BTC", "\\N"), trade("BTC", "\t\n\r\\."), trade("BTC", None)])
    assert copy_text(trade_columns(trades, COIN_IDS)).decode().split("\n") == [
        "7\t5\t11\t1.50\t2\t\\\\N",
        "7\t5\t11\t1.50\t2\t\\t\\n\\r\\\\.",
        "7\t5\t11\t1.50\t2\t\\N",
        "",
    ]


def test_candles_are_merged_by_one_statement_whatever_their_number() -> None:
    assert MERGE_CANDLES.startswith("INSERT INTO candles AS stored (coin, interval, open_time,")
    assert MERGE_CANDLES.count("$") == 16
    assert "high = greatest(stored.high, excluded.high)" in MERGE_CANDLES


def test_all_in_one_statement_has_a_parameter_for_each_column() -> None:
    assert [f"${number}::" in ALL for number in range(1, 29)] == [True] * 27 + [False]


def test_columns_are_texts_of_arrays() -> None:
    assert array_text([1, 2]) == "{1,2}"
    assert array_text(['a"\\', None, "NULL"]) == r'{"a\"\\",NULL,"NULL"}'
    assert array_text([]) == "{}"
