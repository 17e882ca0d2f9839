"""What both databases' ways to write rows have in common."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from chart_app.model.candles import Candle, CandleKey
from chart_app.model.scale import Scale
from chart_app.model.trades import Trades


class Move(NamedTuple):
    """A partition whose next offset is moved on, from where its worker believes it to be."""

    topic: str
    partition: int
    partition_id: int
    start: int
    end: int


class Moved(NamedTuple):
    """The ids of partitions that were moved on, and the store's revision meanwhile."""

    partition_ids: set[int]
    revision: int


class RowWriter(ABC):
    """Writes rows in transactions of one connection at a time."""

    def __init__(self) -> None:
        #: The ids of coins, by name. A coin is never removed.
        self._coin_ids: dict[str, int] = {}
        #: Those that this transaction has found, or added.
        self._new_coin_ids: dict[str, int] = {}

    @abstractmethod
    def move_offsets(self, connection: Connection, moves: Sequence[Move]) -> Moved:
        """Move the next offsets of partitions that are where they are believed to be.

        If the store has another version than this program, no partition is moved.
        """

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

    def coin_ids(self, connection: Connection, coins: Collection[str]) -> Mapping[str, int]:
        """Return the ids of coins, with more; add the coins that are not stored."""
        self._new_coin_ids = {}
        unknown = set(coins) - self._coin_ids.keys()
        if not unknown:
            return self._coin_ids
        self._insert_coins(connection, dict.fromkeys(unknown, Scale(0, 0)))
        self._new_coin_ids = self._select_coin_ids(connection, unknown)
        return {**self._coin_ids, **self._new_coin_ids}

    @abstractmethod
    def _insert_coins(self, connection: Connection, scales: Mapping[str, Scale]) -> None:
        """Insert the coins that are not stored; do not touch, or lock, those that are."""

    @abstractmethod
    def _select_coin_ids(self, connection: Connection, coins: Collection[str]) -> dict[str, int]:
        """Return the ids of coins that are stored."""

    def committed(self, candles: Mapping[CandleKey, Candle]) -> None:  # noqa: ARG002
        """Note that a transaction with these candles was committed."""
        self._coin_ids.update(self._new_coin_ids)

    def failed(self) -> None:
        """Note that a transaction failed, or that it is unknown whether it was committed."""
        self._new_coin_ids = {}
