"""The Faust agent that consumes the trades."""

import logging

import faust

from chart_app.ingest.trade_consumer import TradeConsumer
from chart_app.storage.errors import WrongStore
from streaming.app import App
from streaming.kafka.batch import Batches

logger = logging.getLogger(__name__)


def add_agent(app: App, topic: faust.TopicT, consumer: TradeConsumer) -> None:
    """Add an agent to the app that consumes the topic."""

    @app.agent(topic)
    async def consume_trades(fetches: faust.StreamT[Batches]) -> None:
        try:
            await consumer.consume(aiter(fetches))
        except WrongStore as error:
            logger.critical("%s", error)
            await app.crash(error)
        except Exception as error:
            # Faust would restart the agent and continue after the batch.
            logger.exception("Could not process a batch; the worker stops")
            await app.crash(error)
