"""The parameters of Binance's API, and its errors for invalid ones."""

import re
from collections.abc import Mapping

import msgspec

from chart_app.model.intervals import DAY_MS, HOUR_MS, MINUTE_MS, Interval
from chart_app.model.zones import parse_offset
from trade_rules import COIN_NAME_MAX_CHARS, has_illegal_characters

DEFAULT_LIMIT = 500
MAX_LIMIT = 1000
MAX_SYMBOLS = 400

TICKS_PER_MS = {"MILLISECOND": 1, "MICROSECOND": 1000}
_WINDOW = re.compile(r"([1-9][0-9]?)([mhd])").fullmatch
#: Each unit in ms, and how many of it are too many.
_WINDOW_UNITS = {"m": (MINUTE_MS, 60), "h": (HOUR_MS, 24), "d": (DAY_MS, 8)}
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
    if text == "":
        raise BadRequest(-1105, "Parameter 'symbol' was empty.")
    return None if text is None else _checked_symbol("symbol", text)


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


def ticks_per_ms(query: Query) -> int:
    """Return the unit of the times that are answered, by ``timeUnit``."""
    text = query.get("timeUnit") or "MILLISECOND"
    try:
        return TICKS_PER_MS[text.upper()]
    except KeyError:
        raise BadRequest(-1194, "Invalid value for time unit.") from None


def is_mini(query: Query) -> bool:
    """Return whether a ticker is to have its main fields only, by ``type``."""
    text = query.get("type") or "FULL"
    if text not in {"FULL", "MINI"}:
        raise _bad_value("type")
    return text == "MINI"


def window_ms(query: Query) -> int:
    """Return the length of ``windowSize``: 1m to 59m, 1h to 23h, 1d to 7d; by default a day."""
    found = _WINDOW(query.get("windowSize") or "1d")
    number = int(found[1]) if found else 0
    unit, end = _WINDOW_UNITS[found[2]] if found else (0, 0)
    if not 0 < number < end:
        raise _bad_value("windowSize")
    return number * unit


def time_zone_ms(query: Query) -> int:
    """Return the offset of ``timeZone`` from UTC: hours, or hours and minutes, −12:00 to +14:00.

    A blank counts as a plus: so a query reads if the client has not escaped it.
    """
    offset = parse_offset((query.get("timeZone") or "0").replace(" ", "+"))
    if offset is None:
        raise _bad_value("timeZone")
    return offset


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
