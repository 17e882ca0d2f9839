"""What happens to workers, and to what they need, while trades come in."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence

from tests.faults import AFTER_COMMIT, BEFORE_COMMIT, BEFORE_TRANSACTION
from tests.integration.scene import Fault, Place, Scene
from tests.integration.trades import delete_topic
from tests.waiting import eventually

#: At once as something begins to happen; then some more, for as long as it takes.
AT_ONCE = 2_000
AWAY_S = 10

Happening = Callable[[Scene], Awaitable[None]]


async def let_happen(it: Scene, happenings: Sequence[Happening], at_once: int = AT_ONCE) -> None:
    """Let one thing after the other happen, while records come in."""
    for happening in happenings:
        happened = asyncio.Event()
        feeding = asyncio.create_task(it.feeder.feed(at_once, happened))
        try:
            await it.wait_working()
            await happening(it)
            assert not feeding.done(), "there was no work to do meanwhile"
            happened.set()
            await feeding
        finally:
            feeding.cancel()
        await it.wait_ready()


async def kill(it: Scene, number: int, successor: Fault | None = None) -> None:
    """Kill a worker, whatever it is doing, and start another one."""
    worker = it.workers[number]

    async def works() -> bool:
        return bool(worker.trades())

    await eventually(works, f"worker {number} works")  # the other one may have begun before
    worker.kill()
    assert worker.wait(1) == -signal.SIGKILL
    it.replace(number, successor)


async def die_before_commit(it: Scene, number: int) -> None:
    """Kill a worker; have its successor die with a transaction that is all but committed."""
    places = await see_dead(it, number, Fault(BEFORE_COMMIT, signal.SIGKILL))
    stored = await it.next_offsets()
    assert [stored[place.partition] for place in places] == [place.start for place in places]
    it.replace(number)


async def die_after_commit(it: Scene, number: int) -> None:
    """Kill a worker; have its successor die before anybody hears of what it has committed."""
    places = await see_dead(it, number, Fault(AFTER_COMMIT, signal.SIGKILL))
    stored = await it.next_offsets()
    assert [stored[place.partition] for place in places] == [place.end for place in places]
    it.replace(number)


async def see_dead(it: Scene, number: int, fault: Fault) -> list[Place]:
    """Kill a worker, and have its successor die of the fault."""
    await kill(it, number, fault)
    places = await it.wait_fault(number)
    assert it.workers[number].wait() == -signal.SIGKILL
    return places


async def sleep_past_the_session(it: Scene, number: int) -> None:
    """Kill a worker; have its successor sleep before it stores, until the other one has."""
    await kill(it, number, Fault(BEFORE_TRANSACTION, signal.SIGSTOP))
    places = await it.wait_fault(number)
    sleeper = it.workers[number]

    async def noticed() -> bool:
        log = sleeper.log()
        return any(f"partition={at.partition}) is no longer at {at.start};" in log for at in places)

    assert not await noticed()
    await wake_when_taken_over(it, number)

    await eventually(noticed, "the sleeper finds that it was superseded")


async def sleep_in_a_transaction(it: Scene, number: int) -> None:
    """Do the same with a transaction open, which the database must end, or nobody can go on."""
    await kill(it, number, Fault(BEFORE_COMMIT, signal.SIGSTOP))
    await wake_when_taken_over(it, number)


async def wake_when_taken_over(it: Scene, number: int) -> None:
    """Have a worker go on once the other one has stored what it has in hand."""
    places = await it.wait_fault(number)

    async def taken_over() -> bool:
        stored = await it.next_offsets()
        return all(stored[place.partition] > place.start for place in places)

    await eventually(taken_over, "the other worker has taken over")
    it.workers[number].signal(signal.SIGCONT)
    await it.wait_joined()  # until then it believes to be in the group, and says that it is ready


async def kill_kafka(it: Scene) -> None:
    """Kill the broker; start it again once the workers have noticed."""
    it.cluster.broker.kill()
    await it.wait_not_ready("Kafka has not answered")
    await asyncio.to_thread(it.cluster.broker.start)


async def take_the_database_away(it: Scene) -> None:
    """Have the database away for some time; the workers say so."""
    with it.database.away():
        back = asyncio.create_task(asyncio.sleep(AWAY_S))
        await it.wait_not_ready("the store does not answer")
        await back
    await it.wait_ready()
    for worker in it.workers:
        log = worker.log()
        assert " ERROR chart_app.ingest.trade_consumer the store does not answer" in log
        assert "The store answers again" in log


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
