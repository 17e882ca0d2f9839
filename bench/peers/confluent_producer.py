"""confluent-kafka's idempotent producer, sending rows that are already parsed.

confluent-kafka is installed only in the benchmarks' own environment: see bench/venv.py.
"""

import marshal
import os
from pathlib import Path
from typing import Any

from confluent_kafka import Producer  # type: ignore[import-not-found]

QUEUE_MAX = 100_000
FLUSH_TIMEOUT_S = 60


def main() -> None:
    """Send all rows of the file and wait until the broker has confirmed them."""
    rows = marshal.loads(Path(os.environ["FILE"]).read_bytes())
    topic = os.environ["TOPIC"]
    producer = Producer(
        {
            "bootstrap.servers": os.environ["BROKER"],
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": QUEUE_MAX,
        }
    )
    failed = 0

    def confirm(error: Any, _message: Any) -> None:
        nonlocal failed
        failed += bool(error)

    for key, value, timestamp_ms in rows:
        while True:
            try:
                producer.produce(topic, value, key, timestamp=timestamp_ms, on_delivery=confirm)
            except BufferError:
                producer.poll(0.1)
            else:
                break
        producer.poll(0)
    failed += producer.flush(FLUSH_TIMEOUT_S)
    if failed:
        raise SystemExit(f"{failed} records were not confirmed")


if __name__ == "__main__":
    main()
