"""``faust -A chart_app schema``: describes the store's tables."""

import asyncio
import sys
from typing import Any, NoReturn

import click
from faust.cli import AppCommand

from chart_app.storage.database import Database
from chart_app.storage.description import describe
from chart_app.storage.errors import StoreError
from settings import warn_of_misspelt


def make_command(database: Database) -> type[AppCommand]:
    """Add the command to Faust's commands."""

    class schema(AppCommand):  # noqa: N801 - the name is the command's
        """Show the version and size of the store, and what a worker would do with it."""

        def __call__(self, *_: Any, **__: Any) -> NoReturn:
            """Run the command and end the program."""
            warn_of_misspelt()
            sys.exit(asyncio.run(_run(database)))

    return schema


async def _run(database: Database) -> int:
    try:
        lines = await describe(database)
    except StoreError as error:
        click.echo(f"The store does not answer: {error}", err=True)
        return 1
    finally:
        await database.close()
    click.echo("\n".join(lines))
    return 0
