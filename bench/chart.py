"""chart_app in a benchmark: its settings, and the number of trades in its store."""

import contextlib
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import Child, running
from dev.local_kafka import LocalKafka, free_port

TOPIC = "trades"
COMMAND = [sys.executable, "-m", "faust", "-A", "chart_app", "worker"]
START_TIMEOUT_S = 60
POLL_INTERVAL_S = 0.1
#: How many trades the candles of a store count, in SQLite and in PostgreSQL.
STORED_TRADES = "SELECT sum(trades) FROM candles WHERE \"interval\" = '1M'"


@contextmanager
def chart_app(broker: LocalKafka, folder: Path, **settings: str) -> Iterator[tuple[Child, str]]:
    """Run chart_app with its store in ``folder``; yield it with its address once it is ready."""
    port = free_port()
    with running("chart_app", COMMAND, environment(broker, folder, port, **settings), folder) as it:
        url = f"http://127.0.0.1:{port}"
        wait_ready(it, url)
        yield it, url


def environment(broker: LocalKafka, folder: Path, port: int, **settings: str) -> dict[str, str]:
    """Return the environment of a chart_app with its store in ``folder``."""
    return {
        "KAFKA_CLIENT_BOOTSTRAP_SERVER": broker.bootstrap_server,
        "TRADE_TOPICS": TOPIC,
        "CHART_PORT": str(port),
        "DATA_DIR": str(folder),
        **settings,
    }


def wait_ready(child: Child, url: str) -> None:
    """Wait until a program's ``/readyz`` answers ok. Raises BenchFailed."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/readyz", timeout=5):
            return
        child.check()
        if time.monotonic() > deadline:
            raise child.failed("it did not become ready")
        time.sleep(POLL_INTERVAL_S)


def stored_trades(folder: Path) -> int:
    """Return how many trades the candles of a store count."""
    with contextlib.closing(sqlite3.connect(folder / "chart.sqlite")) as connection:
        return int(connection.execute(STORED_TRADES).fetchone()[0] or 0)
