"""Workers on one database, and the trades that come in while things happen to them."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from signal import Signals
from typing import Any, NamedTuple

import aiohttp

from chart_app.model.trade_ids import OFFSET_BITS, split
from tests.brokers import admin_of
from tests.conftest import Cluster
from tests.integration.databases import TestedDatabase
from tests.integration.trades import Candles, Feeder, Sent, Stored, Values, read_topic
from tests.programs import Program
from tests.waiting import PATIENCE_S, eventually
from topics import dead_letter_topic

#: For what has piled up to be stored.
CATCH_UP_TIMEOUT_S = 600

FAULT_LINE = re.compile(r"fault \S+ partition=(\d+) from=(\d+) until=(\d+)$", re.MULTILINE)


class Fault(NamedTuple):
    """A signal that a worker sends itself at an instruction: see tests/faulty_worker.py."""

    at: str
    signal: Signals


class Place(NamedTuple):
    """What a worker had in hand at its fault: trades of a partition, by their offsets."""

    partition: int
    start: int
    end: int


class Scene:
    """Workers, whose number in ``workers`` is kept by those that take their place."""

    def __init__(
        self,
        cluster: Cluster,
        database: TestedDatabase,
        *,
        settings: Mapping[str, str],
        folder: Path,
        stack: ExitStack,
        http: aiohttp.ClientSession,
        feeder: Feeder,
    ) -> None:
        self.cluster = cluster
        self.database = database
        self.feeder = feeder
        self.workers: list[Program] = []
        self._settings = {**cluster.settings, "DATABASE_URL": database.url, **settings}
        self._folder = folder
        self._stack = stack
        self._http = http

    def run(self, *command: str, fault: Fault | None = None) -> Program:
        """Start the worker of chart_app, or another command."""
        settings = dict(self._settings)
        if fault:
            settings |= {"FAULT_AT": fault.at, "FAULT_SIGNAL": fault.signal.name}
        program = Program("chart_app", self._folder, settings, *command)
        if fault:
            program.package = "tests.faulty_worker"
        return self._stack.enter_context(program)

    def replace(self, number: int, fault: Fault | None = None) -> None:
        """Start a worker in the place of one that has ended."""
        assert not self.workers[number].running
        self.workers[number] = self.run(fault=fault)

    async def wait_ready(self) -> None:
        """Wait until all workers have their place in the group, and all they need."""

        async def all_ready() -> bool:
            assert all(it.running for it in self.workers), "a worker has ended by itself"
            return all([await self.readiness(it) == "" for it in self.workers])

        await eventually(all_ready, "all workers are ready")

    async def wait_joined(self) -> None:
        """Wait until all workers are members of the group, as Kafka sees it."""
        group = self.cluster.settings["GROUP_ID"]
        async with admin_of(self.cluster.broker) as admin:

            async def all_joined() -> bool:
                answers: list[Any] = await admin.describe_consumer_groups([group])
                ((_, _, state, _, _, members),) = answers[0].groups
                return bool(state == "Stable" and len(members) == len(self.workers))

            await eventually(all_joined, "all workers are members of the group")

    async def readiness(self, worker: Program) -> str:
        """Return "" if a worker is ready, else what it says of itself."""
        try:
            async with self._http.get(f"{worker.url}/readyz") as answer:
                return "" if answer.status == 200 else await answer.text()
        except aiohttp.ClientError as error:
            return f"no answer: {error!r}"

    async def wait_not_ready(self, reason: str) -> None:
        """Wait until all workers say that they are not ready for this reason."""

        async def all_say_so() -> bool:
            return all([reason in await self.readiness(it) for it in self.workers])

        await eventually(all_say_so, f"all workers say: {reason}")

    async def logs(self) -> dict[int, int]:
        """Return the numbers of the partitions in the ids of their trades."""
        return dict(
            await self.database.fetch("SELECT partition, id FROM partitions WHERE is_current")
        )

    async def next_offsets(self) -> dict[int, int]:
        """Return how far the store has consumed each partition."""
        return dict(
            await self.database.fetch(
                "SELECT partition, next_offset FROM partitions WHERE is_current"
            )
        )

    async def wait_working(self) -> None:
        """Wait until trades are stored that come in now."""
        before = sum((await self.next_offsets()).values())

        async def more() -> bool:
            return sum((await self.next_offsets()).values()) > before

        await eventually(more, "trades are being stored")

    async def wait_fault(self, number: int) -> list[Place]:
        """Wait for the fault of a worker; return what it had in hand."""
        worker = self.workers[number]

        async def lines() -> list[tuple[str, ...]]:
            return FAULT_LINE.findall(worker.log())

        found = await eventually(lines, f"its fault befalls worker {number}")
        return [Place(*map(int, place)) for place in found]

    async def wait_consumed(self, ends: Mapping[int, int]) -> None:
        """Wait until ``consumed`` stands at these offsets."""

        async def at_the_end() -> bool:
            return await self.next_offsets() == ends

        await eventually(at_the_end, f"consumed stands at {ends}", timeout_s=CATCH_UP_TIMEOUT_S)

    async def stored_trades(self) -> list[Stored]:
        """Return the stored trades in the order of their ids."""
        rows = await self.database.fetch(
            "SELECT partition, trades.id, coin, time, price, amount, trade_id FROM trades "
            "JOIN coins ON coins.id = coin_id "
            f"JOIN partitions ON partitions.id = trades.id / {1 << OFFSET_BITS} "
            "ORDER BY trades.id"
        )
        return [
            Stored(partition, split(id_)[1], coin, time, Decimal(price), Decimal(amount), trade_id)
            for partition, id_, coin, time, price, amount, trade_id in rows
        ]

    async def stored_candles(self) -> Candles:
        """Return the stored candles."""
        rows = await self.database.fetch(
            'SELECT coin, "interval", open_time, "open", high, low, "close", volume, '
            "quote_volume, trades FROM candles"
        )
        candles: Candles = {}
        for coin, interval, open_time, *numbers, trades in rows:
            open_, high, low, close, volume, quote_volume = map(Decimal, numbers)
            values = Values(open_, high, low, close, volume, quote_volume, trades)
            candles[coin, interval, open_time] = values
        return candles

    async def dead_letters(self) -> set[tuple[int, int]]:
        """Return partition and offset of the records that were put aside."""
        topic = await read_topic(self.cluster.broker, dead_letter_topic(self.cluster.topic))
        letters = [dict(record.headers) for read in topic.values() for record in read]
        return {(int(it["partition"]), int(it["offset"])) for it in letters}


@asynccontextmanager
async def scene(
    cluster: Cluster,
    database: TestedDatabase,
    *,
    folder: Path,
    records: Sequence[Sent],
    settings: Mapping[str, str] | None = None,
    workers: int = 2,
) -> AsyncIterator[Scene]:
    """Have workers run, ready, and be ended at the end."""
    with ExitStack() as stack:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_S)) as http,
            Feeder(cluster.broker, cluster.topic, records) as feeder,
        ):
            it = Scene(
                cluster,
                database,
                settings=settings or {},
                folder=folder,
                stack=stack,
                http=http,
                feeder=feeder,
            )
            it.workers = [it.run() for _ in range(workers)]
            await it.wait_ready()
            yield it
