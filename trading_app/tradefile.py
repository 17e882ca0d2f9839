"""Reading trades from CSV files. Pure but for reading the open file.

The first line names the columns, in any order and case: ``coinName`` (or ``symbol``),
``price``, ``numOfCoin`` (or ``amount``, ``quantity``), ``timestamp`` (ISO 8601, without a zone
UTC; or seconds, milliseconds, microseconds or nanoseconds since 1970), and perhaps ``tradeId``
(or ``id``). Other columns are passed over.
"""

import csv
import gzip
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, NamedTuple

import records
from records import FieldError, InvalidTrade, Trade
from streaming.logs import escape

COLUMNS = {
    "coinName": ("coinname", "symbol"),
    "price": ("price",),
    "numOfCoin": ("numofcoin", "amount", "quantity"),
    "timestamp": ("timestamp",),
    "tradeId": ("tradeid", "id"),
}
OPTIONAL = {"tradeId"}

#: Below each bound, a number is in that unit: 1e11 s are in the year 5138, 1e11 ms in 1973.
EPOCH_UNITS_PER_MS = (
    (Decimal("1e11"), Decimal("0.001")),
    (Decimal("1e14"), Decimal(1)),
    (Decimal("1e17"), Decimal(1000)),
    (Decimal("1e20"), Decimal(1_000_000)),
)


#: Of a time in ms, from 2001 to 2286.
MS_DIGITS = 13


#: What csv takes of one cell, too. A file without line ends, or a packed one of zeros, would fill
#: the memory as one line.
LINE_MAX_CHARS = 128 * 1024
HEADER_SHOWN_CHARS = 200


class NotATradeFile(ValueError):
    """The file has no header with the columns of a trade, or a line that is too long."""


class Row(NamedTuple):
    """A trade and its time in ms since the epoch."""

    line: int
    trade: Trade
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A line that is no trade."""

    line: int
    reason: str


def open_file(name: str) -> AbstractContextManager[IO[str]]:
    """Open a CSV file, also packed (``.gz``); ``-`` is standard input. Raises OSError."""
    if name == "-":
        return nullcontext(sys.stdin)
    path = Path(name)
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def lines_of(file: IO[str]) -> Iterator[str]:
    """Yield the lines of an open file. Raises :exc:`NotATradeFile` at one that is too long."""
    while line := file.readline(LINE_MAX_CHARS + 1):
        if len(line) > LINE_MAX_CHARS:
            raise NotATradeFile(f"a line is longer than {LINE_MAX_CHARS} characters")
        yield line


def read(lines: Iterable[str], latest_ms: int) -> Iterator[Row | RefusedRow]:
    """Yield a row for each line; refused is what is later than ``latest_ms``.

    Raises :exc:`NotATradeFile`, and csv.Error.
    """
    table = csv.reader(lines)
    places = _find_columns(next(table, []))
    for cells in table:
        if cells:
            line = table.line_num
            yield _read_plain(line, cells, places, latest_ms) or _read_row(
                line, cells, places, latest_ms
            )


def _find_columns(header: list[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    places = {}
    for field, aliases in COLUMNS.items():
        found = [names.index(alias) for alias in aliases if alias in names]
        if found:
            places[field] = found[0]
        elif field not in OPTIONAL:
            raise NotATradeFile(
                f"there is no column {' or '.join(aliases)}; "
                f"the first line is: {escape(','.join(header)[:HEADER_SHOWN_CHARS])}"
            )
    return places


def _read_plain(line: int, cells: list[str], places: dict[str, int], latest_ms: int) -> Row | None:
    """Read a line that is as nearly all are, in a third of the time; else return None."""
    try:
        timestamp_ms = parse_time(cells[places["timestamp"]])
        trade = records.parse_plain(
            cells[places["coinName"]],
            cells[places["numOfCoin"]],
            cells[places["price"]],
            (cells[places["tradeId"]] or None) if "tradeId" in places else None,
        )
    except (IndexError, ValueError):
        return None
    return Row(line, trade, timestamp_ms) if trade and timestamp_ms <= latest_ms else None


def _read_row(
    line: int, cells: list[str], places: dict[str, int], latest_ms: int
) -> Row | RefusedRow:
    if max(places.values()) >= len(cells):
        return RefusedRow(line, "has too few columns")
    fields = {field: cells[place] for field, place in places.items()}
    if not fields.get("tradeId"):
        fields.pop("tradeId", None)
    errors: list[FieldError] = []
    try:
        timestamp_ms = parse_time(fields.pop("timestamp"))
        if timestamp_ms > latest_ms:
            errors.append({"field": "timestamp", "detail": "is too far in the future"})
    except ValueError as error:
        errors.append({"field": "timestamp", "detail": str(error)})
    try:
        trade = records.parse(fields)
    except InvalidTrade as error:
        errors += error.errors
    if errors:
        return RefusedRow(line, str(InvalidTrade(errors)))
    return Row(line, trade, timestamp_ms)


def parse_time(text: str) -> int:
    """Return ms since the epoch for a time in ISO 8601 or a number. Raises ValueError."""
    if len(text) == MS_DIGITS and text.isascii() and text.isdecimal() and text[0] != "0":
        return int(text)  # nearly always, if it is a number
    if text[4:5] != "-":
        try:
            return _from_number(Decimal(text))
        except InvalidOperation:
            pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be ISO 8601 or a number since 1970") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    ms = int(moment.timestamp()) * 1000 + moment.microsecond // 1000
    if ms < 0:
        raise ValueError("must not be before 1970")
    return ms


def _from_number(number: Decimal) -> int:
    if number.is_finite() and number >= 0:
        for bound, per_ms in EPOCH_UNITS_PER_MS:
            if number < bound:
                return int(number / per_ms)
    raise ValueError("must be a number since 1970, in seconds to nanoseconds")
