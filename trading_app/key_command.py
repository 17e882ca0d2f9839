"""``faust -A trading_app new-key ID --scope write …``."""

import sys
from typing import Any, NoReturn

from faust.cli import AppCommand, argument, option

from streaming.http import keys
from streaming.http.keys import InvalidKeys, Scope


def make_command() -> type[AppCommand]:
    """Define the command and add it to those of the app."""

    class new_key(AppCommand):  # noqa: N801 - the name is the command's
        """Print a new key, and its line for API_KEYS_FILE."""

        options = [  # noqa: RUF012 - Faust's declaration
            argument("id"),
            option(
                "--scope",
                multiple=True,
                required=True,
                help=f"what it allows, several separated by commas: {', '.join(Scope)}",
            ),
            option("--coins", help="coins whose trades it may send: BTC*,ETH*"),
            option("--rate", help="trades that it may send a second"),
            option("--expires", help="the day (UTC) from which on it is not valid: 2027-01-31"),
        ]

        def __call__(self, *_: Any, **__: Any) -> NoReturn:
            """Run the command and exit."""
            names = ("coins", "rate", "expires")
            given = {name: value for name in names if (value := self.kwargs[name]) is not None}
            try:
                key = keys.new_key(self.kwargs["id"])
                line = keys.line_of(key, ",".join(self.kwargs["scope"]), given)
            except InvalidKeys as error:
                sys.exit(f"No key was made: {error}")
            print(
                "The key, which is shown only now, and its line for API_KEYS_FILE:", file=sys.stderr
            )
            print(f"{key}\n{line}")
            sys.exit()

    return new_key
