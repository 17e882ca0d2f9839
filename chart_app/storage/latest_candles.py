"""The candles that this worker wrote last, so that the next transaction need not read them."""

from collections.abc import Mapping

from sqlalchemy import Connection

from chart_app.model.candles import Candle, CandleKey
from chart_app.storage.schema import SQLITE

#: With more the candles of earlier transactions are forgotten.
MAX_CANDLES = 20_000


class LatestCandles:
    """Candles as they stand in the database, as long as nobody else has written there.

    SQLite can tell whether anybody has, so it is the one whose candles are kept.
    """

    def __init__(self) -> None:
        self._candles: dict[CandleKey, Candle] = {}
        self._data_version = 0

    def known(self, connection: Connection) -> Mapping[CandleKey, Candle]:
        """Return the candles that are known in this transaction."""
        if connection.dialect.name != SQLITE:
            return {}
        # It changes when another connection than this one commits: sqlite.org/pragma.html
        data_version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
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
        """Forget all: whether a transaction was committed is unknown."""
        self._candles = {}
