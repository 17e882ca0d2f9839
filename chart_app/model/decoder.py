"""Records of the topic, decoded: valid trades as the store takes them, and invalid records."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

import trade_rules
from chart_app.model.candles import sequence
from chart_app.model.decimals import plain
from chart_app.model.times import is_time
from chart_app.model.trade_ids import trade_id
from chart_app.model.trades import StoredTrade, Trades
from trade_rules import InvalidTrade, TradeMessage


class Record(Protocol):
    """What is read here of a record of Kafka."""

    @property
    def offset(self) -> int:
        """Where it stands."""

    @property
    def timestamp(self) -> int:
        """Its time in ms."""

    @property
    def value(self) -> bytes | None:
        """The message."""


class Decoded(NamedTuple):
    """The trades among some records, the valid records, and the invalid ones with the reason."""

    trades: Trades
    valid: Sequence[Record]
    invalid: list[tuple[Record, str]]


def decode(partition_id: int, records: Sequence[Record]) -> Decoded:
    """Decode records of a partition. For its id see :mod:`chart_app.model.trade_ids`."""
    trades = _decode_together(partition_id, records)
    if trades is None:
        return _decode_each(partition_id, records)
    return Decoded(trades, records, [])


def _decode_together(partition_id: int, records: Sequence[Record]) -> Trades | None:
    """Return the trades if all records are of the common form, else None: column by column."""
    texts = trade_rules.read_texts([record.value for record in records])
    times = tuple([record.timestamp for record in records])
    if not texts or not all(map(is_time, (min(times), max(times)))):
        return None
    coins, amounts, prices, integer_ids, text_ids = zip(*texts, strict=True)
    offsets = tuple([record.offset for record in records])
    first_id = trade_id(partition_id, 0)
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


def _decode_each(partition_id: int, records: Iterable[Record]) -> Decoded:
    trades: list[StoredTrade] = []
    valid: list[Record] = []
    invalid: list[tuple[Record, str]] = []
    for record in records:
        try:
            trade = trade_rules.decode(record.value)
        except InvalidTrade as error:
            invalid.append((record, str(error)))
            continue
        if is_time(record.timestamp):
            trades.append(_stored_trade(partition_id, record, trade))
            valid.append(record)
        else:
            invalid.append((record, f"timestamp: {record.timestamp} is no time"))
    return Decoded(Trades.of(trades), valid, invalid)


def _stored_trade(partition_id: int, record: Record, trade: TradeMessage) -> StoredTrade:
    offset = record.offset
    own_id = None if trade.tradeId is None else str(trade.tradeId)
    place = sequence(own_id, offset)
    if own_id is not None:
        own_id = own_id.replace("\0", "\N{SYMBOL FOR NULL}")  # PostgreSQL has no NUL
    return StoredTrade(
        trade.coinName,
        record.timestamp,
        place,
        trade_id(partition_id, offset),
        trade.price,
        trade.numOfCoin,
        own_id,
        offset,
        plain(trade.price),
        plain(trade.numOfCoin),
    )
