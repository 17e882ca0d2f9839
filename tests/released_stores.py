"""Stores that version 0.2.0 has made, and what was served from them before there were migrations.

:mod:`tests.make_released_stores` makes them.
"""

import gzip
import json
import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from yarl import URL

from tests.programs import ROOT

FOLDER = ROOT / "tests/data/stores"
ANSWERS = FOLDER / "answers.json.gz"
#: What ``exchangeInfo`` says otherwise since then: what may be ordered, and bounds.
RENEWED = {"orderTypes", "maxPrice", "maxQty"}
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?").fullmatch
#: Two of which a worker ran with STORE_TRADES=false: at some time, and always.
STORES = ("all-trades", "some-trades", "candles-only")
#: The only part of an answer that depends on the clock once the last trade is a day old.
CLOCK = re.compile(r'(?<="serverTime":)\d+')


def file(name: str, suffix: str) -> Path:
    """Return the file of a store: of SQLite, or the dump of PostgreSQL's."""
    return FOLDER / f"{name}.{suffix}.gz"


async def load(name: str, url: str) -> None:
    """Put a store into a database that is empty."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        _unpack(file(name, "sqlite"), Path(address.database or ""))
    else:
        await run_script(url, gzip.decompress(file(name, "sql").read_bytes()).decode())


def _unpack(packed: Path, path: Path) -> None:
    path.write_bytes(gzip.decompress(packed.read_bytes()))


async def run_script(url: str, script: str) -> None:
    """Run SQL, any number of statements, in a connection of PostgreSQL of its own."""
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute(script)


def answers(name: str) -> dict[str, str]:
    """Return what was served from a store, by path."""
    recorded: dict[str, Any] = json.loads(gzip.decompress(ANSWERS.read_bytes()))
    return dict(recorded[name])


async def ask(url: str, paths: Iterable[str]) -> dict[str, str]:
    """Return what chart_app answers, by path; a time of the clock is 0."""
    found = {}
    async with aiohttp.ClientSession() as http:
        for path in paths:
            async with http.get(URL(url + path, encoded=True)) as answer:
                found[path] = CLOCK.sub("0", await answer.text())
    return found


def is_same(recorded: Any, served: Any) -> bool:
    """Return whether an answer says what the recorded one does.

    Since then, numbers have the places of their coin, and objects more fields.
    """
    match recorded, served:
        case dict(), dict():
            return all(
                name in served and (name in RENEWED or is_same(value, served[name]))
                for name, value in recorded.items()
            )
        case list(), list():
            return len(recorded) == len(served) and all(map(is_same, recorded, served))
        case str(), str() if NUMBER(recorded) and NUMBER(served):
            return Decimal(recorded) == Decimal(served)
    return bool(recorded == served)
