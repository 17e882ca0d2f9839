"""What both databases' ways to write rows have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from chart_app.model.candles import Candle, CandleKey
from chart_app.model.refusals import Numbers, Refusal, refuse_coins
from chart_app.model.scale import Scale
from chart_app.model.trades import Trades
from chart_app.storage import schema


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


class Merged(NamedTuple):
    """The candles that a statement has merged, and the store's revision meanwhile."""

    candles: dict[CandleKey, Candle]
    revision: int


class OneStatement(NamedTuple):
    """A statement that does all steps of a transaction, and what reads its rows."""

    sql: str
    arguments: Sequence[str]
    read: Callable[[Sequence[Any]], Merged]


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
        """Insert the trades whose ids, and senders' ids, are new; their coins are stored.

        Return the ids of those that are stored now, or None: all are.
        """

    @abstractmethod
    def other_numbers(self, connection: Connection, trades: Trades) -> Numbers:
        """Return the numbers of the stored trades with the senders' ids of these, but others.

        They may be written in another way only.
        """

    @abstractmethod
    def merge_candles(
        self, connection: Connection, candles: Mapping[CandleKey, Candle]
    ) -> dict[CandleKey, Candle]:
        """Merge candles into the stored ones, and return the results."""

    def in_one_statement(
        self,
        moves: Sequence[Move],  # noqa: ARG002
        trades: Trades,  # noqa: ARG002
        candles: Mapping[CandleKey, Candle],  # noqa: ARG002
    ) -> OneStatement | None:
        """Return a statement that does all three, or None if that is no gain.

        The statement fails, and nothing has changed, if an offset is
        not where it is believed to be, or a trade is not new: then the steps above say which.
        """
        return None

    @abstractmethod
    def put_candles(self, connection: Connection, candles: Mapping[CandleKey, Candle]) -> None:
        """Store candles in place of those that are stored."""

    @abstractmethod
    def put_scales(self, connection: Connection, scales: Mapping[str, Scale]) -> None:
        """Store the scales of coins where they are larger than what is stored."""

    def unknown(self, coins: Collection[str]) -> Collection[str]:
        """Return the coins that are not known to be stored."""
        return set(coins) - self._coin_ids.keys()

    def add_coins(
        self, connection: Connection, coins: Iterable[str], max_coins: float
    ) -> dict[str, Refusal]:
        """Store the coins that are new; return those that are refused instead.

        To be called first in each transaction with trades. Of new coins the first ones count.
        """
        self._new_coin_ids = {}
        unknown = [coin for coin in coins if coin not in self._coin_ids]
        new = self._find_new(connection, unknown)
        refused = self._refuse(connection, new, max_coins)
        if len(refused) == len(new):
            # Another worker may have added one of them before this was looked at.
            return {coin: refused[coin] for coin in self._find_new(connection, new)}
        # What was found may be out of date: now no other worker adds coins before we have.
        self.lock_additions(connection)
        new = self._find_new(connection, new)
        refused = self._refuse(connection, new, max_coins)
        added = [coin for coin in new if coin not in refused]
        self._insert_coins(connection, dict.fromkeys(added, Scale(0, 0)))
        self._find_new(connection, added)
        return refused

    def _find_new(self, connection: Connection, coins: Sequence[str]) -> Sequence[str]:
        """Return the coins that are not stored, and note the ids of the others."""
        if not coins:
            return coins
        self._new_coin_ids |= self._select_coin_ids(connection, coins)
        return [coin for coin in coins if coin not in self._new_coin_ids]

    def _refuse(
        self, connection: Connection, new: Sequence[str], max_coins: float
    ) -> dict[str, Refusal]:
        if not new:
            return {}
        alike = self._select_alike(connection, sorted({coin.casefold() for coin in new}))
        return refuse_coins(new, alike, self._count_coins(connection), max_coins)

    def _count_coins(self, connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(schema.coins)).scalar_one()

    def _ids(self) -> Mapping[str, int]:
        """Return the ids of all coins of the transaction, with more."""
        return {**self._coin_ids, **self._new_coin_ids} if self._new_coin_ids else self._coin_ids

    @abstractmethod
    def lock_additions(self, connection: Connection) -> None:
        """Keep other workers from adding coins, or a store, until the end of the transaction."""

    @abstractmethod
    def lock_partitions(self, connection: Connection) -> None:
        """Keep other workers from adding partitions, until the end of the transaction."""

    @abstractmethod
    def _insert_coins(self, connection: Connection, scales: Mapping[str, Scale]) -> None:
        """Insert coins that are not stored."""

    @abstractmethod
    def _select_alike(self, connection: Connection, folded: Sequence[str]) -> dict[str, str]:
        """Return the stored coins with these case-folded names, by those."""

    @abstractmethod
    def _select_coin_ids(self, connection: Connection, coins: Collection[str]) -> dict[str, int]:
        """Return the ids of coins that are stored."""

    def committed(self, candles: Mapping[CandleKey, Candle]) -> None:  # noqa: ARG002
        """Note that a transaction with these candles was committed."""
        self._coin_ids.update(self._new_coin_ids)

    def failed(self) -> None:
        """Note that a transaction failed, or that it is unknown whether it was committed."""
        self._new_coin_ids = {}
