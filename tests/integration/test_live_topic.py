"""The live topic takes nothing, or a worker's clock is wrong: readers are told all the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiokafka.admin import NewTopic

from streaming.kafka.alter_configs import alter_configs
from tests.brokers import admin_of
from tests.conftest import Cluster, StartProgram
from tests.integration.sockets import watch
from tests.posting import Poster
from tests.programs import Program
from tests.waiting import eventually, wait_for

COINS = [f"COIN{number}" for number in range(8)]


async def readiness(program: Program) -> tuple[int, Any]:
    """Return status and content of what a program says of itself."""
    async with aiohttp.ClientSession() as http, http.get(f"{program.url}/readyz") as answer:
        return answer.status, await answer.json()


async def post_each(trading: Program, topic: str, **more: Any) -> None:
    """Post a trade of each coin."""
    async with aiohttp.ClientSession(trading.url, raise_for_status=True) as http:
        for coin in COINS:
            trade = {"topic": topic, "coinName": coin, "price": 1, "numOfCoin": 1, **more}
            await http.post("/send-trading-data", json=trade)


@asynccontextmanager
async def refusing(cluster: Cluster) -> AsyncIterator[None]:
    """Have Kafka refuse what is sent to the live topic: it is too large."""
    async with admin_of(cluster.broker) as client:
        name = f"{cluster.topic}.live"
        await alter_configs(client._client, name, {"max.message.bytes": "1"})
        yield
        await alter_configs(client._client, name, {"max.message.bytes": "1048588"})


async def test_where_the_live_topic_takes_nothing_trades_are_stored_and_readers_told(
    cluster: Cluster, start: StartProgram
) -> None:
    trading = start("trading_app", cluster.settings).wait_ready()
    chart = start("chart_app", cluster.settings).wait_ready()
    names = [f"{coin}@trade" for coin in COINS] + [f"{coin}@kline_1M" for coin in COINS]
    async with watch(chart, *names) as viewer:
        async with refusing(cluster):
            for count in (1, 2):
                await post_each(trading, cluster.topic)
                for coin in COINS:
                    await viewer.wait(f"{coin}@kline_1M", n=count)

            async def warned() -> bool:
                status, content = await readiness(chart)
                return status == 200 and "readers are served late" in str(content.get("warnings"))

            await eventually(warned, "it is said that readers wait")
            wait_for(lambda: "readers are served late" in chart.log(), "it is logged")
        await post_each(trading, cluster.topic)

        async def fine_again() -> bool:
            return (await readiness(chart)) == (200, {"status": "ok"})

        await eventually(fine_again, "the warning is gone")
        for coin in COINS:
            await viewer.wait(f"{coin}@kline_1M", n=3)

            async def all_trades() -> bool:
                return len(viewer.of(f"{coin}@trade")) == 3  # noqa: B023

            await eventually(all_trades, "each trade came once")
    assert len(chart.trades()) == 3 * len(COINS)
    assert "Traceback" not in chart.log()


async def test_sigterm_ends_a_worker_in_order_whose_live_topic_takes_nothing(
    cluster: Cluster, start: StartProgram
) -> None:
    trading = start("trading_app", cluster.settings).wait_ready()
    chart = start("chart_app", cluster.settings).wait_ready()
    async with refusing(cluster):
        async with Poster(trading.url, cluster.topic) as posting:
            await posting.wait_accepted(200)
        wait_for(lambda: len(chart.trades()) >= 200, "trades are logged")
        assert chart.stop() == 0


@pytest.mark.parametrize("timestamps", ["of the records", "of the broker"])
async def test_a_worker_whose_clock_is_ahead_reaches_the_readers_of_all_workers(
    cluster: Cluster, start: StartProgram, timestamps: str
) -> None:
    if timestamps == "of the records":  # as version 0.2.0 made it
        async with admin_of(cluster.broker) as client:
            await client.create_topics([NewTopic(f"{cluster.topic}.live", 4, 1)])
    trading = start("trading_app", cluster.settings).wait_ready()
    chart = start("chart_app", cluster.settings).wait_ready()
    if timestamps == "of the records":
        needed = "message.timestamp.type=LogAppendTime"
        assert f"Set {needed} on topic {cluster.topic}.live" in chart.log()
    ahead = Program("chart_app", chart.folder, cluster.settings)
    ahead.package = "tests.ahead_worker"
    ahead.is_fresh = True  # its clock is set before anything is imported
    with ahead:
        ahead.wait_ready()
        names = [f"{coin}@trade" for coin in COINS]
        async with watch(chart, *names) as viewer:

            async def both_store() -> bool:
                await post_each(trading, cluster.topic)
                return bool(chart.trades() and ahead.trades())

            await eventually(both_store, "both workers have partitions")
            await post_each(trading, cluster.topic, price=7)
            for coin in COINS:
                await viewer.wait(f"{coin}@trade", p="7")
        assert "InvalidTimestamp" not in ahead.log()
        assert "not broadcast" not in chart.log(), "the live topic has carried all"
