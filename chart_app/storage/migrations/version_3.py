"""Version 3: the store's revision, and what is void."""

from sqlalchemy import Connection, text

VOIDS = """CREATE TABLE voids (
        id BIGINT NOT NULL PRIMARY KEY, time BIGINT NOT NULL, coin TEXT{bytewise} NOT NULL,
        trades BIGINT NOT NULL, first_time BIGINT NOT NULL, last_time BIGINT NOT NULL,
        who TEXT NOT NULL, why TEXT NOT NULL,
        undo_id BIGINT, undo_time BIGINT, undo_who TEXT, undo_why TEXT
    )"""
VOIDED_TRADES = """CREATE TABLE voided_trades (
        void_id BIGINT NOT NULL, id BIGINT NOT NULL, time BIGINT NOT NULL,
        coin_id INTEGER NOT NULL, price {number} NOT NULL, amount {number} NOT NULL,
        trade_id TEXT{bytewise}, PRIMARY KEY (void_id, id)
    ){options}"""
STORE = (
    "ALTER TABLE store ADD COLUMN revision BIGINT DEFAULT 0 NOT NULL",
    "UPDATE store SET version = 3, program = '0.3.0'",
)
SQLITE = {"bytewise": "", "number": "TEXT", "options": " WITHOUT ROWID"}
POSTGRESQL = {"bytewise": ' COLLATE "C"', "number": "NUMERIC", "options": ""}


def migrate(connection: Connection) -> None:
    """Make the tables of version 3 of those of version 2."""
    forms = SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL
    for statement in (VOIDS.format(**forms), VOIDED_TRADES.format(**forms), *STORE):
        connection.execute(text(statement))
