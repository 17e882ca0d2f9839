"""Process-wide settings, which a program applies once, before anything else."""

import asyncio
import gc

import uvloop

from streaming.kafka import connection

#: A fetch creates tens of thousands of short-lived objects without cycles. With Python's
#: threshold of 700 the collector takes a fifth of the consumer's time and finds nothing.
GC_THRESHOLD = (50_000, 20, 100)


def set_up() -> None:
    """Set the event loop policy, aiokafka's connection class and the garbage collector."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    connection.install()
    gc.set_threshold(*GC_THRESHOLD)
