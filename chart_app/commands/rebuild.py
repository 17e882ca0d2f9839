"""``faust -A chart_app rebuild``: recomputes the candles from the stored trades."""

import asyncio
import sys
from typing import Any, NoReturn

import click
from faust.cli import AppCommand, option

from chart_app.storage.database import Database
from chart_app.storage.errors import StoreError, StoreUnavailable
from chart_app.storage.rebuild import Rebuild
from settings import warn_of_misspelt

#: Exit codes: no differences, differences, or the check has failed.
SAME, DIFFERENT, FAILED = 0, 1, 2


def make_command(database: Database) -> type[AppCommand]:
    """Add the command to Faust's commands."""

    class rebuild(AppCommand):  # noqa: N801 - the name is the command's
        """Recompute the candles from the stored trades, and repair those that differ."""

        options = [  # noqa: RUF012 - Faust's declaration
            option("--coin", help="only this coin"),
            option("--check", is_flag=True, help="only report differences"),
        ]

        def __call__(self, *_: Any, **__: Any) -> NoReturn:
            """Run the command and end the program."""
            warn_of_misspelt()
            task = Rebuild(database, repair=not self.kwargs["check"])
            sys.exit(asyncio.run(_run(database, task, self.kwargs["coin"])))

    return rebuild


async def _run(database: Database, rebuild: Rebuild, coin: str | None) -> int:
    try:
        async for difference in rebuild.run(coin):
            click.echo(difference)
    except StoreUnavailable as error:
        click.echo(f"The store does not answer: {error}", err=True)
        return FAILED
    except StoreError as error:
        click.echo(error, err=True)
        return FAILED
    finally:
        await database.close()
    click.echo(rebuild.summary())
    return DIFFERENT if rebuild.outcome.differences else SAME
