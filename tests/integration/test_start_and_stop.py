"""Starting before Kafka, on an empty cluster, with bad settings; ending under load."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dev.local_kafka import LocalKafka, free_port, is_listening
from streaming.app import SHUTDOWN_DEADLINE_S
from tests import logs
from tests.brokers import Broker
from tests.conftest import Cluster, StartProgram, make_cluster
from tests.posting import Poster
from tests.programs import Program
from tests.waiting import eventually, in_time, wait_for

TRADE = {"coinName": "BTC", "price": 1, "numOfCoin": 2}
#: Twice the time after which the controller takes a broker for away.
BROKER_FENCED_S = 6


@pytest.fixture
def empty_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    """Return a broker that does not run yet and has never run."""
    broker = Broker(free_port(), tmp_path / "kafka")
    yield broker
    broker.kill()


async def post(program: Program, trade: dict[str, Any]) -> int:
    """Post a trade; return the status."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{program.url}/send-trading-data", json=trade) as answer,
    ):
        return answer.status


async def test_programs_started_before_kafka_wait_for_it_and_then_work(
    empty_kafka: LocalKafka, start: StartProgram
) -> None:
    cluster = make_cluster(empty_kafka)
    trade = {"topic": cluster.topic, **TRADE}
    trading = start("trading_app", cluster.settings)
    chart = start("chart_app", cluster.settings)
    for program in (trading, chart):
        wait_for(lambda: "Waiting for Kafka at" in program.log(), "it says that it waits")  # noqa: B023
    async with aiohttp.ClientSession() as http, http.get(f"{trading.url}/readyz") as answer:
        assert answer.status == 503
    assert await post(trading, trade) == 503
    empty_kafka.start()
    trading.wait_ready()
    chart.wait_ready()
    assert await post(trading, trade) == 201
    wait_for(chart.trades, "the trade is logged")
    assert len(chart.trades()) == 1


async def test_chart_app_alone_on_an_empty_cluster_takes_the_first_trade_ever(
    empty_kafka: LocalKafka, start: StartProgram
) -> None:
    cluster = make_cluster(empty_kafka)
    empty_kafka.start()
    chart = start("chart_app", cluster.settings).wait_ready()
    assert f"Created topic {cluster.topic} with 4 partitions" in chart.log()
    assert logs.trouble(chart.log()) == []
    trading = start("trading_app", cluster.settings).wait_ready()
    assert await post(trading, {"topic": cluster.topic, **TRADE}) == 201
    wait_for(chart.trades, "the trade is logged")
    assert chart.trades()[0].offset == "0"


async def test_sigterm_under_load_ends_both_programs_in_order(
    cluster: Cluster, start: StartProgram
) -> None:
    async def attempt() -> float:
        trading = start("trading_app", cluster.settings).wait_ready()
        chart = start("chart_app", cluster.settings).wait_ready()
        async with Poster(trading.url, cluster.topic) as posting:
            await posting.wait_accepted(300)
            durations = [await asyncio.to_thread(it.time_to_end) for it in (chart, trading)]
        assert "Traceback" not in trading.log() + chart.log()
        again = start("chart_app", cluster.settings).wait_ready()
        first_run = {trade.trade_id for trade in chart.trades()}

        async def all_logged() -> bool:
            return posting.accepted <= first_run | {trade.trade_id for trade in again.trades()}

        await eventually(all_logged, "what was accepted is logged")
        assert not first_run & {trade.trade_id for trade in again.trades()}, (
            "offsets were committed"
        )
        again.stop()
        return max(durations)

    await in_time(5, attempt)


@pytest.mark.parametrize("package", ["trading_app", "chart_app"])
def test_time_in_which_a_program_is_stopped_does_not_count_when_it_ends(
    own_cluster: Cluster, start: StartProgram, package: str
) -> None:
    program = start(package, own_cluster.settings).wait_ready()
    own_cluster.broker.suspend()  # so that it does not end at once
    try:
        program.signal(signal.SIGTERM)
        wait_for(lambda: not is_listening(program.port), "it begins to end")
        program.signal(signal.SIGSTOP)
        time.sleep(SHUTDOWN_DEADLINE_S)
    finally:
        own_cluster.broker.resume()
    program.signal(signal.SIGCONT)
    assert program.wait() == 0
    assert "Exiting at once" not in program.log()


def test_a_program_that_starts_while_the_broker_is_held_up_waits(
    own_cluster: Cluster, start: StartProgram
) -> None:
    own_cluster.broker.suspend()
    try:
        program = start("chart_app", own_cluster.settings)
        time.sleep(BROKER_FENCED_S)
    finally:
        own_cluster.broker.resume()
    program.wait_ready()


@pytest.mark.parametrize("package", ["trading_app", "chart_app"])
def test_sigterm_ends_a_program_that_waits_for_kafka(
    empty_kafka: LocalKafka, start: StartProgram, package: str
) -> None:
    program = start(package, make_cluster(empty_kafka).settings)
    wait_for(lambda: "Waiting for Kafka at" in program.log(), "it waits")
    assert program.stop() == 0


@pytest.mark.parametrize("package", ["trading_app", "chart_app"])
async def test_sigterm_ends_a_program_while_kafka_hangs(
    own_cluster: Cluster, start: StartProgram, package: str
) -> None:
    async def attempt() -> float:
        program = start(package, own_cluster.settings).wait_ready()
        own_cluster.broker.suspend()
        begin = time.monotonic()
        try:
            program.stop()
        finally:
            own_cluster.broker.resume()
        return time.monotonic() - begin

    await in_time(6, attempt)


@pytest.mark.parametrize("package", ["trading_app", "chart_app"])
def test_a_program_gives_up_when_kafka_does_not_come(
    empty_kafka: LocalKafka, start: StartProgram, package: str
) -> None:
    settings = {**make_cluster(empty_kafka).settings, "KAFKA_STARTUP_TIMEOUT": "1"}
    program = start(package, settings)
    assert program.wait() == 1
    assert "(KAFKA_STARTUP_TIMEOUT)" in program.log()
    assert "Traceback" not in program.log()


@pytest.mark.parametrize("package", ["trading_app", "chart_app"])
def test_a_bad_setting_ends_the_start_with_a_line_that_names_it(
    start: StartProgram, package: str
) -> None:
    program = start(package, {"KAFKA_DELIVERY_TIMEOUT": "soon"})
    assert program.wait() == 1
    assert program.log().startswith("bad setting: KAFKA_DELIVERY_TIMEOUT='soon': ")
    assert program.log().count("\n") == 1


@pytest.mark.parametrize("name", ["TRADING_PORT", "CHART_PORT"])
def test_a_port_that_is_taken_ends_the_start_with_a_line_that_names_its_setting(
    cluster: Cluster, start: StartProgram, name: str
) -> None:
    package = {"TRADING_PORT": "trading_app", "CHART_PORT": "chart_app"}[name]
    port = cluster.broker.port
    program = start(package, {**cluster.settings, name: str(port)})
    assert program.wait() == 1
    *_, line = program.log().splitlines()
    assert "Traceback" not in program.log()
    assert line.endswith(
        f" CRITICAL streaming.http.server Cannot listen on port {port} ({name}) of 127.0.0.1 "
        "(HTTP_HOST): Address already in use"
    )


def test_a_misspelt_setting_is_told(cluster: Cluster, start: StartProgram) -> None:
    program = start("trading_app", {**cluster.settings, "TRADE_TOPIC": "other"}).wait_ready()
    line = "TRADE_TOPIC is not a setting and is ignored; did you mean TRADE_TOPICS?"
    assert f" WARNING settings {line}\n" in program.log()


def test_settings_of_faust_in_the_environment_change_nothing(
    cluster: Cluster, start: StartProgram
) -> None:
    faust_settings = {
        "BROKER_URL": "kafka://127.0.0.1:1",
        "WEB_PORT": "1",
        "WEB_BIND": "0.0.0.0",
        "APP_DATADIR": "/nonexistent",
        "PROCESSING_GUARANTEE": "exactly_once",
        "CONSUMER_AUTO_OFFSET_RESET": "latest",
    }
    start("chart_app", {**cluster.settings, **faust_settings}, is_fresh=True).wait_ready()


async def test_json_logs_are_json_from_the_first_line_to_the_last(
    cluster: Cluster, start: StartProgram
) -> None:
    settings = {**cluster.settings, "LOG_FORMAT": "json"}
    chart = start("chart_app", settings)
    trading = start("trading_app", settings).wait_ready()
    chart.wait_ready()
    sent = {"topic": cluster.topic, **TRADE, "price": "1.50", "coinName": 'a"b', "tradeId": 7}
    assert await post(trading, {**sent, "timestamp": 1_700_000_000_000}) == 201
    wait_for(lambda: "chart_app.trades" in chart.log(), "the trade is logged")
    assert chart.stop() == 0
    entries = [json.loads(line, parse_float=str) for line in chart.log().splitlines()]
    (entry,) = [entry for entry in entries if entry["logger"] == "chart_app.trades"]
    assert entry["level"] == "INFO"
    assert entry["message"].startswith(f"trade topic={cluster.topic} partition=")
    facts = {name: entry[name] for name in ("coinName", "price", "numOfCoin", "tradeId")}
    assert facts == {"coinName": 'a"b', "price": "1.50", "numOfCoin": 2, "tradeId": 7}
    assert entry["tradeTime"] == "2023-11-14T22:13:20.000Z"
