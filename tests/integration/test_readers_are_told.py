"""Whatever REST says in the end, who reads streams has been told, whatever dies meanwhile."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import aiohttp

from tests.conftest import Cluster
from tests.integration.databases import TestedDatabase
from tests.integration.onlooker import Onlooker, by_rest
from tests.integration.scene import Scene, scene
from tests.integration.test_exactly_once import (
    Happening,
    database,
    die_after_commit,
    kill,
    kill_kafka,
    let_happen,
    sleep_past_the_session,
    wait_stored,
)
from tests.integration.trades import COINS, delete_topic, make_records
from tests.programs import Program
from tests.waiting import eventually

__all__ = ["database"]  # the fixture

AT_ONCE = 2_000
#: More than are sent however long it takes.
RECORDS = 60_000
WATCHED = COINS[::4]


async def test_who_looks_on_is_told_whatever_dies(
    cluster: Cluster, database: TestedDatabase, tmp_path: Path
) -> None:
    happenings: list[Happening] = [
        the_live_topic_goes,
        partial(die_after_commit, number=1),
        kill_kafka,
        partial(sleep_past_the_session, number=1),
        partial(kill, number=0),
    ]
    records = make_records(RECORDS)
    async with scene(cluster, database, folder=tmp_path, records=records) as it:
        onlookers = [Onlooker(partial(worker, it, number), WATCHED) for number in (0, 1)]
        async with onlookers[0], onlookers[1]:
            await let_happen(it, happenings, AT_ONCE)
            await wait_stored(it, records[: it.feeder.sent])
            await check_told(it, onlookers)
        assert all(onlooker.connections > 1 for onlooker in onlookers)


async def test_who_looks_on_is_told_where_trades_are_not_stored(
    cluster: Cluster, database: TestedDatabase, tmp_path: Path
) -> None:
    happenings: list[Happening] = [the_live_topic_goes, partial(die_after_commit, number=1)]
    records = make_records(RECORDS, repeat_ids=False)
    settings = {"STORE_TRADES": "false"}
    async with scene(cluster, database, folder=tmp_path, records=records, settings=settings) as it:
        async with Onlooker(partial(worker, it, 0), WATCHED) as onlooker:
            await let_happen(it, happenings, AT_ONCE)
            await wait_stored(it, records[: it.feeder.sent])
            await check_told(it, [onlooker], trades=False)
        assert onlooker.connections == 1, "it stayed connected"


def worker(it: Scene, number: int) -> Program:
    """Return who has this number now."""
    return it.workers[number]


async def the_live_topic_goes(it: Scene) -> None:
    """Delete the live topic; trades are stored all the same, and the workers make it again."""
    live = f"{it.cluster.topic}.live"
    await delete_topic(it.cluster.broker, live)
    await it.wait_working()

    async def made_again() -> bool:
        return any(
            f"Created topic {live} " in program.log().split("Ready:")[-1] for program in it.workers
        )

    await eventually(made_again, "a worker makes the live topic again")
    await it.wait_working()


async def check_told(it: Scene, onlookers: Sequence[Onlooker], *, trades: bool = True) -> None:
    """Check that what was told is in the end what REST says."""
    async with aiohttp.ClientSession() as http:
        klines, ids = await by_rest(http, it.workers[0].url, WATCHED)
    for onlooker in onlookers:

        async def told() -> bool:
            return onlooker.klines == klines and (not trades or onlooker.trades == ids)  # noqa: B023

        try:
            await eventually(told, "the onlooker has been told")
        except AssertionError:
            wrong = {key: (onlooker.klines.get(key), row) for key, row in klines.items()}
            wrong = {key: both for key, both in wrong.items() if both[0] != both[1]}
            missing, more = ids - onlooker.trades, onlooker.trades - ids
            assert (len(wrong), [*wrong.items()][:5], len(missing), len(more)) == (0, [], 0, 0)
        assert max(onlooker.events.values(), default=0) <= 1, "each trade comes once"
