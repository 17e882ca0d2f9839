"""Process-wide settings, which a program applies once, before anything else."""

import asyncio
import gc
import sys

import uvloop

from streaming.kafka import connection

#: A fetch creates tens of thousands of short-lived objects without cycles. With Python's
#: threshold of 700 the collector takes a fifth of the consumer's time and finds nothing.
GC_THRESHOLD = (50_000, 20, 100)

#: How long a thread that waits for the GIL lets another one keep it. SQLite's connections have
#: threads of their own, and each of their steps waits for the event loop so long.
SWITCH_INTERVAL_S = 0.0005


def set_up() -> None:
    """Set the event loop policy, aiokafka's connection class and the garbage collector."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    connection.install()
    gc.set_threshold(*GC_THRESHOLD)
