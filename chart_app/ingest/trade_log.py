"""The line that is logged for each trade."""

from typing import Any

from chart_app.model.decoder import Record
from chart_app.model.times import format_time
from chart_app.model.trades import Trades
from streaming.kafka.batch import Batch
from streaming.logs import quote_value
from trade_rules import TradeMessage


def lines(batch: Batch, trades: Trades) -> list[str]:
    """Return a line for each trade.

    ``trade topic=… partition=… offset=… coinName=… price=… numOfCoin=… time=…[ tradeId=…]``
    """
    head = f"trade topic={batch.topic} partition={batch.partition} offset="
    names = {coin: quote_value(coin) for coin in set(trades.coins)}
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
            trades.sender_ids,
            strict=True,
        )
    ]


def fields(batch: Batch, record: Record, trade: TradeMessage) -> dict[str, Any]:
    """Return the same values as fields of a JSON line; numbers keep their digits."""
    values = {
        "topic": batch.topic,
        "partition": batch.partition,
        "offset": record.offset,
        "coinName": trade.coinName,
        "price": trade.price,
        "numOfCoin": trade.numOfCoin,
        "tradeTime": format_time(record.timestamp),
    }
    if trade.tradeId is not None:
        values["tradeId"] = trade.tradeId
    return values


def _quote_id(trade_id: str) -> str:
    return trade_id if trade_id.isalnum() else quote_value(trade_id)
