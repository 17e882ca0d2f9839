"""The parameters of Binance's REST API, and its errors for invalid ones."""

import re
from collections.abc import Mapping

import msgspec

from chart_app.model.intervals import Interval
from trade_rules import COIN_NAME_MAX_CHARS, has_illegal_characters

DEFAULT_LIMIT = 500
MAX_LIMIT = 1000
MAX_SYMBOLS = 400

_INTEGER = re.compile(r"-?[0-9]{1,20}").fullmatch

Query = Mapping[str, str]


class BadRequest(Exception):
    """The request is invalid: HTTP 400 with Binance's code and a message."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(code, message)


class InvalidSymbol(BadRequest):
    """There is no such coin."""

    def __init__(self) -> None:
        super().__init__(-1121, "Invalid symbol.")


def symbol(query: Query) -> str | None:
    """Return ``symbol``, if it is given."""
    text = query.get("symbol")
    return _checked_symbol("symbol", text) if text else None


def required_symbol(query: Query) -> str:
    """Return ``symbol``."""
    return symbol(query) or _missing("symbol")


def symbols(query: Query) -> list[str] | None:
    """Return the symbols of ``symbol=A`` or ``symbols=["A","B"]``, or None for all.

    There may be at most :data:`MAX_SYMBOLS`.
    """
    one = symbol(query)
    text = query.get("symbols")
    if not text:
        return [one] if one else None
    if one:
        raise BadRequest(-1128, "Combination of optional parameters invalid.")
    try:
        names = msgspec.json.decode(text, type=list[str])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        names = []
    if not names:
        raise _illegal("symbols", 'a JSON array: ["A","B"]')
    if len(names) > MAX_SYMBOLS:
        raise _bad_value("symbols")
    return [_checked_symbol("symbols", name) for name in names]


def interval(query: Query) -> Interval:
    """Return ``interval``."""
    text = query.get("interval") or _missing("interval")
    try:
        return Interval(text)
    except ValueError:
        raise BadRequest(-1120, "Invalid interval.") from None


def limit(query: Query) -> int:
    """Return ``limit``, at most :data:`MAX_LIMIT`."""
    number = integer(query, "limit")
    if number is None:
        return DEFAULT_LIMIT
    if number < 1:
        raise _bad_value("limit")
    return min(number, MAX_LIMIT)


def integer(query: Query, name: str) -> int | None:
    """Return an integer, if it is given."""
    text = query.get(name)
    if not text:
        return None
    if not _INTEGER(text):
        raise _illegal(name, "'^-?[0-9]{1,20}$'")
    return int(text)


def flag(query: Query, name: str) -> bool:
    """Return a boolean, by default False."""
    text = query.get(name) or "false"
    if text not in {"true", "false"}:
        raise _bad_value(name)
    return text == "true"


def _checked_symbol(name: str, text: str) -> str:
    if has_illegal_characters(text):
        raise _illegal(name, "all but control characters")
    if len(text) > COIN_NAME_MAX_CHARS:
        raise InvalidSymbol
    return text


def _missing(name: str) -> str:
    raise BadRequest(
        -1102,
        f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
    )


def _illegal(name: str, legal: str) -> BadRequest:
    return BadRequest(
        -1100, f"Illegal characters found in parameter '{name}'; legal range is {legal}."
    )


def _bad_value(name: str) -> BadRequest:
    return BadRequest(-1130, f"Data sent for parameter '{name}' is not valid.")
