"""What stands on the topic, told apart: trades as the store takes them, and what is none. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

import records
from chart_app.ingest import trade_log
from chart_app.model.candles import sequence
from chart_app.model.trades import StoredTrade, Trades
from chart_app.storage.schema import plain, trade_id
from records import InvalidTrade, Trade
from streaming.kafka.dead_letter import DeadLetter
from streaming.kafka.transport import Record


class Intake(NamedTuple):
    """The trades among some records, the records that they stood in, and what is no trade."""

    trades: Trades
    records: Sequence[Record]
    letters: list[DeadLetter]


def take_in(log: int, records_: Sequence[Record]) -> Intake:
    """Tell the trades of a partition from what is none. ``log`` is its number in the store."""
    trades = _take_in_plain(log, records_)
    return _take_in_each(log, records_) if trades is None else Intake(trades, records_, [])


def _take_in_plain(log: int, records_: Sequence[Record]) -> Trades | None:
    """Return the trades if all records are as nearly all are, else None: in C, column by column."""
    texts = records.read_texts([record.value for record in records_])
    times = tuple([record.timestamp for record in records_])
    if not texts or not all(map(_is_time, (min(times), max(times)))):
        return None
    coins, amounts, prices, integer_ids, text_ids = zip(*texts, strict=True)
    offsets = tuple([record.offset for record in records_])
    first_id = trade_id(log, 0)
    sequences = [
        int(integer_id) if integer_id else sequence(text_id or None, offset)
        for integer_id, text_id, offset in zip(integer_ids, text_ids, offsets, strict=True)
    ]
    return Trades(
        coins,
        times,
        tuple(sequences),
        tuple([first_id + offset for offset in offsets]),
        tuple(map(Decimal, prices)),
        tuple(map(Decimal, amounts)),
        tuple([one or other or None for one, other in zip(integer_ids, text_ids, strict=True)]),
        offsets,
        prices,
        amounts,
    )


def _take_in_each(log: int, records_: Iterable[Record]) -> Intake:
    trades: list[StoredTrade] = []
    kept: list[Record] = []
    letters: list[DeadLetter] = []
    for record in records_:
        try:
            trade = records.decode(record.value)
        except InvalidTrade as error:
            letters.append(DeadLetter(record, str(error)))
            continue
        if _is_time(record.timestamp):
            trades.append(_stored_trade(log, record, trade))
            kept.append(record)
        else:
            reason = f"timestamp: {record.timestamp} is no time"
            letters.append(DeadLetter(record, reason))
    return Intake(Trades.of(trades), kept, letters)


def _is_time(timestamp_ms: int) -> bool:
    return 0 <= timestamp_ms <= trade_log.TIMESTAMP_MAX_MS


def _stored_trade(log: int, record: Record, trade: Trade) -> StoredTrade:
    offset = record.offset
    own_id = None if trade.tradeId is None else str(trade.tradeId)
    place = sequence(own_id, offset)
    if own_id is not None:
        own_id = own_id.replace("\0", "\N{SYMBOL FOR NULL}")  # PostgreSQL has no NUL
    return StoredTrade(
        trade.coinName,
        record.timestamp,
        place,
        trade_id(log, offset),
        trade.price,
        trade.numOfCoin,
        own_id,
        offset,
        plain(trade.price),
        plain(trade.numOfCoin),
    )
