"""Changes for the tests of what is handed on."""

from decimal import Decimal

from chart_app.model.folding import fold_trades
from chart_app.model.trades import StoredTrade, Trades
from chart_app.storage.write_batch import Change


def change(*coins: str, revision: int = 0) -> Change:
    """Return a change with a trade of each coin, and its candles."""
    rows = [
        StoredTrade(coin, 0, 0, number, *(Decimal(1),) * 2, None, number, "1", "1")
        for number, coin in enumerate(coins)
    ]
    trades = Trades.of(rows)
    return Change(trades, fold_trades(trades).candles, revision)
