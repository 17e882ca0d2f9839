"""Unmodified Faust: an agent over a plain Record, one log line per trade."""

import logging
import os
from datetime import UTC, datetime

import faust

logger = logging.getLogger(__name__)


class Trade(faust.Record):
    """One trade."""

    coinName: str
    numOfCoin: float
    price: float
    tradeId: int


app = faust.App(
    os.environ["GROUP"],
    broker=f"kafka://{os.environ['BROKER']}",
    consumer_auto_offset_reset="earliest",
    topic_partitions=4,
)
trades = app.topic(os.environ["TOPIC"], value_type=Trade)


@app.agent(trades)
async def log_trades(stream: faust.StreamT[Trade]) -> None:
    """Log each trade."""
    async for event in stream.events():
        trade = event.value
        logger.info(
            "trade topic=%s partition=%s offset=%s coinName=%s price=%s numOfCoin=%s time=%s "
            "tradeId=%s",
            event.message.topic,
            event.message.partition,
            event.message.offset,
            trade.coinName,
            trade.price,
            trade.numOfCoin,
            datetime.fromtimestamp(event.message.timestamp, UTC).isoformat(),
            trade.tradeId,
        )
