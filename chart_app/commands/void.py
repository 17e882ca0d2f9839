"""``faust -A chart_app void`` and ``voids``: takes trades out of the candles, and lists that."""

import asyncio
import getpass
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NoReturn

import click
from faust.cli import AppCommand, option

from chart_app.model.times import format_time, is_time
from chart_app.storage.database import Database
from chart_app.storage.errors import StoreError, StoreUnavailable
from chart_app.storage.voids import (
    Found,
    NothingToVoid,
    Outcome,
    Reason,
    Selection,
    Void,
    Voids,
)
from settings import warn_of_misspelt
from streaming.clock import now_ms
from streaming.logs import quote_value
from trade_rules import COIN_NAME_MAX_CHARS, TRADE_ID_MAX_CHARS, has_illegal_characters

#: Exit codes: done, no trade is meant, or it could not be done.
DONE, NOTHING, FAILED = 0, 1, 2
WHO_MAX_CHARS = 64
WHY_MAX_CHARS = 500
#: Ids of one void.
MAX_IDS = 1000
_MILLISECONDS = re.compile("[0-9]{1,15}").fullmatch
_ID_END = 2**53

#: What is done with the store; returns the lines to print.
Work = Callable[[Voids], Awaitable[list[str]]]


def text_of(max_chars: int) -> Callable[[str], str]:
    """Return the type of an option that is a text of at most some characters."""

    def text(value: str) -> str:
        if len(value) > max_chars or not value.strip() or has_illegal_characters(value):
            raise click.BadParameter(f"must be 1 to {max_chars} characters, no control characters")
        return value

    return text


def time(value: str) -> int:
    """Return the ms since 1970 of a time in ISO 8601 (else UTC), or in ms since 1970."""
    try:
        time_ms = int(value) if _MILLISECONDS(value) else _parse(value)
    except (ValueError, OverflowError):
        time_ms = -1
    if not is_time(time_ms):
        raise click.BadParameter("must be a time in ISO 8601, or in ms since 1970")
    return time_ms


def _parse(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def make_commands(database: Database) -> tuple[type[AppCommand], type[AppCommand]]:
    """Add the commands to Faust's commands."""

    class void(AppCommand):  # noqa: N801 - the name is the command's
        """Take trades out of the candles, for a reason that is kept; or undo that."""

        options = [  # noqa: RUF012 - Faust's declaration
            option("--coin", type=text_of(COIN_NAME_MAX_CHARS), help="of this coin"),
            option(
                *("--id", "sender_ids"),
                type=text_of(TRADE_ID_MAX_CHARS),
                multiple=True,
                help="the trade with this tradeId; may be repeated",
            ),
            option(
                *("--rest-id", "ids"),
                type=click.IntRange(0, _ID_END, max_open=True),
                multiple=True,
                help="the trade with this id in REST; may be repeated",
            ),
            option("--from", "start", type=time, help="all trades from this time on"),
            option("--to", "end", type=time, help="up to this time, without it"),
            option("--check", is_flag=True, help="only say which trades are meant"),
            option(
                "--undo", type=click.IntRange(1, 2**63 - 1), help="undo the void of this number"
            ),
            option("--why", type=text_of(WHY_MAX_CHARS), help="the reason"),
            option("--who", type=text_of(WHO_MAX_CHARS), help="default: the user of the system"),
        ]

        def __call__(self, *_: Any, **__: Any) -> NoReturn:
            """Run the command and end the program."""
            warn_of_misspelt()
            try:
                work = _work(self.kwargs)
            except click.UsageError as error:  # Faust would print a traceback
                click.echo(error, err=True)
                sys.exit(FAILED)
            sys.exit(asyncio.run(_run(database, work)))

    class voids(AppCommand):  # noqa: N801 - the name is the command's
        """List all voids: which trades, who, why, and their undo."""

        def __call__(self, *_: Any, **__: Any) -> NoReturn:
            """Run the command and end the program."""
            warn_of_misspelt()
            sys.exit(asyncio.run(_run(database, _list)))

    return void, voids


def _work(given: dict[str, Any]) -> Work:
    """Return what the options ask for. Raises click.UsageError."""
    if given["undo"] is not None:
        names = ("coin", "sender_ids", "ids", "start", "end", "check")
        if any(given[name] not in (None, (), False) for name in names):
            raise click.UsageError("--undo NUMBER goes with --why and --who only")
        reason = _reason(given)
        return lambda voids: _undo(voids, given["undo"], reason)
    selection = _selection(given)
    if given["check"]:
        return lambda voids: _check(voids, selection)
    reason = _reason(given)
    return lambda voids: _void(voids, selection, reason)


def _selection(given: dict[str, Any]) -> Selection:
    times = [given["start"], given["end"]]
    chosen = [bool(given["sender_ids"]), bool(given["ids"]), times != [None, None]]
    if given["coin"] is None or chosen.count(True) != 1:
        raise click.UsageError("give --coin, and one of: --id, --rest-id, --from with --to")
    if len(given["sender_ids"]) > MAX_IDS or len(given["ids"]) > MAX_IDS:
        raise click.UsageError(f"at most {MAX_IDS} ids")
    if not chosen[2]:
        return Selection(given["coin"], tuple(given["sender_ids"]), tuple(given["ids"]))
    if None in times or times[0] >= times[1]:
        raise click.UsageError("give both --from and --to, a later time")
    return Selection(given["coin"], times=(times[0], times[1]))


def _reason(given: dict[str, Any]) -> Reason:
    if given["why"] is None:
        raise click.UsageError("give a reason: --why")
    return Reason(given["who"] or _user(), given["why"], now_ms())


def _user() -> str:
    try:
        return getpass.getuser()[:WHO_MAX_CHARS]
    except (OSError, KeyError):  # KeyError: before Python 3.13
        raise click.UsageError("the user of the system has no name: give --who") from None


async def _check(voids: Voids, selection: Selection) -> list[str]:
    return [f"Would be void: {_trades(selection.coin, await voids.find(selection))}"]


async def _void(voids: Voids, selection: Selection, reason: Reason) -> list[str]:
    outcome = await voids.void(selection, reason)
    void = outcome.void
    return [f"Void {void.id}: {_trades(void.coin, void.found)}", _candles(outcome)]


async def _undo(voids: Voids, number: int, reason: Reason) -> list[str]:
    outcome = await voids.undo(number, reason)
    void = outcome.void
    return [f"Void {void.id} is undone: {_trades(void.coin, void.found)}", _candles(outcome)]


async def _list(voids: Voids) -> list[str]:
    return [_line(void) for void in await voids.all()]


def _trades(coin: str, found: Found) -> str:
    first, last = format_time(found.first_time), format_time(found.last_time)
    return f"{found.trades} trades of {quote_value(coin)}, {first} to {last}"


def _candles(outcome: Outcome) -> str:
    return f"{outcome.candles} candles computed again, {outcome.gone} of them have no trades left"


def _line(void: Void) -> str:
    made = f"void {void.id}: {_trades(void.coin, void.found)}; {_said(void.reason)}"
    return f"{made}; undone {_said(void.undone)}" if void.undone else made


def _said(reason: Reason) -> str:
    who, why = quote_value(reason.who), quote_value(reason.why)
    return f"{format_time(reason.time)} by {who}: {why}"


async def _run(database: Database, work: Work) -> int:
    try:
        lines = await work(Voids(database))
    except NothingToVoid as error:
        click.echo(error, err=True)
        return NOTHING
    except StoreUnavailable as error:
        click.echo(f"The store does not answer: {error}", err=True)
        return FAILED
    except StoreError as error:
        click.echo(error, err=True)
        return FAILED
    finally:
        await database.close()
    for line in lines:
        click.echo(line)
    return DONE
