"""The consumers that are compared: ours, and its peers. All log the same fields of every trade."""

import sys
from typing import NamedTuple

from bench import venv
from dev import node
from dev.local_kafka import LocalKafka, free_port

FAUST = [sys.executable, "-m", "faust", "-A"]
CHART_APP = [*FAUST, "chart_app", "worker"]
SQLITE = "SQLite"
POSTGRESQL = "PostgreSQL"


class Consumer(NamedTuple):
    """The command of a consumer, and what it stores, if anything."""

    command: list[str]
    database: str | None = None
    stores_trades: bool = False


OURS = "chart_app, SQLite"
ON_POSTGRESQL = "chart_app, PostgreSQL"
CANDLES = "chart_app, candles, SQLite"
CANDLES_ON_POSTGRESQL = "chart_app, candles, PostgreSQL"
LOG_ONLY = "chart_app's parts, log only"
CONFLUENT = "confluent-kafka consume"
CONFLUENT_TUNED = "confluent-kafka consume, tuned"
STOCK_FAUST = "stock Faust agent"
GETMANY = "aiokafka getmany"
QUIXSTREAMS = "quixstreams"
KAFKAJS = "kafkajs eachMessage"
CONSUMERS = {
    OURS: Consumer(CHART_APP, SQLITE, stores_trades=True),
    ON_POSTGRESQL: Consumer(CHART_APP, POSTGRESQL, stores_trades=True),
    CANDLES: Consumer(CHART_APP, SQLITE),
    CANDLES_ON_POSTGRESQL: Consumer(CHART_APP, POSTGRESQL),
    LOG_ONLY: Consumer([*FAUST, "bench.log_only", "worker"]),
    CONFLUENT: Consumer([str(venv.BIN / "python"), "-m", "bench.peers.confluent_consumer"]),
    CONFLUENT_TUNED: Consumer(
        [str(venv.BIN / "python"), "-m", "bench.peers.confluent_consumer", "tuned"]
    ),
    KAFKAJS: Consumer(node.command("bench_each_message.js")),
    GETMANY: Consumer([sys.executable, "-m", "bench.peers.aiokafka_getmany"]),
    QUIXSTREAMS: Consumer([str(venv.BIN / "python"), "-m", "bench.peers.quixstreams_app"]),
    STOCK_FAUST: Consumer(
        [
            *(*FAUST, "bench.peers.stock_faust", "--loop", "uvloop"),
            *("worker", "--loglevel", "info", "--without-web"),
        ]
    ),
}


def settings(broker: LocalKafka, topic: str, group: str) -> dict[str, str]:
    """Return the environment, with the names that our program and the peers use."""
    return {
        "KAFKA_CLIENT_BOOTSTRAP_SERVER": broker.bootstrap_server,
        "TRADE_TOPICS": topic,
        "GROUP_ID": group,
        "CHART_PORT": str(free_port()),
        "BROKER": broker.bootstrap_server,
        "TOPIC": topic,
        "GROUP": group,
    }
