"""confluent-kafka's consumer for throughput: batches, orjson, one write a batch, a line per trade.

With the argument ``tuned`` it fetches ahead without pauses. confluent-kafka and orjson are
installed only in the benchmarks' own environment: bench/venv.py.
"""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson  # type: ignore[import-not-found]
from confluent_kafka import Consumer  # type: ignore[import-not-found]

BATCH_RECORDS = 10_000
#: By default it stops fetching at 100,000 records a partition, and then for 1 s.
TUNING = {"queued.min.messages": 1_000_000, "fetch.queue.backoff.ms": 10}
TIMEOUT_S = 0.1


def main() -> None:
    """Log each trade, until the process is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["BROKER"],
            "group.id": os.environ["GROUP"],
            "auto.offset.reset": "earliest",
            **(TUNING if sys.argv[1:] == ["tuned"] else {}),
        }
    )
    consumer.subscribe([os.environ["TOPIC"]])
    try:
        while True:
            if messages := consumer.consume(BATCH_RECORDS, TIMEOUT_S):
                sys.stdout.write("".join(lines(messages)))
                sys.stdout.flush()
    finally:
        consumer.close()


def lines(messages: Sequence[Any]) -> Iterator[str]:
    """Yield the line of each trade."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    prefix = f"{now} INFO trades trade topic={os.environ['TOPIC']} partition="
    for message in messages:
        if error := message.error():
            sys.exit(str(error))
        trade = orjson.loads(message.value())
        yield (
            f"{prefix}{message.partition()} offset={message.offset()} "
            f"coinName={trade['coinName']} price={trade['price']} "
            f"numOfCoin={trade['numOfCoin']} time={iso(message.timestamp()[1])} "
            f"tradeId={trade['tradeId']}\n"
        )


@lru_cache(maxsize=1000)
def iso(timestamp_ms: int) -> str:
    """Return a time as text. Consecutive trades often have the same."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds")


if __name__ == "__main__":
    main()
