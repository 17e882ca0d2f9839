"""kafkajs, as another program's client, on both ends of the topic."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dev import node
from tests.conftest import Cluster, StartProgram
from tests.waiting import PATIENCE_S, wait_for

TRADE_TIME_MS = 1_693_958_400_123
COIN = "비트코인"


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    """Install kafkajs."""
    node.install()


def test_a_kafkajs_consumer_reads_the_trades_that_were_posted(
    cluster: Cluster, start: StartProgram, tmp_path: Path
) -> None:
    trading = start("trading_app", cluster.settings).wait_ready()
    trade_ids: list[dict[str, Any]] = [{}, {"tradeId": 17}, {"tradeId": "a b"}]
    with kafkajs_consumer(cluster, tmp_path / "kafkajs.jsonl") as output:
        for trade_id in trade_ids:
            fields = {"coinName": COIN, "price": 91234.5, "numOfCoin": "0.25", **trade_id}
            post(trading.url, {"topic": cluster.topic, "timestamp": TRADE_TIME_MS, **fields})

        def consumed() -> list[str]:
            lines = output.read_text().splitlines()
            return lines if len(lines) >= len(trade_ids) else []

        lines = wait_for(consumed, "kafkajs has read the trades")
    # One coin is one key, so one partition: in order.
    assert [json.loads(line) for line in lines] == [
        {
            "key": COIN,
            "value": {"coinName": COIN, "numOfCoin": 0.25, "price": 91234.5, **trade_id},
            "timestamp": TRADE_TIME_MS,
        }
        for trade_id in trade_ids
    ]


def test_a_kafkajs_trade_without_a_key_and_with_numbers_as_text_is_logged(
    cluster: Cluster, start: StartProgram
) -> None:
    chart = start("chart_app", cluster.settings).wait_ready()
    value = '{"coinName":"BTC","price":"91234.5","numOfCoin":"0.25"}'
    subprocess.run(
        node.command("produce.js", cluster.broker.bootstrap_server, cluster.topic, value),
        check=True,
        timeout=PATIENCE_S,
    )
    [logged] = wait_for(chart.trades, "chart_app has logged the trade")
    assert (logged.topic, logged.offset) == (cluster.topic, "0")
    assert (logged.coin, logged.price, logged.amount) == ("BTC", "91234.5", "0.25")
    assert logged.trade_id is None


@contextmanager
def kafkajs_consumer(cluster: Cluster, output: Path) -> Iterator[Path]:
    """Run a kafkajs consumer that writes what it reads to ``output``, a line a record."""
    group = f"kafkajs-{cluster.settings['GROUP_ID']}"
    command = node.command("consume.js", cluster.broker.bootstrap_server, cluster.topic, group)
    with output.open("wb") as lines, subprocess.Popen(command, stdout=lines) as process:
        try:
            yield output
        finally:
            process.kill()


def post(url: str, trade: Mapping[str, Any]) -> None:
    """Send a trade as JSON; anything but 2xx is an error."""
    request = urllib.request.Request(
        f"{url}/send-trading-data",
        json.dumps(trade).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        assert answer.status == 201
