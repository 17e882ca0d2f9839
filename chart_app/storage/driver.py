"""The driver's connection, for statements that take less time than SQLAlchemy's way to it."""

from typing import Any

from sqlalchemy import Connection


def driver(connection: Connection) -> Any:
    """Return the driver's connection. It raises the driver's errors, not SQLAlchemy's."""
    return connection.connection.driver_connection
