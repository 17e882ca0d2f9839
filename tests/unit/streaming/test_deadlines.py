import asyncio
import socket
import time

from streaming.deadlines import HELD_UP_S, Deadlines
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
            assert not it.done() or loop.time() > added + deadlines.timeout_s
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


async def test_what_has_come_while_the_program_was_held_up_is_heard_first() -> None:
    deadlines = Deadlines(0.02)
    near, far = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=near)
    answered, unanswered = wait(), wait()

    async def hear() -> None:
        await reader.readexactly(1)
        answered.cancel()

    hearing = asyncio.create_task(hear())
    await asyncio.sleep(0)
    for it in (answered, unanswered):
        deadlines.add(it)
    with far:
        far.send(b"x")
    time.sleep(2 * HELD_UP_S)  # noqa: ASYNC251 - it is held up
    await unanswered
    await hearing
    assert answered.cancelled()
    writer.close()
    await writer.wait_closed()


async def test_a_program_that_is_held_up_all_the_time_gives_up_all_the_same() -> None:
    deadlines = Deadlines(0.02)
    unanswered = wait()
    deadlines.add(unanswered)
    for _ in range(2):
        time.sleep(2 * HELD_UP_S)  # noqa: ASYNC251 - it is held up
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert unanswered.done()


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
