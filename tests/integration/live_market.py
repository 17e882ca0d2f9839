"""chart_app over a store with some history, as clients of Binance's API are given it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

import trade_rules
from chart_app.model.intervals import MINUTE_MS
from dev.local_kafka import LocalKafka
from tests.conftest import Cluster, make_cluster
from tests.integration.filled_store import FilledStore, Given
from tests.programs import Program
from trade_rules import TradeMessage

NO_SETTINGS: Mapping[str, str] = {}
#: Minutes ago in which there were trades: 350, with a hole of more than a page of 100.
MINUTES_AGO = [*range(700, 500, -1), *range(300, 150, -1)]
#: The coin that is traded while :meth:`LiveMarket.trades_flow` runs, and its newest price.
LIVE_COIN, LIVE_PRICE = "SOLUSDT", "777"


class LiveMarket(NamedTuple):
    """The program, and what it has stored."""

    http: str
    websocket: str
    cluster: Cluster
    #: When the minutes that had trades begin.
    open_times: list[int]

    @asynccontextmanager
    async def trades_flow(self) -> AsyncIterator[None]:
        """Send trades of the live coin during the ``async with`` block."""
        servers = self.cluster.settings["KAFKA_CLIENT_BOOTSTRAP_SERVER"]
        message = TradeMessage(LIVE_COIN, Decimal("0.5"), Decimal(LIVE_PRICE))
        trade, key = trade_rules.encode(message), LIVE_COIN.encode()
        async with AIOKafkaProducer(bootstrap_servers=servers) as producer:

            async def send() -> None:
                while True:
                    await producer.send_and_wait(self.cluster.topic, trade, key=key)
                    await asyncio.sleep(0.1)

            task = asyncio.create_task(send())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.wait([task])


@contextmanager
def run_live_market(
    kafka: LocalKafka, folder: Path, settings: Mapping[str, str] = NO_SETTINGS
) -> Iterator[LiveMarket]:
    """Run chart_app over a store with some history."""
    url = f"sqlite:///{folder}/chart.sqlite"
    this_minute = int(time.time() * 1000) // MINUTE_MS
    open_times = [(this_minute - ago) * MINUTE_MS for ago in MINUTES_AGO]
    asyncio.run(_fill(url, open_times))
    cluster = make_cluster(kafka)
    with Program(
        "chart_app", folder, {**cluster.settings, "DATABASE_URL": url, **settings}
    ) as chart:
        chart.wait_ready()
        websocket = chart.url.replace("http://", "ws://")
        yield LiveMarket(chart.url, websocket, cluster, open_times)


async def _fill(url: str, open_times: list[int]) -> None:
    async with FilledStore(url) as filled:
        for symbol in ("BTCUSDT", "eth-krw"):
            trades = enumerate(open_times, 1)
            await filled.feed(*(Given(symbol, at, f"{it}.25", "0.5") for it, at in trades))
        await filled.feed(Given(LIVE_COIN, open_times[0], "5"))
