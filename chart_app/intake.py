"""What stands on the topic, told apart: trades as the store takes them, and what is none. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any, NamedTuple

import records
from chart_app import trade_log
from chart_app.candles import Tick, sequence
from chart_app.portion import StoredTrade
from chart_app.schema import plain, trade_id
from records import InvalidTrade, Trade
from streaming.dead_letter import DeadLetter
from streaming.transport import Record


class Intake(NamedTuple):
    """The trades among some records, the records that they stood in, and what is no trade."""

    trades: list[StoredTrade]
    records: list[Record]
    letters: list[DeadLetter]


def take_in(log: int, records_: list[Record]) -> Intake:
    """Tell the trades of a partition from what is none. ``log`` is its number in the store."""
    trades = _take_in_plain(log, records_)
    return _take_in_each(log, records_) if trades is None else Intake(trades, records_, [])


def _take_in_plain(log: int, records_: Sequence[Record]) -> list[StoredTrade] | None:
    """Return the trades if all records are as nearly all are, else None: in C, column by column."""
    texts = records.read_texts([record.value for record in records_])
    times = [record.timestamp for record in records_]
    if not texts or not all(map(_is_time, (min(times), max(times)))):
        return None
    names, amounts, prices, integer_ids, text_ids = zip(*texts, strict=True)
    offsets = [record.offset for record in records_]
    first_id = trade_id(log, 0)
    places = [
        int(integer_id) if integer_id else sequence(text_id or None, offset)
        for integer_id, text_id, offset in zip(integer_ids, text_ids, offsets, strict=True)
    ]
    ids = [first_id + offset for offset in offsets]
    ticks = _tuples(Tick, times, places, ids, map(Decimal, prices), map(Decimal, amounts))
    own_ids = [integer_id or text_id or None for *_, integer_id, text_id in texts]
    return list(_tuples(StoredTrade, names, ticks, own_ids, offsets, prices, amounts))


def _tuples(cls: Any, *columns: Iterable[Any]) -> Iterable[Any]:
    # Their generated constructors take twice as long.
    return map(tuple.__new__, repeat(cls), zip(*columns, strict=True))


def _take_in_each(log: int, records_: Iterable[Record]) -> Intake:
    intake = Intake([], [], [])
    for record in records_:
        try:
            trade = records.decode(record.value)
        except InvalidTrade as error:
            intake.letters.append(DeadLetter(record, str(error)))
            continue
        if _is_time(record.timestamp):
            intake.trades.append(_stored_trade(log, record, trade))
            intake.records.append(record)
        else:
            reason = f"timestamp: {record.timestamp} is no time"
            intake.letters.append(DeadLetter(record, reason))
    return intake


def _is_time(timestamp_ms: int) -> bool:
    return 0 <= timestamp_ms <= trade_log.TIMESTAMP_MAX_MS


def _stored_trade(log: int, record: Record, trade: Trade) -> StoredTrade:
    offset = record.offset
    own_id = None if trade.tradeId is None else str(trade.tradeId)
    id_ = trade_id(log, offset)
    tick = Tick(record.timestamp, sequence(own_id, offset), id_, trade.price, trade.numOfCoin)
    if own_id is not None:
        own_id = own_id.replace("\0", "\N{SYMBOL FOR NULL}")  # PostgreSQL has no NUL
    price, amount = plain(trade.price), plain(trade.numOfCoin)
    return StoredTrade(trade.coinName, tick, own_id, offset, price, amount)
