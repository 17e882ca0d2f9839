"""A topic full of trades."""

import asyncio
from decimal import Decimal

from aiokafka import AIOKafkaProducer

import trade_rules
from bench.broker import COINS, make_topic
from dev.local_kafka import LocalKafka
from trade_rules import TradeMessage

#: Trades that may be unconfirmed, which bounds the memory.
CHUNK = 20_000
#: Of a batch. A fetch of a partition ends after 1 MiB, within a batch, which is then fetched again:
#: with large batches that is a large part of what consumers receive.
BATCH_BYTES = 50_000


async def fill(broker: LocalKafka, topic: str, trades: int, *, with_keys: bool = True) -> None:
    """Create the topic and send the trades to it, numbered by ``tradeId``.

    With keys, the coins, a coin is on one partition; without, every coin is on all.
    """
    await make_topic(broker, topic)
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap_server, max_batch_size=BATCH_BYTES, linger_ms=20
    )
    async with producer:
        for start in range(0, trades, CHUNK):
            sent = []
            for number in range(start, min(start + CHUNK, trades)):
                coin = COINS[number % len(COINS)]
                key = coin.encode() if with_keys else None
                sent.append(await producer.send(topic, trade(number, coin), key=key))
            await asyncio.gather(*sent)


def trade(number: int, coin: str) -> bytes:
    """Return the record of a trade."""
    price = Decimal(9_000_000 + number % 100_000) / 100
    amount = Decimal(1 + number % 10_000) / 10_000
    return trade_rules.encode(
        TradeMessage(coinName=coin, numOfCoin=amount, price=price, tradeId=number)
    )
