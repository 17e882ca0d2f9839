"""Makes tests/data/stores: ``python -m tests.make_released_stores``, in a clone with its history.

Version 0.2.0 fills stores of SQLite and PostgreSQL, by its own code. The commit before there were
migrations serves them, and its answers are recorded: those of both databases are the same.
"""

import asyncio
import gzip
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlencode

from dev.environment import clean_environment
from dev.local_kafka import LocalKafka, free_port
from tests.brokers import Broker
from tests.conftest import make_cluster
from tests.postgresql_server import PostgreSQLServer
from tests.programs import ROOT, Program
from tests.released_stores import ANSWERS, FOLDER, STORES, ask, file, load, run_script

RELEASED = "cb9b81e"  # 0.2.0
BEFORE = "f3bbd54"
DATABASES = ("sqlite", "postgresql")

INTERVALS = (
    *("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"),
)
RESOLUTIONS = ("1", "60", "1D", "1W", "1M")
#: In the midst of trades, each in ms.
MOMENTS = (1_738_367_950_000, 1_738_540_800_000, 1_767_225_600_000)
OFFSET_BITS = 41
PARTITION_IDS = range(17)  # one more than there are


def main() -> None:
    """Make the stores and record the answers."""
    with TemporaryDirectory(prefix="stores-") as folder:
        Path(folder).chmod(0o755)  # for root PostgreSQL runs as somebody else
        _make(Path(folder))


def _make(folder: Path) -> None:
    released, before = (_check_out(commit, folder) for commit in (RELEASED, BEFORE))
    server = PostgreSQLServer(folder / "postgresql", folder / "postgresql.log")
    server.start()
    kafka = Broker(free_port(), folder / "kafka")
    kafka.start()
    try:
        for name in STORES:
            _make_store(name, released, folder, server)
        recorded = {}
        for name in STORES:
            first, second = [
                _record(name, _new_database(kind, folder, server), before, kafka)
                for kind in DATABASES
            ]
            assert first == second, "the databases' answers differ"
            recorded[name] = first
        text = json.dumps(recorded, ensure_ascii=False, indent=0)
        ANSWERS.write_bytes(gzip.compress(text.encode(), mtime=0))
    finally:
        kafka.kill()
        server.stop()


def _check_out(commit: str, folder: Path) -> Path:
    """Return a new folder with the files of a commit."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder / commit, filter="data")
    return folder / commit


def _new_database(kind: str, folder: Path, server: PostgreSQLServer) -> str:
    """Return the address of an empty database."""
    if kind == "sqlite":
        file = folder / "chart.sqlite"
        file.unlink(missing_ok=True)
        return f"sqlite:///{file}"
    for statement in ("DROP DATABASE IF EXISTS chart", "CREATE DATABASE chart"):
        asyncio.run(run_script(f"{server.url}/postgres", statement))
    return f"{server.url}/chart"


def _make_store(name: str, released: Path, folder: Path, server: PostgreSQLServer) -> None:
    for kind in DATABASES:
        url = _new_database(kind, folder, server)
        subprocess.run(
            [sys.executable, FOLDER / "fill.py", url, name],
            cwd=released,
            env={**clean_environment(), "PYTHONPATH": str(released)},
            check=True,
        )
        if kind == "sqlite":
            content, suffix = (folder / "chart.sqlite").read_bytes(), "sqlite"
        else:
            content, suffix = _dump(url, server), "sql"
        file(name, suffix).write_bytes(gzip.compress(content, mtime=0))


def _dump(url: str, server: PostgreSQLServer) -> bytes:
    """Return a database as SQL that any client can run, without the commands of psql."""
    program = server._package.bin_path / "pg_dump"
    options = ["--inserts", "--rows-per-insert=50", "--no-owner", "--no-privileges"]
    dumped = subprocess.run([program, *options, url], capture_output=True, check=True).stdout
    lines = dumped.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(b"\\"))


def _record(name: str, url: str, before: Path, kafka: LocalKafka) -> dict[str, str]:
    """Return what a store's answers are, by path."""
    asyncio.run(load(name, url))
    settings = {
        **make_cluster(kafka).settings,
        "DATABASE_URL": url,
        "PYTHONPATH": str(before),
    }
    program = Program("chart_app", before, settings)
    program.is_fresh = True
    with program:
        program.wait_ready()
        (listed,) = asyncio.run(ask(program.url, ["/api/v3/exchangeInfo"])).values()
        coins = [symbol["symbol"] for symbol in json.loads(listed)["symbols"]]
        return asyncio.run(ask(program.url, _paths(coins)))


def _paths(coins: list[str]) -> Iterator[str]:
    """Yield the paths of all that is read from the store over HTTP."""
    for path in ("exchangeInfo", "ticker/price", "ticker/24hr"):
        yield f"/api/v3/{path}"
        yield _path(path, symbols=json.dumps(coins[:2], ensure_ascii=False))
        for symbol in (*coins, "bTcUsDt", "strasse", "unknown"):
            yield _path(path, symbol=symbol)
    for coin in coins:
        for interval in INTERVALS:
            yield _path("klines", symbol=coin, interval=interval)
        for path in ("trades", "historicalTrades", "aggTrades"):
            yield _path(path, symbol=coin)
        yield f"/udf/symbols?symbol={quote(coin, safe='')}"
        yield _path("historicalTrades", symbol=coin, fromId=0, limit=1000)
        for resolution in RESOLUTIONS:
            yield _history(coin, resolution)
    for coin in coins[:4]:
        yield from _parts(coin)
    for query in ("", "s", "STRA", "é", "%", "nothing"):
        yield f"/udf/search?{urlencode({'query': query, 'limit': 5})}"
    yield "/udf/symbols?symbol=unknown"


def _parts(coin: str) -> Iterator[str]:
    """Yield the paths of parts of a coin's candles and trades."""
    for interval in INTERVALS:
        yield _path("uiKlines", symbol=coin, interval=interval, limit=3)
        for moment in MOMENTS:
            window = {"startTime": moment, "endTime": moment + 3_600_000}
            yield _path("klines", symbol=coin, interval=interval, **window)
            yield _path("klines", symbol=coin, interval=interval, startTime=moment, limit=2)
            yield _path(
                "klines", symbol=coin, interval=interval, endTime=moment, limit=9, fill="true"
            )
    for moment in MOMENTS:
        yield _path("aggTrades", symbol=coin, startTime=moment, limit=5)
        yield _path("aggTrades", symbol=coin, endTime=moment, limit=5)
        yield _path("aggTrades", symbol=coin, startTime=moment - 30_000, endTime=moment + 30_000)
        seconds = moment // 1000
        for resolution in RESOLUTIONS:
            yield _history(coin, resolution, **{"from": seconds - 3600, "to": seconds + 60})
            yield _history(coin, resolution, to=seconds, countback=4)
    yield _history(coin, "1", **{"from": 1, "to": 2})
    yield _path("trades", symbol=coin, limit=7)
    for partition_id in PARTITION_IDS:
        for offset in (0, 9):
            trade_id = partition_id << OFFSET_BITS | offset
            yield _path("historicalTrades", symbol=coin, fromId=trade_id, limit=4)
            yield _path("aggTrades", symbol=coin, fromId=trade_id, limit=4)


def _path(path: str, **query: str | int) -> str:
    return f"/api/v3/{path}?{urlencode(query, quote_via=quote)}"


def _history(coin: str, resolution: str, **query: str | int) -> str:
    query = {"symbol": coin, "resolution": resolution, **query}
    return f"/udf/history?{urlencode(query, quote_via=quote)}"


if __name__ == "__main__":
    main()
