"""Trades in the format of Binance's spot API.

The taker's side is unknown: the buyer is never given as the maker.
"""

from typing import Any

from chart_app.model.binance.fields import Field, Format, Kind
from chart_app.model.trades import PublicTrade

_TAKER = (
    Field("isBuyerMaker", "m", Kind.FLAG, None, False),
    Field("isBestMatch", "M", Kind.FLAG, None, True),
)

#: An item of ``/api/v3/trades``, and the event of a trade, both of a :class:`PublicTrade`.
TRADE = Format(
    Field("id", "t", Kind.INTEGER, "id"),
    Field("price", "p", Kind.DECIMAL, "price"),
    Field("qty", "q", Kind.DECIMAL, "amount"),
    Field("quoteQty", None, Kind.DECIMAL, "quote_amount"),
    # The ids of the orders. Binance no longer sends them, but two older clients need them.
    Field(None, "b", Kind.INTEGER, None, 0),
    Field(None, "a", Kind.INTEGER, None, 0),
    Field("time", "T", Kind.TIME, "time"),
    *_TAKER,
)
#: An item of ``/api/v3/aggTrades``, and its event: each trade is its own aggregate.
AGG_TRADE = Format(
    Field("a", "a", Kind.INTEGER, "id"),
    Field("p", "p", Kind.DECIMAL, "price"),
    Field("q", "q", Kind.DECIMAL, "amount"),
    Field("f", "f", Kind.INTEGER, "id"),
    Field("l", "l", Kind.INTEGER, "id"),
    Field("T", "T", Kind.TIME, "time"),
    *(it._replace(name=it.key) for it in _TAKER),
)


def trade_event(coin: str, trade: PublicTrade, now_ms: int) -> dict[str, Any]:
    """Return the WebSocket event of a trade."""
    return {"e": "trade", "E": now_ms, "s": coin, **TRADE.event(trade)}


def agg_trade_event(coin: str, trade: PublicTrade, now_ms: int) -> dict[str, Any]:
    """Return the WebSocket event of an aggregate trade."""
    return {"e": "aggTrade", "E": now_ms, "s": coin, **AGG_TRADE.event(trade)}
