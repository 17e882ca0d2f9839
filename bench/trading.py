"""trading_app in a benchmark."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.chart import TOPIC, wait_ready
from bench.processes import Child, running
from dev.local_kafka import LocalKafka, free_port


@contextmanager
def trading_app(broker: LocalKafka, folder: Path, **settings: str) -> Iterator[tuple[Child, str]]:
    """Run trading_app; yield it with its address once it is ready."""
    port = free_port()
    environment = {
        "KAFKA_CLIENT_BOOTSTRAP_SERVER": broker.bootstrap_server,
        "TRADE_TOPICS": TOPIC,
        "TRADING_PORT": str(port),
        **settings,
    }
    command = [sys.executable, "-m", "faust", "-A", "trading_app", "worker"]
    with running("trading_app", command, environment, folder) as child:
        url = f"http://127.0.0.1:{port}"
        wait_ready(child, url)
        yield child, url
