"""aiokafka's consumer without a framework: ``getmany``, one log line per trade."""

import asyncio
import json
import logging
import os
from datetime import UTC, datetime

import uvloop
from aiokafka import AIOKafkaConsumer

logger = logging.getLogger(__name__)


async def main() -> None:
    """Log each trade, until the process is stopped."""
    consumer = AIOKafkaConsumer(
        os.environ["TOPIC"],
        bootstrap_servers=os.environ["BROKER"],
        group_id=os.environ["GROUP"],
        auto_offset_reset="earliest",
    )
    async with consumer:
        while True:
            batches = await consumer.getmany(timeout_ms=1000)
            for messages in batches.values():
                for message in messages:
                    trade = json.loads(message.value or b"")
                    logger.info(
                        "trade topic=%s partition=%s offset=%s coinName=%s price=%s "
                        "numOfCoin=%s time=%s tradeId=%s",
                        message.topic,
                        message.partition,
                        message.offset,
                        trade["coinName"],
                        trade["price"],
                        trade["numOfCoin"],
                        datetime.fromtimestamp(message.timestamp / 1000, UTC).isoformat(),
                        trade["tradeId"],
                    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
