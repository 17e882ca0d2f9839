from decimal import Decimal

from chart_app.model.trades import StoredTrade, Trades
from chart_app.storage.rows.postgresql import MERGE_CANDLES, copy_text


def trade(coin: str, sender_id: str | None) -> StoredTrade:
    return StoredTrade(coin, 5, 6, 7, Decimal("1.50"), Decimal(2), sender_id, 8, "1.50", "2")


def test_a_trade_is_a_line_of_its_columns() -> None:
    trades = Trades.of([trade("BTC", "x"), trade("ETH", None), trade("원", "")])
    assert copy_text(trades).decode() == (
        "7\t5\tBTC\t1.50\t2\tx\n7\t5\tETH\t1.50\t2\t\\N\n7\t5\t원\t1.50\t2\t\n"
    )


def test_what_means_something_to_copy_is_escaped() -> None:
    trades = Trades.of([trade("a\\b", "\\N"), trade("c", "\t\n\r\\."), trade("d", None)])
    assert copy_text(trades).decode().split("\n") == [
        "7\t5\ta\\\\b\t1.50\t2\t\\\\N",
        "7\t5\tc\t1.50\t2\t\\t\\n\\r\\\\.",
        "7\t5\td\t1.50\t2\t\\N",
        "",
    ]


def test_candles_are_merged_by_one_statement_whatever_their_number() -> None:
    assert MERGE_CANDLES.startswith("INSERT INTO candles AS stored (coin, interval, open_time,")
    assert MERGE_CANDLES.count("$") == 16
    assert "high = greatest(stored.high, excluded.high)" in MERGE_CANDLES
