"""Decodes the records of the topic: splits them into trades and refused records."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

import trade_rules
from chart_app.model.candles import sequence
from chart_app.model.decimals import plain
from chart_app.model.refusals import Reason, Refusal
from chart_app.model.times import is_time
from chart_app.model.trade_ids import trade_id
from chart_app.model.trades import StoredTrade, Trades
from trade_rules import COIN_NOT_TAKEN, InvalidTrade, TradeMessage


class Record(Protocol):
    """The fields of a Kafka record that are read here."""

    @property
    def offset(self) -> int:
        """Its offset in the partition."""

    @property
    def timestamp(self) -> int:
        """Its time in ms."""

    @property
    def value(self) -> bytes | None:
        """Its value: a trade as JSON."""


class Decoded(NamedTuple):
    """The valid trades, their records, and the other records, each with the reason."""

    trades: Trades
    valid: Sequence[Record]
    refused: list[tuple[Record, Refusal]]


#: Returns whether trades of a coin are taken; None: of any.
TakesCoin = Callable[[str], bool] | None


def decode(partition_id: int, records: Sequence[Record], takes_coin: TakesCoin = None) -> Decoded:
    """Decode records of a partition. For ``partition_id`` see :mod:`chart_app.model.trade_ids`."""
    trades = _decode_together(partition_id, records)
    if trades is None or not (takes_coin is None or all(map(takes_coin, set(trades.coins)))):
        return _decode_each(partition_id, records, takes_coin)
    return Decoded(trades, records, [])


def _decode_together(partition_id: int, records: Sequence[Record]) -> Trades | None:
    """Return the trades, decoded by column, or None if a record is not of the common form."""
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
        tuple(
            [integer or text or None for integer, text in zip(integer_ids, text_ids, strict=True)]
        ),
        offsets,
        prices,
        amounts,
    )


def _decode_each(
    partition_id: int, records: Iterable[Record], takes_coin: TakesCoin = None
) -> Decoded:
    trades: list[StoredTrade] = []
    valid: list[Record] = []
    refused: list[tuple[Record, Refusal]] = []
    for record in records:
        try:
            trade = trade_rules.decode(record.value)
        except InvalidTrade as error:
            refused.append((record, Refusal(Reason.INVALID, str(error))))
            continue
        if not is_time(record.timestamp):
            detail = f"timestamp: {record.timestamp} is not a valid time"
            refused.append((record, Refusal(Reason.INVALID, detail)))
        elif takes_coin is not None and not takes_coin(trade.coinName):
            refused.append((record, _NOT_TAKEN))
        else:
            trades.append(_stored_trade(partition_id, record, trade))
            valid.append(record)
    return Decoded(Trades.of(trades), valid, refused)


_NOT_TAKEN = Refusal(Reason.COIN, str(InvalidTrade([COIN_NOT_TAKEN])))


def _stored_trade(partition_id: int, record: Record, trade: TradeMessage) -> StoredTrade:
    offset = record.offset
    sender_id = None if trade.tradeId is None else str(trade.tradeId)
    order = sequence(sender_id, offset)
    if sender_id is not None:
        sender_id = sender_id.replace("\0", "\N{SYMBOL FOR NULL}")  # PostgreSQL's text has no NUL
    return StoredTrade(
        trade.coinName,
        record.timestamp,
        order,
        trade_id(partition_id, offset),
        trade.price,
        trade.numOfCoin,
        sender_id,
        offset,
        plain(trade.price),
        plain(trade.numOfCoin),
    )
