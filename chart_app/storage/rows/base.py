"""What both databases' ways to write rows have in common."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from chart_app.model.candles import Candle, CandleKey
from chart_app.model.scale import Scale
from chart_app.model.trades import Trades


class RowWriter(ABC):
    """Writes rows in transactions of one connection at a time."""

    @abstractmethod
    def insert_trades(self, connection: Connection, trades: Trades) -> Collection[int] | None:
        """Insert the trades whose ids, and senders' ids, are new.

        Return the ids of those that are stored now, or None: all are.
        """

    @abstractmethod
    def merge_candles(
        self, connection: Connection, candles: Mapping[CandleKey, Candle]
    ) -> dict[CandleKey, Candle]:
        """Merge candles into the stored ones, and return the results."""

    @abstractmethod
    def put_candles(self, connection: Connection, candles: Mapping[CandleKey, Candle]) -> None:
        """Store candles in place of those that are stored."""

    @abstractmethod
    def put_scales(self, connection: Connection, scales: Mapping[str, Scale]) -> None:
        """Store the scales of coins where they are larger than what is stored."""

    def committed(self, candles: Mapping[CandleKey, Candle]) -> None:  # noqa: B027
        """Note that a transaction with these candles was committed."""

    def failed(self) -> None:  # noqa: B027
        """Note that a transaction failed, or that it is unknown whether it was committed."""
