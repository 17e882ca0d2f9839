"""Nothing acknowledged is lost: faults while trades flow."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.conftest import Cluster, StartProgram
from tests.posting import Poster
from tests.programs import Program
from tests.waiting import eventually, wait_for

#: Trades accepted before the fault, and after it.
SHARE = 600


@pytest.fixture
def cluster(own_cluster: Cluster) -> Cluster:
    """Return settings that name a broker that may be killed."""
    return own_cluster


@pytest.fixture
def trading(cluster: Cluster, start: StartProgram) -> Program:
    """Run trading_app, whose clients wait for seconds and not for as long as a test."""
    return start("trading_app", {**cluster.settings, "KAFKA_DELIVERY_TIMEOUT": "5"}).wait_ready()


@pytest.fixture
def chart(cluster: Cluster, start: StartProgram) -> Program:
    """Run chart_app."""
    return start("chart_app", cluster.settings).wait_ready()


async def check_nothing_is_lost(
    posting: Poster, charts: list[Program], fault: Callable[[], Awaitable[None]]
) -> None:
    """Let trades flow, cause the fault, let more flow; then compare the log with the answers."""

    def logged() -> set[str]:
        return {str(trade.trade_id) for chart in charts for trade in chart.trades()}

    async with posting:
        await posting.wait_accepted(SHARE)
        await fault()
        await posting.wait_accepted(SHARE)
    assert len(posting.accepted) >= 1000

    async def all_logged() -> bool:
        return posting.accepted <= logged()

    await eventually(all_logged, "all that was accepted is logged")
    assert posting.refused
    assert not posting.refused & logged()


async def test_nothing_is_lost_when_chart_app_is_killed(
    cluster: Cluster, trading: Program, chart: Program, start: StartProgram
) -> None:
    charts = [chart]

    async def kill_and_restart() -> None:
        await asyncio.to_thread(wait_for, chart.trades, "the first trades are logged")
        chart.kill()
        assert chart.wait() == -signal.SIGKILL
        charts.append(start("chart_app", cluster.settings).wait_ready())

    await check_nothing_is_lost(Poster(trading.url, cluster.topic), charts, kill_and_restart)
    assert charts[1].trades()


async def test_nothing_is_lost_when_one_of_two_workers_is_killed(
    cluster: Cluster, trading: Program, chart: Program, start: StartProgram
) -> None:
    other = start("chart_app", cluster.settings).wait_ready()

    async def both_log() -> bool:
        return bool(chart.trades() and other.trades())

    async def kill_one() -> None:
        await eventually(both_log, "both workers have logged trades")
        chart.kill()
        assert chart.wait() == -signal.SIGKILL
        orphaned = {trade.partition for trade in chart.trades()[-100:]}

        async def taken_over() -> bool:
            return orphaned <= {trade.partition for trade in other.trades()[-500:]}

        await eventually(taken_over, "the survivor has taken the partitions over")

    await check_nothing_is_lost(Poster(trading.url, cluster.topic), [chart, other], kill_one)


async def kill_and_restart_kafka(cluster: Cluster, posting: Poster) -> None:
    """Kill the broker; start it again once a client has noticed."""
    cluster.broker.kill()

    async def noticed() -> bool:
        return posting.unknown > 0

    await eventually(noticed, "a trade was answered 503")
    cluster.broker.start()


async def test_nothing_is_lost_when_kafka_is_killed(
    cluster: Cluster, trading: Program, chart: Program
) -> None:
    posting = Poster(trading.url, cluster.topic)
    await check_nothing_is_lost(posting, [chart], lambda: kill_and_restart_kafka(cluster, posting))
    assert trading.running
    assert chart.running


async def test_nothing_is_lost_when_kafka_is_killed_before_the_first_commit(
    cluster: Cluster, trading: Program, start: StartProgram
) -> None:
    posting = Poster(trading.url, cluster.topic)
    charts: list[Program] = []

    async def start_and_kill() -> None:
        chart = start("chart_app", cluster.settings)
        charts.append(chart)

        async def logs() -> bool:
            return bool(chart.trades())

        await eventually(logs, "the worker has logged its first trades")
        await kill_and_restart_kafka(cluster, posting)

    await check_nothing_is_lost(posting, charts, start_and_kill)


async def test_nothing_is_lost_when_trading_app_is_restarted(
    cluster: Cluster, trading: Program, chart: Program
) -> None:
    posting = Poster(trading.url, cluster.topic)

    async def restart() -> None:
        assert trading.stop() == 0
        trading.start().wait_ready()

    await check_nothing_is_lost(posting, [chart], restart)
    assert posting.unknown, "the restart was noticed"


async def test_nothing_is_lost_when_the_log_cannot_be_written(
    cluster: Cluster, trading: Program, chart: Program, start: StartProgram
) -> None:
    chart.stop()
    posting = Poster(trading.url, cluster.topic)
    async with posting:
        await posting.wait_accepted(100)
    full = start("chart_app", cluster.settings, log_file=Path("/dev/full"))
    assert await asyncio.to_thread(full.wait) != 0
    again = start("chart_app", cluster.settings).wait_ready()

    async def all_logged() -> bool:
        return posting.accepted <= {trade.trade_id for trade in again.trades()}

    await eventually(all_logged, "all that was accepted is logged")
