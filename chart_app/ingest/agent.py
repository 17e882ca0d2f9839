"""The Faust agent: the consumer group of the trades."""

import logging

import faust

from chart_app.ingest.trade_consumer import TradeConsumer
from streaming.app import App
from streaming.kafka.batch import Batch

logger = logging.getLogger(__name__)


def add_agent(app: App, topic: faust.TopicT, consumer: TradeConsumer) -> None:
    """Have the app consume the topic."""

    @app.agent(topic)
    async def consume_trades(batches: faust.StreamT[Batch]) -> None:
        try:
            await consumer.consume(aiter(batches))
        except Exception as error:
            # Faust would restart the agent and go on behind the batch.
            logger.exception("A batch could not be handled; the worker ends")
            await app.crash(error)
