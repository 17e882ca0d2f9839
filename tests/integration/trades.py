"""Trades of all kinds to feed the programs with, and a plain count of what they amount to.

Nothing of chart_app is used here: what it stores is compared with this.
"""

import asyncio
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact, localcontext
from functools import cache
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewPartitions, NewTopic
from aiokafka.structs import ConsumerRecord, TopicPartition

import trade_rules
from dev.local_kafka import LocalKafka
from tests.brokers import admin_of
from tests.waiting import eventually
from trade_rules import TradeMessage

COINS = [*(f"COIN{number}" for number in range(27)), "ビットコイン", 'a "b"', "two words"]
GARBAGE = [b"", b"garbage", b"[]", b'{"coinName":"COIN1","price":1}', b"\xff\xfe"]
#: A Sunday evening: the trades stand in two days, two weeks and two months.
START_MS = int(datetime(2023, 4, 30, 18, tzinfo=UTC).timestamp()) * 1000
SPAN_MS = 12 * 3600 * 1000
LATE_MS = 6 * 3600 * 1000
JITTER_MS = 2000

#: Records a second, and as long as they must not run out.
RATE = 4000
TRICKLE_RATE = 40
CHUNK_S = 0.05
#: A broker may be away for as long.
REQUEST_TIMEOUT_MS = 120_000


class Sent(NamedTuple):
    """A record. ``trade`` is None if it is garbage."""

    coin: str
    value: bytes
    timestamp: int
    trade: TradeMessage | None


class Stored(NamedTuple):
    """A trade as the store should have it."""

    partition: int
    offset: int
    coin: str
    time: int
    price: Decimal
    amount: Decimal
    trade_id: str | None


class Values(NamedTuple):
    """What a candle says."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int


#: Candles by coin, interval and open time.
Candles = dict[tuple[str, str, int], Values]


def make_records(count: int, seed: int = 1, *, repeat_ids: bool = True) -> list[Sent]:
    """Return records of all kinds, about in the order of their times.

    Some are late, some share a millisecond, some have the id of one before, of which only the
    first counts, and a few of these have other numbers. Some have numbers as long as may be, and
    some are no trades.
    """
    chance = random.Random(seed)
    times: dict[str, int] = {}
    of_ids: dict[str, list[TradeMessage]] = defaultdict(list)
    made = []
    for number in range(count):
        coin = chance.choice(COINS)
        time = START_MS + SPAN_MS * number // count + chance.randrange(JITTER_MS)
        kind = chance.random()
        if kind < 0.01:
            time -= chance.randrange(LATE_MS)
        elif kind < 0.2:
            time = times.get(coin, time)
        times[coin] = time
        if kind > 0.997:
            made.append(Sent(coin, chance.choice(GARBAGE), time, None))
            continue
        trade = _trade(chance, coin, of_ids[coin], repeat_ids=repeat_ids)
        made.append(Sent(coin, _message(chance, trade), time, trade))
    return made


def _number(chance: random.Random) -> Decimal:
    if chance.random() < 0.001:
        return Decimal(f"{chance.randrange(10**37, 10**38)}E-20")
    digits = chance.randrange(1, 10 ** chance.randrange(1, 10))
    return Decimal(f"{digits}E-{chance.randrange(9)}")


def _trade(
    chance: random.Random, coin: str, known: list[TradeMessage], *, repeat_ids: bool
) -> TradeMessage:
    kind = chance.random()
    amount, price = _number(chance), _number(chance)
    if kind < 0.05 and known and repeat_ids:
        again = chance.choice(known[-500:])
        if kind > 0.0005:
            amount, price = again.numOfCoin, again.price
        return TradeMessage(coin, amount, price, str(again.tradeId))  # 17 and "17" are the same id
    if kind < 0.4:
        return TradeMessage(coin, amount, price)
    trade = TradeMessage(coin, amount, price, _trade_id(chance))
    known.append(trade)
    return trade


def _trade_id(chance: random.Random) -> str | int:
    kind = chance.random()
    number = chance.randrange(-(10**9), 10**12)
    if kind < 0.02:
        number = chance.randrange(10**62, 10**63)
    return f"t{number}" if kind < 0.27 else number if kind < 0.82 else str(number)


def _message(chance: random.Random, trade: TradeMessage) -> bytes:
    if trade.tradeId is None and chance.random() < 0.02:  # as the older system wrote it
        price, amount = str(trade.price), str(trade.numOfCoin)
        fields = {"coinName": trade.coinName, "price": price, "numOfCoin": amount, "more": 1}
        return json.dumps(fields).encode()
    return trade_rules.encode(trade)


class Feeder:
    """Sends records in their order, each once, at some pace, also over the death of a broker."""

    def __init__(self, broker: LocalKafka, topic: str, records_: Sequence[Sent]) -> None:
        self.sent = 0
        self._broker = broker
        self._topic = topic
        self._records = records_

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._broker.bootstrap_server,
            enable_idempotence=True,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        await self._producer.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._producer.stop()

    async def feed(self, count: int, happened: asyncio.Event | None = None) -> None:
        """Send the next records; then more, slowly, until what is to happen meanwhile has."""
        futures = await self._send(self.sent + count, RATE)
        if happened:
            more = self._send(len(self._records), TRICKLE_RATE, happened)
            futures += await more
            assert happened.is_set(), "there are not enough records"
        await asyncio.gather(*futures)

    async def _send(
        self, end: int, rate: int, is_enough: asyncio.Event | None = None
    ) -> list[asyncio.Future[Any]]:
        futures = []
        while self.sent < end and not (is_enough and is_enough.is_set()):
            for it in self._records[self.sent : min(self.sent + int(rate * CHUNK_S), end)]:
                futures.append(
                    await self._producer.send(
                        self._topic, it.value, key=it.coin.encode(), timestamp_ms=it.timestamp
                    )
                )
                self.sent += 1
            await asyncio.sleep(CHUNK_S)
        return futures


async def delete_topic(broker: LocalKafka, topic: str) -> None:
    """Delete a topic."""
    async with admin_of(broker) as admin:
        answer: Any = await admin.delete_topics([topic])
        assert [code for _, code in answer.topic_error_codes] == [0]


async def add_partitions(broker: LocalKafka, topic: str, count: int) -> None:
    """Have a topic have ``count`` partitions in all."""
    async with admin_of(broker) as admin:
        answer: Any = await admin.create_partitions({topic: NewPartitions(count)})
        assert [error[1] for error in answer.topic_errors] == [0]

        async def are_listed() -> bool:  # a moment after Kafka has confirmed them
            (found,) = await admin.describe_topics([topic])
            return len(found["partitions"]) == count

        await eventually(are_listed, "the broker lists the new partitions")


async def make_topic_again(broker: LocalKafka, topic: str, partitions: int = 4) -> None:
    """Delete a topic and make one of the same name."""
    async with admin_of(broker) as admin:
        await admin.delete_topics([topic])
        again = NewTopic(topic, partitions, 1, topic_configs={"retention.ms": "-1"})

        async def is_made() -> bool:  # not as long as the old one is there
            answer: Any = await admin.create_topics([again])
            return bool(answer.topic_errors[0][1] == 0)

        await eventually(is_made, f"{topic} is made again")


Topic = dict[int, list[ConsumerRecord[bytes, bytes]]]


async def read_topic(broker: LocalKafka, topic: str) -> Topic:
    """Return all that stands on a topic, by partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap_server,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with consumer:
        await consumer._client.force_metadata_update()
        found: Topic = {it: [] for it in sorted(consumer.partitions_for_topic(topic) or ())}
        partitions = [TopicPartition(topic, it) for it in found]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(it) < ends[it] for it in partitions]):
            for tp, read in (await consumer.getmany(timeout_ms=1000)).items():
                found[tp.partition] += read
    return found


def expect_trades(topic: Topic, sent: Sequence[Sent]) -> list[Stored]:
    """Return the trades that count. All that was sent must stand on the topic, in its order.

    The batch under way when a broker dies may stand there twice: when a broker starts, it forgets
    idempotent producers whose last record is older than ``producer.id.expiration.ms`` (a day) by
    the record's own timestamp, as all of :func:`make_records` are. Then a retry is new to it.
    """
    of_coin: dict[str, list[Sent]] = defaultdict(list)
    for it in reversed(sent):
        of_coin[it.coin].append(it)
    ids = set()
    expected = []
    for partition, read in topic.items():
        for it, record in zip(_find(read, of_coin), read, strict=True):
            if it.trade is None:
                continue
            trade_id = None if it.trade.tradeId is None else str(it.trade.tradeId)
            if trade_id is None or (it.coin, trade_id) not in ids:
                ids.add((it.coin, trade_id))
                numbers = (it.trade.price, it.trade.numOfCoin)
                expected.append(
                    Stored(partition, record.offset, it.coin, it.timestamp, *numbers, trade_id)
                )
    assert not any(of_coin.values()), "the topic has less than was sent"
    return expected


def expect_refused(topic: Topic) -> set[tuple[int, int]]:
    """Return partition and offset of the records that are no trades, or have another's id."""
    first: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    refused = set()
    for partition, read in topic.items():
        for record in read:
            place = (partition, record.offset)
            if record.value in GARBAGE:
                refused.add(place)
                continue
            trade = json.loads(record.value or b"", parse_float=Decimal, parse_int=Decimal)
            numbers = (Decimal(trade["price"]), Decimal(trade["numOfCoin"]))
            key = (trade["coinName"], str(trade.get("tradeId", place)))
            if first.setdefault(key, numbers) != numbers:
                refused.add(place)
    return refused


def _find(
    read: Sequence[ConsumerRecord[bytes, bytes]], of_coin: Mapping[str, list[Sent]]
) -> list[Sent]:
    """Take from ``of_coin``, where the next one stands last, what was sent as these records."""
    found: list[Sent] = []
    while len(found) < len(read):
        record = read[len(found)]
        waiting = of_coin[(record.key or b"").decode()]
        if waiting and _is(waiting[-1], record):
            found.append(waiting.pop())
        else:
            found += _repeated(found, read[len(found) :])
    return found


def _repeated(
    found: Sequence[Sent], read: Sequence[ConsumerRecord[bytes, bytes]]
) -> Sequence[Sent]:
    """Return the last of what was found that stands there once more, at once."""
    for count in range(min(len(found), len(read)), 0, -1):
        batch = found[-count:]
        if all(map(_is, batch, read)):
            return batch
    raise AssertionError(f"not the next that was sent, and no batch once more: {read[0]}")


def _is(it: Sent, record: ConsumerRecord[bytes, bytes]) -> bool:
    return (it.coin.encode(), it.value, it.timestamp) == (
        record.key,
        record.value,
        record.timestamp,
    )


def count_candles(trades: Iterable[Stored]) -> Candles:
    """Return the candles of trades that stand in the order of their offsets."""
    groups = defaultdict(list)
    with localcontext(Context(prec=200, traps=[Inexact])):
        for number, it in enumerate(trades):
            whole = it.trade_id and re.fullmatch("-?[0-9]+", it.trade_id)
            place = int(it.trade_id or "") if whole else it.offset
            tick = (it.time, place, number, it.price, it.amount, it.price * it.amount)
            for interval, open_time in _open_times(it.time // 60_000).items():
                groups[it.coin, interval, open_time].append(tick)
        return {key: _values(ticks) for key, ticks in groups.items()}


def _values(ticks: list[tuple[int, int, int, Decimal, Decimal, Decimal]]) -> Values:
    _, _, _, prices, amounts, values = zip(*ticks, strict=True)
    first, last = min(ticks)[3], max(ticks)[3]
    zero = Decimal(0)
    volumes = (sum(amounts, zero), sum(values, zero))
    return Values(first, max(prices), min(prices), last, *volumes, len(ticks))


_MINUTES = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "2h": 120,
    "4h": 240,
    "6h": 360,
    "8h": 480,
    "12h": 720,
    "1d": 24 * 60,
    "3d": 3 * 24 * 60,
}


@cache
def _open_times(minute: int) -> Mapping[str, int]:
    midnight = datetime.fromtimestamp(minute * 60, UTC).replace(hour=0, minute=0)
    monday = midnight - timedelta(days=midnight.weekday())
    return {
        **{name: minute // length * length * 60_000 for name, length in _MINUTES.items()},
        "1w": int(monday.timestamp()) * 1000,
        "1M": int(midnight.replace(day=1).timestamp()) * 1000,
    }
