"""Reads trades from CSV files. Pure, except that it reads the open file.

The first line names the columns, in any order and case, by the names in :data:`COLUMNS`; other
columns are ignored. Times are ISO 8601, in UTC if they have no zone; or seconds, milliseconds,
microseconds or nanoseconds since 1970.

Errors::

    NotATradeFile     the file has no header with the columns of a trade
      + NotUTF8       it is in another encoding
      + NoTrade       it has no valid line, but one is needed
      + ReadOnce      it is a pipe, but must be read twice
"""

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import inf
from pathlib import Path
from typing import IO, Any, NamedTuple

import trade_rules
from streaming.logs import escape
from trade_rules import COIN_NOT_TAKEN, FieldError, InvalidTrade, TradeMessage

#: The names that a column may have, in lower case, in order of preference.
COLUMNS = {
    "coinName": ("coinname", "symbol"),
    "price": ("price",),
    "numOfCoin": ("numofcoin", "amount", "quantity", "qty", "size"),
    "timestamp": ("timestamp", "time"),
    "tradeId": ("tradeid", "id"),
}
OPTIONAL = {"tradeId"}

STANDARD_INPUT = "-"

#: (bound, units per ms): numbers below the bound are in that unit, the first that fits. 1e11 s
#: are in the year 5138, 1e11 ms in 1973.
EPOCH_UNITS_PER_MS = (
    (Decimal("1e11"), Decimal("0.001")),
    (Decimal("1e14"), Decimal(1)),
    (Decimal("1e17"), Decimal(1000)),
    (Decimal("1e20"), Decimal(1_000_000)),
)


#: The digits of a time in ms from 2001 to 2286.
MS_DIGITS = 13


#: Also the limit of the csv module for one cell. A file without line ends, or a compressed one of
#: zeros, would fill the memory as one line.
LINE_MAX_CHARS = 128 * 1024
HEADER_SHOWN_CHARS = 200


class NotATradeFile(ValueError):
    """The file has no header with the columns of a trade, or a line that is too long."""


class NotUTF8(NotATradeFile):
    """The file is in another encoding."""

    def __str__(self) -> str:
        return (
            "the file is not in UTF-8; convert it first, for example with "
            "iconv --from-code=CP949 --to-code=UTF-8 (or --from-code=UTF-16)"
        )


class NoTrade(NotATradeFile):
    """The file has no valid line."""

    def __str__(self) -> str:
        return "no line of the file is a trade"


class ReadOnce(NotATradeFile):
    """The file is a pipe, but must be read twice."""

    def __str__(self) -> str:
        return "it must be read twice, which is not possible with a pipe; save it to a file first"


class Row(NamedTuple):
    """A trade with its line number, and its time in ms since the epoch."""

    line: int
    trade: TradeMessage
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A line that is not a valid trade, with the reason."""

    line: int
    reason: str


def open_file(name: str) -> AbstractContextManager[IO[str]]:
    """Open a CSV file, also a compressed one (``.gz``); ``-`` is standard input. Raises OSError."""
    if name == STANDARD_INPUT:
        return open(0, encoding="utf-8-sig", newline="", closefd=False)
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


@dataclass(frozen=True, slots=True)
class FileRules:
    """The times and coins that the lines of a file may have."""

    #: Returns the latest time that a trade may have, when its line is read.
    latest_ms: Callable[[], float] = lambda: inf
    #: Returns whether trades of a coin are taken; None: of any.
    takes_coin: Callable[[str], bool] | None = None


ANY = FileRules()


def read(lines: Iterable[str], rules: FileRules = ANY) -> Iterator[Row | RefusedRow]:
    """Read the header now; return an iterator of one row per line.

    Both this function and the iterator raise :exc:`NotATradeFile`.
    """
    reader = csv.reader(_decoded(lines))
    columns = _find_columns(next(_read_cells(reader), []))
    return (
        _read_row(reader.line_num, cells, columns, rules) for cells in _read_cells(reader) if cells
    )


def _read_cells(reader: Any) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise NotATradeFile(f"line {reader.line_num}: {error}") from None


def _decoded(lines: Iterable[str]) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError:
        raise NotUTF8 from None


class TimeRange(NamedTuple):
    """The times of a file's first trade and of its latest, in ms since the epoch."""

    first_ms: int
    latest_ms: int

    @classmethod
    def of(cls, file: IO[str]) -> "TimeRange":
        """Read a file to its end and seek back to its start.

        Raises :exc:`NotATradeFile`, and any error of reading.
        """
        if not file.seekable():
            raise ReadOnce
        times = (row.timestamp_ms for row in read(lines_of(file)) if isinstance(row, Row))
        first_ms = next(times, None)
        if first_ms is None:
            raise NoTrade
        span = cls(first_ms, max(times, default=first_ms))
        file.seek(0)
        return span

    def shift_ms(self, speed: float, start_ms: int) -> int:
        """Return the shift of all times for a replay that starts at ``start_ms``.

        No trade gets a later time than that of its sending. At a ``speed`` of 1 or more the
        latest trade, below 1 the first one, is sent exactly at its shifted time.
        """
        ahead_ms = (self.latest_ms - self.first_ms) * max(0, 1 - 1 / speed)
        return start_ms - self.first_ms - round(ahead_ms)


def shifted(rows: Iterable[Row | RefusedRow], shift_ms: int) -> Iterator[Row | RefusedRow]:
    """Yield the rows with their times shifted, as new trades without trade ids.

    With the ids, the trades of a repeated replay would count as duplicates of stored ones.
    """
    for row in rows:
        if isinstance(row, RefusedRow):
            yield row
        elif row.timestamp_ms + shift_ms < 0:
            yield RefusedRow(row.line, "timestamp: would be before 1970 after the shift")
        else:
            coin, amount, price = row.trade.coinName, row.trade.numOfCoin, row.trade.price
            yield Row(row.line, TradeMessage(coin, amount, price), row.timestamp_ms + shift_ms)


def _find_columns(header: list[str]) -> dict[str, int]:
    if any("\0" in name for name in header):
        raise NotUTF8  # UTF-16 without a byte order mark
    names = [name.strip().lower() for name in header]
    columns = {}
    for field, aliases in COLUMNS.items():
        found = [names.index(alias) for alias in aliases if alias in names]
        if found:
            columns[field] = found[0]
        elif field not in OPTIONAL:
            raise NotATradeFile(
                f"there is no column {' or '.join(aliases)}; "
                f"the first line is: {escape(','.join(header)[:HEADER_SHOWN_CHARS])}"
            )
    return columns


def _read_row(
    line: int, cells: list[str], columns: dict[str, int], rules: FileRules
) -> Row | RefusedRow:
    if max(columns.values()) >= len(cells):
        return RefusedRow(line, "has too few columns")
    fields = {field: cells[column] for field, column in columns.items()}
    if not fields.get("tradeId"):
        fields.pop("tradeId", None)
    errors: list[FieldError] = []
    try:
        timestamp_ms = parse_time(fields.pop("timestamp"))
        if timestamp_ms > rules.latest_ms():
            errors.append({"field": "timestamp", "detail": "is too far in the future"})
    except ValueError as error:
        errors.append({"field": "timestamp", "detail": str(error)})
    try:
        trade = trade_rules.parse(fields)
    except InvalidTrade as error:
        errors += error.errors
    else:
        if rules.takes_coin and not rules.takes_coin(trade.coinName):
            errors.append(COIN_NOT_TAKEN)
    if errors:
        return RefusedRow(line, str(InvalidTrade(errors)))
    return Row(line, trade, timestamp_ms)


def parse_time(text: str) -> int:
    """Return ms since the epoch for a time in ISO 8601 or a number. Raises ValueError."""
    if len(text) == MS_DIGITS and text.isascii() and text.isdecimal() and text[0] != "0":
        return int(text)  # the common case of a number
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
