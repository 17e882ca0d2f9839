"""Sends trades to a topic at a given rate, in a process of its own.

``python -m bench.feed BROKER TOPIC TRADES RATE COINS``; RATE 0 is as fast as possible. The time
of a trade is that of its sending. Trades are sent in whole batches, each coin to one partition.
"""

import asyncio
import itertools
import sys
import time
from decimal import Decimal

import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

import trade_rules
from bench.broker import PARTITIONS
from trade_rules import TradeMessage

#: Between batches; at full speed each batch has :data:`BATCH_TRADES`.
INTERVAL_S = 0.05
BATCH_TRADES = 2000
#: Different messages of a coin, which are sent repeatedly.
MESSAGES = 100
UNCONFIRMED_BATCHES = 16


def command(broker: str, topic: str, trades: int, rate: int, coins: int) -> list[str]:
    """Return the command that starts the process."""
    arguments = map(str, (broker, topic, trades, rate, coins))
    return [sys.executable, "-m", "bench.feed", *arguments]


async def feed(broker: str, topic: str, trades: int, rate: int, coins: int) -> None:
    """Send the trades."""
    endless = {number: itertools.cycle(it) for number, it in messages(coins).items() if it}
    async with AIOKafkaProducer(bootstrap_servers=broker, max_batch_size=900_000) as producer:
        sent = 0
        start = time.monotonic()
        pending: set[asyncio.Future[object]] = set()
        while sent < trades:
            count = min(round(rate * INTERVAL_S) or BATCH_TRADES * len(endless), trades - sent)
            now_ms = time.time_ns() // 1_000_000
            for number, (partition, source) in enumerate(endless.items()):
                share = count // len(endless) + (number < count % len(endless))
                batch = producer.create_batch()
                for key, value in itertools.islice(source, share):
                    batch.append(key=key, value=value, timestamp=now_ms)
                pending.add(await producer.send_batch(batch, topic, partition=partition))
            sent += count
            if rate:
                await asyncio.sleep(max(0, start + sent / rate - time.monotonic()))
            while len(pending) > UNCONFIRMED_BATCHES:
                _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if pending:
            await asyncio.wait(pending)


def messages(coins: int) -> dict[int, list[tuple[bytes, bytes]]]:
    """Return (key, value) pairs by partition, alternating between the coins."""
    partitions = list(range(PARTITIONS))
    partitioner = DefaultPartitioner()
    found: dict[int, list[tuple[bytes, bytes]]] = {number: [] for number in partitions}
    for number, coin in itertools.product(range(MESSAGES), range(coins)):
        name = f"COIN{coin}"
        price = Decimal(100_000 + coin * 1000 + number * 7 % 90) / 100
        value = trade_rules.encode(TradeMessage(name, Decimal(number % 50 + 1) / 1000, price))
        found[partitioner(name.encode(), partitions, partitions)].append((name.encode(), value))
    return found


if __name__ == "__main__":
    broker, topic, *numbers = sys.argv[1:]
    uvloop.run(feed(broker, topic, *map(int, numbers)))
