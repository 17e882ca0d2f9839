import asyncio

from streaming.deadlines import Deadlines
from tests.waiting import PATIENCE_S, in_time


def wait() -> "asyncio.Future[None]":
    """Return a future that nobody ends."""
    return asyncio.get_running_loop().create_future()


async def test_a_wait_ends_after_its_time() -> None:
    deadlines = Deadlines(1)
    loop = asyncio.get_running_loop()

    async def attempt() -> float:
        start = loop.time()
        waits = [wait() for _ in range(3)]
        for it in waits:
            added = loop.time()
            deadlines.add(it)
            await asyncio.sleep(0.02)
            assert not it.done()
        await asyncio.wait(waits)
        end = loop.time()
        assert end >= added + deadlines.timeout_s
        return end - start

    await in_time(2, attempt)


async def test_a_wait_that_has_ended_is_left_alone() -> None:
    deadlines = Deadlines(0.02)
    ended, cancelled, last = wait(), wait(), wait()
    for it in (ended, cancelled, last):
        deadlines.add(it)
    ended.set_result(None)
    cancelled.cancel()
    await last
    assert cancelled.cancelled()


async def test_it_keeps_nothing_of_waits_that_have_ended() -> None:
    deadlines = Deadlines(60)
    for _ in range(100):
        it = wait()
        deadlines.add(it)
        it.set_result(None)
    assert len(deadlines._waits) == 1
    timer = deadlines._timer
    assert timer
    timer.cancel()


async def test_the_timer_starts_anew_after_a_pause() -> None:
    deadlines = Deadlines(0.01)
    for _ in range(2):
        it = wait()
        deadlines.add(it)
        await asyncio.wait_for(it, PATIENCE_S)
        assert deadlines._timer is None
