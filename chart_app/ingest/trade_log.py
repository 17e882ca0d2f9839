"""The line that is logged for each trade. Pure."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from chart_app.model.trades import Trades
from records import Trade
from streaming.kafka.transport import Batch, Record
from streaming.logs import HIDDEN

TIMESTAMP_MAX_MS = 253_402_300_799_999  # the end of the year 9999, the last that ISO 8601 writes

_MILLISECONDS = [f".{ms:03d}Z" for ms in range(1000)]

_NEEDS_QUOTES = re.compile(rf'[\s"=\\{HIDDEN}]')
_NEEDS_ESCAPE = re.compile(rf'["\\{HIDDEN}]')


def lines(batch: Batch, trades: Trades) -> list[str]:
    """Return ``trade topic=… partition=… offset=… coinName=… price=… numOfCoin=… time=…`` each."""
    head = f"trade topic={batch.topic} partition={batch.partition} offset="
    names = {coin: quote(coin) for coin in set(trades.coins)}
    times = {time: format_time(time) for time in set(trades.times)}
    return [
        f"{head}{offset} coinName={names[coin]} price={price} numOfCoin={amount} "
        f"time={times[time]}"
        f"{'' if trade_id is None else f' tradeId={_quote_id(trade_id)}'}"
        for offset, coin, price, amount, time, trade_id in zip(
            trades.offsets,
            trades.coins,
            trades.price_texts,
            trades.amount_texts,
            trades.times,
            trades.trade_ids,
            strict=True,
        )
    ]


def fields(batch: Batch, record: Record, trade: Trade) -> dict[str, Any]:
    """Return the same facts for JSON lines; numbers keep their digits."""
    facts = {
        "topic": batch.topic,
        "partition": batch.partition,
        "offset": record.offset,
        "coinName": trade.coinName,
        "price": trade.price,
        "numOfCoin": trade.numOfCoin,
        "tradeTime": format_time(record.timestamp),
    }
    if trade.tradeId is not None:
        facts["tradeId"] = trade.tradeId
    return facts


def _quote_id(trade_id: str) -> str:
    return trade_id if trade_id.isalnum() else quote(trade_id)


def format_time(timestamp_ms: int) -> str:
    """Return ms since the epoch, at most :data:`TIMESTAMP_MAX_MS`, in ISO 8601."""
    seconds, ms = divmod(timestamp_ms, 1000)
    return _format_second(seconds) + _MILLISECONDS[ms]


@lru_cache(maxsize=1024)
def _format_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def quote(value: str) -> str:
    """Return the value as it stands, or as a JSON string where it could be taken for more.

    Quoted is what has blanks, quotes, equals signs, backslashes or control characters.
    """
    if value and not _NEEDS_QUOTES.search(value):
        return value
    return f'"{_NEEDS_ESCAPE.sub(_escape, value)}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return f"\\{character}" if character in '"\\' else f"\\u{ord(character):04x}"
