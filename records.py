"""Trade: the typed record of the topic ``tradeData``, and its codec."""

from decimal import Decimal
from typing import Any

import faust

import trade_rules
from trade_rules import TradeMessage


class Trade(faust.Record, include_metadata=False):
    """A trade, with the fields of :class:`trade_rules.TradeMessage`.

    The programs themselves read and write :class:`trade_rules.TradeMessage`: a Faust record
    takes 2 µs to build.
    """

    coinName: str
    numOfCoin: Decimal
    price: Decimal
    tradeId: str | int | None = None

    def dumps(self, *, serializer: Any = None) -> bytes:  # noqa: ARG002 - Faust's signature
        """Return the value of the record on the topic."""
        message = TradeMessage(self.coinName, self.numOfCoin, self.price, self.tradeId)
        return trade_rules.encode(message)

    @classmethod
    def loads(cls, s: bytes, **_: Any) -> "Trade":
        """Decode the value of a record. Raises :exc:`trade_rules.InvalidTrade`."""
        message = trade_rules.decode(s)
        return cls(message.coinName, message.numOfCoin, message.price, message.tradeId)
