"""A cache of the candles that this worker wrote last, for SQLite."""

from collections.abc import Mapping

from sqlalchemy import Connection

from chart_app.model.candles import Candle, CandleKey
from chart_app.storage.driver import driver

#: With more, the candles of earlier transactions are dropped.
MAX_CANDLES = 20_000


class LatestCandles:
    """Candles as they are stored, kept until another connection writes to the database."""

    def __init__(self) -> None:
        self._candles: dict[CandleKey, Candle] = {}
        self._data_version = 0

    def known(self, connection: Connection) -> Mapping[CandleKey, Candle]:
        """Return the cached candles that are valid in this transaction."""
        # It changes when another connection than this one commits: sqlite.org/pragma.html
        (data_version,) = driver(connection).execute("PRAGMA data_version").fetchone()
        if data_version != self._data_version:
            self._candles = {}
            self._data_version = data_version
        return self._candles

    def keep(self, candles: Mapping[CandleKey, Candle]) -> None:
        """Keep the candles of a transaction that was committed."""
        if len(self._candles) > MAX_CANDLES:
            self._candles = {}
        self._candles.update(candles)

    def forget(self) -> None:
        """Drop all candles: it is unknown whether a transaction was committed."""
        self._candles = {}
