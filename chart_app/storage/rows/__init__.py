"""Rows of trades, candles and coins, written in the way that is fastest for each database."""

from sqlalchemy import Dialect

from chart_app.storage.rows.base import RowWriter
from chart_app.storage.rows.postgresql import PostgreSQLRows
from chart_app.storage.rows.sqlite import SQLiteRows
from chart_app.storage.schema import SQLITE


def row_writer(dialect: Dialect) -> RowWriter:
    """Return the writer for a database."""
    return SQLiteRows(dialect) if dialect.name == SQLITE else PostgreSQLRows()
