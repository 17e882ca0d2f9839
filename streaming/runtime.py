"""What a program sets for its whole process, once, before it does anything."""

import asyncio
import gc

import uvloop

from streaming.kafka import connection

#: A fetch makes tens of thousands of objects and soon drops them, in no cycles. With Python's
#: threshold of 700 the collector takes a fifth of the consumer's time to find nothing.
GC_THRESHOLD = (50_000, 20, 100)


def set_up() -> None:
    """Set the event loop, aiokafka's connections and the garbage collector."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    connection.use()
    gc.set_threshold(*GC_THRESHOLD)
