"""Parses many trades in one body: a JSON array, or NDJSON. Pure: no I/O, no clock.

Errors::

    BadBody           the body is not a list of trades
      + TooMany       it has more than MAX_TRADES
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import msgspec

from trade_rules import FieldError, InvalidTrade
from trading_app.parsing.submission import Rules, TradeRecord, read_json, record_of

MAX_TRADES = 10_000
#: More than any list of trades has. An array of short items would take too much memory.
MAX_COMMAS = 40 * MAX_TRADES


class BadBody(ValueError):
    """The body is not a list of trades."""

    status = 400


class TooMany(BadBody):
    """The body has more than :data:`MAX_TRADES` trades."""

    status = 413

    def __str__(self) -> str:
        return f"There are more than {MAX_TRADES} trades."


class Rejected(TypedDict):
    """The errors of the trade at an index of the list."""

    index: int
    errors: list[FieldError]


@dataclass
class Bulk:
    """The result of parsing ``count`` items: records to send, their indexes, and rejected items."""

    records: list[TradeRecord] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    count: int = 0

    def read(
        self,
        items: Sequence[bytes | msgspec.Raw],
        rules: Rules,
        now_ms: int,
        coin_error: Callable[[str], str | None] | None = None,
        *,
        allow_old: bool = False,
    ) -> None:
        """Parse the next items of the list, as :func:`submission.read_json` parses one.

        ``coin_error`` returns why trades of a coin are rejected, None if they are not.
        """
        start = self.count
        self.count += len(items)
        for index, item in enumerate(items, start):
            try:
                submitted = read_json(bytes(item), rules, now_ms, allow_old=allow_old)
            except InvalidTrade as error:
                self.rejected.append({"index": index, "errors": error.errors})
                continue
            if coin_error and (detail := coin_error(submitted.trade.coinName)):
                errors: list[FieldError] = [{"field": "coinName", "detail": detail}]
                self.rejected.append({"index": index, "errors": errors})
                continue
            self.records.append(record_of(submitted.trade, submitted.timestamp_ms))
            self.indexes.append(index)


_split_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


def split_array(body: bytes) -> Sequence[msgspec.Raw]:
    """Return the items of a JSON array, unparsed. Raises :exc:`BadBody`."""
    if body.count(b",") > MAX_COMMAS:
        raise TooMany
    try:
        items = _split_array(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadBody(f"The body is not a JSON array: {error}") from None
    except RecursionError:
        raise BadBody("The body is not a JSON array: it is nested too deeply") from None
    if len(items) > MAX_TRADES:
        raise TooMany
    return items


def size_of(items: Sequence[bytes | msgspec.Raw]) -> int:
    """Return the total size of items in bytes."""
    return sum(map(len, items))


def split_lines(body: bytes) -> Sequence[bytes]:
    """Return the lines of NDJSON that are not empty. Raises :exc:`BadBody`."""
    lines = body.split(b"\n", MAX_TRADES + 1)
    if len(lines) > MAX_TRADES + 1 or (len(lines) > MAX_TRADES and lines[-1].strip()):
        raise TooMany
    return [line for line in lines if line.strip()]
