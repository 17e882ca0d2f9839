from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from chart_app.model.candles import Candle, CandleKey, Mark
from chart_app.model.intervals import Interval
from chart_app.storage.rows import latest_candles
from chart_app.storage.rows.latest_candles import LatestCandles

ONE = Decimal(1)
CANDLE = Candle(Mark(0, 0, 0, ONE), Mark(0, 0, 0, ONE), ONE, ONE, ONE, ONE, 1)


def key(minute: int) -> CandleKey:
    return CandleKey("BTC", Interval.M1, minute * 60_000)


@pytest.fixture
def connections(tmp_path: Path) -> Iterator[tuple[Connection, Connection]]:
    """Return two connections to one SQLite file."""
    engine = create_engine(f"sqlite:///{tmp_path / 'x'}", isolation_level="AUTOCOMMIT")
    with engine.connect() as one, engine.connect() as other:
        one.execute(text("CREATE TABLE t (a)"))
        yield one, other
    engine.dispose()


def test_what_was_kept_is_known_while_nobody_else_writes(
    connections: tuple[Connection, Connection],
) -> None:
    own, _ = connections
    latest = LatestCandles()
    assert latest.known(own) == {}
    latest.keep({key(0): CANDLE})
    own.execute(text("INSERT INTO t VALUES (1)"))
    assert latest.known(own) == {key(0): CANDLE}


def test_nothing_is_known_once_somebody_else_has_written(
    connections: tuple[Connection, Connection],
) -> None:
    own, other = connections
    latest = LatestCandles()
    latest.known(own)
    latest.keep({key(0): CANDLE})
    other.execute(text("INSERT INTO t VALUES (1)"))
    assert latest.known(own) == {}
    latest.keep({key(1): CANDLE})
    assert latest.known(own) == {key(1): CANDLE}


def test_what_may_not_have_been_committed_is_forgotten(
    connections: tuple[Connection, Connection],
) -> None:
    latest = LatestCandles()
    latest.known(connections[0])
    latest.keep({key(0): CANDLE})
    latest.forget()
    assert latest.known(connections[0]) == {}


def test_the_number_of_candles_is_bounded(
    connections: tuple[Connection, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latest_candles, "MAX_CANDLES", 2)
    latest = LatestCandles()
    latest.known(connections[0])
    for minute in range(4):
        latest.keep({key(minute): CANDLE})
    assert latest.known(connections[0]) == {key(3): CANDLE}
