"""quixstreams, as in its documentation: a function call per message, one log line per trade.

quixstreams is installed only in the benchmarks' own environment: see bench/venv.py.
"""

import logging
import os
from datetime import UTC, datetime
from typing import Any

from quixstreams import Application, message_context  # type: ignore[import-not-found]

logger = logging.getLogger(__name__)


def log_trade(trade: dict[str, Any], _key: Any, timestamp_ms: int, _headers: Any) -> None:
    """Log a trade."""
    message = message_context()
    logger.info(
        "trade topic=%s partition=%s offset=%s coinName=%s price=%s numOfCoin=%s time=%s "
        "tradeId=%s",
        message.topic,
        message.partition,
        message.offset,
        trade["coinName"],
        trade["price"],
        trade["numOfCoin"],
        datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(),
        trade["tradeId"],
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = Application(
        broker_address=os.environ["BROKER"],
        consumer_group=os.environ["GROUP"],
        auto_offset_reset="earliest",
        loglevel=None,
    )
    app.dataframe(app.topic(os.environ["TOPIC"], value_deserializer="json")).update(
        log_trade, metadata=True
    )
    app.run()
