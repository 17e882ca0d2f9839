"""Bytes on disk: of each table and each index of a store, and of a topic."""

from sqlalchemy import text

from bench.store import connected
from dev.local_kafka import LocalKafka

#: In SQLite a table is its primary key.
SQLITE = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name"
#: A table with its TOAST and its maps, without its indexes: all together they are the sum of
#: pg_total_relation_size.
POSTGRESQL = """
    SELECT relname, CASE relkind WHEN 'r' THEN pg_table_size(oid) ELSE pg_relation_size(oid) END
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')
"""
#: All that PostgreSQL has written to its log before the tables, of all databases together.
WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"


async def relations(url: str) -> dict[str, int]:
    """Return the bytes of each table and index, by name."""
    async with connected(url) as connection:
        if url.startswith("sqlite"):
            await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        found = await connection.execute(text(SQLITE if url.startswith("sqlite") else POSTGRESQL))
        return {name: int(size) for name, size in found}


async def wal(url: str) -> int:
    """Return the bytes that PostgreSQL has written to its write-ahead log."""
    async with connected(url) as connection:
        return int(await connection.scalar(text(WAL)) or 0)


def topic(broker: LocalKafka, name: str) -> int:
    """Return the bytes of a topic's records, as producers have batched and compressed them."""
    return sum(file.stat().st_size for file in broker.log.glob(f"{name}-*/*.log"))
