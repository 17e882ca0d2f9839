"""``faust -A trading_app replay``, and that Kafka keeps what was replayed."""

import re
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic

from dev.environment import clean_environment
from dev.local_kafka import free_port
from streaming.clock import now_ms
from tests import forks
from tests.brokers import admin_of
from tests.conftest import Cluster, StartProgram
from tests.programs import ROOT
from tests.waiting import PATIENCE_S, eventually, in_time, wait_for

SAMPLE = str(ROOT / "trading_app/sample/coinbase_btcusd_trades_2023-09-05.csv.gz")
SAMPLE_TRADES = 5882
YEAR_2023_MS = 1_693_929_601_281


def replay(
    settings: dict[str, str], *arguments: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return forks.run(
        ["faust", "-A", "trading_app", "replay", *arguments],
        cwd=ROOT,
        env={**clean_environment(), **settings},
        text=text,
        timeout_s=PATIENCE_S,
    )


async def offsets(cluster: Cluster, topic: str) -> tuple[int, int]:
    """Return the sums of the first and of the end offsets of a topic's partitions."""
    async with AIOKafkaConsumer(bootstrap_servers=cluster.broker.bootstrap_server) as consumer:
        await consumer._client.add_topic(topic)
        tps = [TopicPartition(topic, it) for it in consumer.partitions_for_topic(topic) or ()]
        first = await consumer.beginning_offsets(tps)
        end = await consumer.end_offsets(tps)
        return sum(first.values()), sum(end.values())


async def test_trades_of_2023_outlive_the_retention_check(
    cluster: Cluster, start: StartProgram
) -> None:
    chart = start("chart_app", cluster.settings).wait_ready()
    done = replay(cluster.settings, SAMPLE, "--speed", "max")
    assert (done.returncode, done.stdout) == (0, f"{SAMPLE_TRADES} trades sent, 0 refused\n")

    # A topic as Kafka makes it: that its record goes shows that the check has run.
    control = f"{cluster.topic}-control"
    async with admin_of(cluster.broker) as admin:
        await admin.create_topics([NewTopic(control, 1, 1)])
    async with AIOKafkaProducer(bootstrap_servers=cluster.broker.bootstrap_server) as producer:
        await producer.send_and_wait(control, b"of 2023", timestamp_ms=YEAR_2023_MS)

    async def deleted() -> bool:
        return await offsets(cluster, control) == (1, 1)

    await eventually(deleted, "Kafka deleted the control record")
    assert await offsets(cluster, cluster.topic) == (0, SAMPLE_TRADES)

    wait_for(lambda: len(chart.trades()) == SAMPLE_TRADES, "all trades are logged")
    first = min(chart.trades(), key=lambda trade: (trade.time, int(trade.offset)))
    assert first.coin == "BTC-USD"
    assert (first.price, first.amount) == ("25741.02", "0.02188038")
    assert first.time == "2023-09-05T16:00:01.281Z"


def test_lines_that_are_no_trades_are_counted_and_named(cluster: Cluster) -> None:
    text = (
        "id,symbol,price,quantity,timestamp\n"
        "1,BTC,1,2,1700000000\n"
        "2,BTC,free,0,yesterday\n"
        "3,BTC,1,3.844E-5,2023-11-14T22:13:20Z\n"
        "4,BTC\n"
    )
    done = replay(cluster.settings, "-", "--speed", "max", text=text)
    assert done.returncode == 1
    first, third, fifth = done.stdout.splitlines()
    assert first == "2 trades sent, 2 refused"
    assert third.startswith("  line 3: timestamp: must be ")
    assert "price: must be a number" in third
    assert "numOfCoin: must be at least" in third
    assert fifth == "  line 5: has too few columns"


def test_a_file_without_the_columns_is_refused(cluster: Cluster) -> None:
    done = replay(cluster.settings, "-", text="a,b\n1,2\n")
    assert done.returncode == 1
    assert "there is no column coinname or symbol; the first line is: a,b" in done.stderr


def test_a_file_that_is_not_there_is_named(cluster: Cluster, tmp_path: Path) -> None:
    done = replay(cluster.settings, str(tmp_path / "nothing.csv"))
    assert done.returncode == 1
    assert "nothing.csv" in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("nothing.csv", None, "No such file or directory"),
        (".", None, "Is a directory"),
        ("no_header.csv", b"a,b\n", "there is no column coinname or symbol"),
        ("utf16.csv", "symbol,price,size,time\n".encode("utf-16"), "the file is not in UTF-8"),
        ("broken.csv.gz", b"no gzip", "Not a gzipped file"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_before_kafka_is_waited_for(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    nowhere = {"KAFKA_CLIENT_BOOTSTRAP_SERVER": f"127.0.0.1:{free_port()}"}
    done = replay(nowhere, str(path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{path}: {said}")


def test_standard_input_cannot_be_read_twice() -> None:
    done = replay({}, "-", "--until-now", text="symbol,price,size,time\nA,1,1,0\n")
    assert done.returncode == 1
    assert done.stderr == (
        "-: it must be read twice, which is not possible with a pipe; save it to a file first\n"
    )


async def test_an_old_file_replayed_twice_until_now_counts_twice_and_ends_now(
    cluster: Cluster, start: StartProgram, tmp_path: Path
) -> None:
    chart = start("chart_app", cluster.settings).wait_ready()
    file = tmp_path / "trades.csv"
    file.write_text("symbol,price,size,time,id\nA,1,1,1600000000000,1\nA,2,1,1600003600000,2\n")
    begin_ms = now_ms()
    for _ in range(2):
        done = replay(cluster.settings, str(file), "--speed", "max", "--until-now")
        assert (done.returncode, done.stdout) == (0, "2 trades sent, 0 refused\n")
    wait_for(lambda: len(chart.trades()) == 4, "all are logged")
    times = [datetime.fromisoformat(trade.time) for trade in chart.trades()]
    for first, last in zip(times[::2], times[1::2], strict=True):
        assert (last - first).total_seconds() == 3600
        assert begin_ms <= last.timestamp() * 1000 <= now_ms()

    async def counted() -> bool:
        url = f"{chart.url}/api/v3/klines?symbol=A&interval=1M"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return sum(int(candle[8]) for candle in await answer.json()) == 4

    await eventually(counted, "no trade is taken for a repetition")


def test_ctrl_c_ends_it_with_the_counts(cluster: Cluster, start: StartProgram) -> None:
    chart = start("chart_app", cluster.settings).wait_ready()
    running = start("trading_app", cluster.settings, "replay", SAMPLE, "--speed", "60")
    wait_for(lambda: len(chart.trades()) > 50, "it is replaying")
    running.signal(signal.SIGINT)
    assert running.wait() == 130
    told = re.search(r"^Interrupted: (\d+) trades sent, 0 refused$", running.log(), re.MULTILINE)
    assert told
    sent = int(told[1])
    assert 50 < sent < SAMPLE_TRADES
    wait_for(lambda: len(chart.trades()) == sent, "as many are logged as it said")


async def test_speed_is_times_real_time(cluster: Cluster, start: StartProgram) -> None:
    chart = start("chart_app", cluster.settings).wait_ready()
    rows = "coinName,price,numOfCoin,timestamp\nA,1,1,1700000000\nA,1,1,1700000100\n"

    async def attempt() -> float:
        before, begin = len(chart.trades()), time.monotonic()
        assert replay(cluster.settings, "-", "--speed", "100", text=rows).returncode == 0
        assert time.monotonic() - begin > 1
        wait_for(lambda: len(chart.trades()) == before + 2, "both are logged")
        lines = [line for line in chart.log().splitlines() if " trade topic=" in line]
        first, last = (datetime.fromisoformat(line[:24]) for line in lines[-2:])
        return (last - first).total_seconds()

    await in_time(1.5, attempt)
