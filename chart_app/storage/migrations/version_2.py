"""Version 2: narrow rows of trades, and a table of partitions that forgets none.

The topic, partition and offset of a trade are in its id. The table of partitions replaces
``consumed``: so a program of version 1 that still runs can move no offset, and stores nothing more.
"""

from sqlalchemy import Connection, text

#: Of the offset in a trade's id.
OFFSET_BITS = 41

PARTITIONS = (
    """CREATE TABLE partitions (
        id INTEGER NOT NULL PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL,
        topic_id TEXT, next_offset BIGINT NOT NULL, is_current BOOLEAN NOT NULL
    )""",
    """INSERT INTO partitions
        SELECT log, topic, partition, topic_id, next_offset, TRUE FROM consumed""",
)
#: A partition of a topic that was deleted, as its last trade has it.
FORGOTTEN_PARTITION = """INSERT INTO partitions
    SELECT :log, topic, partition, NULL, "offset" + 1, FALSE
    FROM trades WHERE id BETWEEN :first AND :last ORDER BY id DESC LIMIT 1"""

SQLITE = (
    "DROP TABLE consumed",
    "CREATE UNIQUE INDEX partitions_current ON partitions (topic, partition) WHERE is_current IS 1",
    "DROP INDEX trades_coin_time",
    "DROP INDEX trades_coin_id",
    "DROP INDEX trades_coin_trade_id",
    "ALTER TABLE trades RENAME TO trades_1",
    """CREATE TABLE trades (
        id BIGINT NOT NULL, time BIGINT NOT NULL, coin TEXT NOT NULL, price TEXT NOT NULL,
        amount TEXT NOT NULL, trade_id TEXT, PRIMARY KEY (coin, id)
    ) WITHOUT ROWID""",
    """INSERT INTO trades (id, time, coin, price, amount, trade_id)
        SELECT id, time, coin, price, amount, trade_id FROM trades_1 ORDER BY coin, id""",
    "DROP TABLE trades_1",
    "CREATE INDEX trades_coin_time ON trades (coin, time)",
    """CREATE UNIQUE INDEX trades_coin_trade_id ON trades (coin, trade_id)
        WHERE trade_id IS NOT NULL""",
)

#: In the order in which version 1 locks its tables: a transaction of it ends first.
POSTGRESQL_LOCK = "LOCK TABLE consumed, trades, candles, coins IN ACCESS EXCLUSIVE MODE"
POSTGRESQL = (
    "DROP TABLE consumed",
    "CREATE UNIQUE INDEX partitions_current ON partitions (topic, partition) WHERE is_current",
    "ALTER TABLE trades RENAME TO trades_1",
    """CREATE TABLE trades (
        id BIGINT NOT NULL, time BIGINT NOT NULL, coin TEXT COLLATE "C" NOT NULL,
        price NUMERIC NOT NULL, amount NUMERIC NOT NULL, trade_id TEXT COLLATE "C"
    )""",
    """INSERT INTO trades (id, time, coin, price, amount, trade_id)
        SELECT id, time, coin, price, amount, trade_id FROM trades_1""",
    "DROP TABLE trades_1",
    "ALTER TABLE trades ADD PRIMARY KEY (coin, id)",
    "CREATE INDEX trades_coin_time ON trades (coin, time)",
    """CREATE UNIQUE INDEX trades_coin_trade_id ON trades (coin, trade_id)
        WHERE trade_id IS NOT NULL""",
    """ALTER TABLE candles
        ALTER coin TYPE TEXT COLLATE "C", ALTER interval TYPE TEXT COLLATE "C",
        ALTER first_sequence TYPE TEXT COLLATE "C", ALTER last_sequence TYPE TEXT COLLATE "C"
    """,
    'ALTER TABLE coins ALTER coin TYPE TEXT COLLATE "C", ALTER folded TYPE TEXT COLLATE "C"',
    "ANALYZE trades, candles, coins",
)
STORE = (
    "ALTER TABLE store RENAME TO store_1",
    """CREATE TABLE store (
        version INTEGER NOT NULL, program TEXT NOT NULL, has_all_trades BOOLEAN NOT NULL
    )""",
    "INSERT INTO store SELECT 2, '0.3.0', has_all_trades FROM store_1",
    "DROP TABLE store_1",
)


def migrate(connection: Connection) -> None:
    """Make the tables of version 2 of those of version 1."""
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        connection.execute(text(POSTGRESQL_LOCK))
    _run(connection, PARTITIONS)
    _insert_forgotten_partitions(connection)
    _run(connection, SQLITE if is_sqlite else POSTGRESQL)
    _run(connection, STORE)


def _run(connection: Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(text(statement))


def _insert_forgotten_partitions(connection: Connection) -> None:
    known = set(connection.scalars(text("SELECT id FROM partitions")))
    for log in sorted(set(range(max(known, default=0))) - known):
        first = log << OFFSET_BITS
        last = first + (1 << OFFSET_BITS) - 1
        connection.execute(text(FORGOTTEN_PARTITION), {"log": log, "first": first, "last": last})
