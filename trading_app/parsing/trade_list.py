"""Parses many trades in one body: a JSON array, or NDJSON. Pure: no I/O, no clock.

Errors::

    BadBody           the body is not a list of trades
      + TooMany       it has more than MAX_TRADES
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import itemgetter
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

    def read(self, items: Sequence[bytes | msgspec.Raw], rules: Rules, now_ms: int) -> None:
        """Parse the next items of the list."""
        start = self.count
        self.count += len(items)
        for index, item in enumerate(items, start):
            try:
                submitted = read_json(bytes(item), rules, now_ms)
            except InvalidTrade as error:
                self.rejected.append({"index": index, "errors": error.errors})
            else:
                self.records.append(record_of(submitted.trade, submitted.timestamp_ms))
                self.indexes.append(index)

    def reject_coins(self, is_allowed: Callable[[str], bool], detail: str) -> bool:
        """Reject the trades of coins that are not allowed; return whether there are any."""
        kept = [is_allowed(record.key.decode()) for record in self.records]
        refused = [index for index, is_kept in zip(self.indexes, kept, strict=True) if not is_kept]
        self.records = list(compress(self.records, kept))
        self.indexes = list(compress(self.indexes, kept))
        self.rejected += [
            {"index": index, "errors": [{"field": "coinName", "detail": detail}]}
            for index in refused
        ]
        self.rejected.sort(key=itemgetter("index"))
        return bool(refused)


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
