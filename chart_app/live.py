"""What is stored, told to all workers: the topic ``tradeData.live``.

One message a coin and batch, or several for a large one; key: the coin. JSON::

    {"trades": [[id, time, "price", "amount"], …],
     "candles": [[interval, open_time, "open", "high", "low", "close", "volume", "quoteVolume",
                  trades, first_id, last_id], …]}

A message without a key says that a worker has taken partitions over: the one before may have
died between storing and telling, so what is shown must be read from the store again.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Annotated, Any, Protocol

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from mode import Service

from chart_app.candles import Candle, CandleKey
from chart_app.intervals import Interval
from chart_app.portion import Change
from chart_app.schema import plain
from chart_app.trade_log import TIMESTAMP_MAX_MS
from streaming.service import is_ending
from streaming.transport import Producer

logger = logging.getLogger(__name__)

#: Trades, or candles, of a message: with the longest numbers half of what a message may hold.
MESSAGE_ITEMS = 1000
POLL_TIMEOUT_MS = 1000
START_CHECK_INTERVAL_S = 0.02
STOP_CHECK_INTERVAL_S = 0.5
RETRY_INTERVAL_S = 1.0


#: A price times an amount has at most 36 digits before the point and 110 behind it, and a sum of
#: them some 20 more.
NUMBER_MAX_CHARS = 200

#: Where the calendar begins, of which months are.
YEAR_1_MS = -62_135_596_800_000

# Who writes to the topic need not be one of us: with these the readers can count.
Time = Annotated[int, msgspec.Meta(ge=0, le=TIMESTAMP_MAX_MS)]
OpenTime = Annotated[int, msgspec.Meta(ge=YEAR_1_MS, le=TIMESTAMP_MAX_MS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Number = Annotated[str, msgspec.Meta(max_length=NUMBER_MAX_CHARS)]


class LiveTrade(msgspec.Struct, array_like=True, gc=False):
    """A trade that was stored. Times in ms; numbers as text, with their digits."""

    id: Count
    time: Time
    price: Number
    amount: Number


class LiveCandle(msgspec.Struct, array_like=True, gc=False):
    """A candle as it was stored."""

    interval: Interval
    open_time: OpenTime
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number
    quote_volume: Number
    trades: Count
    first_id: Count
    last_id: Count


class LiveMessage(msgspec.Struct, gc=False):
    """What a batch has changed for one coin."""

    trades: list[LiveTrade] = []
    candles: list[LiveCandle] = []


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(LiveMessage).decode


def live_candle(key: CandleKey, candle: Candle) -> LiveCandle:
    """Return a candle as it is told."""
    return LiveCandle(
        key.interval,
        key.open_time,
        *(plain(candle.open), plain(candle.high), plain(candle.low), plain(candle.close)),
        *(plain(candle.volume), plain(candle.quote_volume), candle.trades),
        *(candle.first.id, candle.last.id),
    )


def messages(change: Change) -> Iterator[tuple[str, bytes]]:
    """Yield (coin, message) for all that a batch has changed."""
    stored = change.trades
    trades: dict[str, list[Any]] = defaultdict(list)
    told = zip(stored.ids, stored.times, stored.price_texts, stored.amount_texts, strict=True)
    for coin, trade in zip(stored.coins, told, strict=True):
        trades[coin].append(trade)
    candles: dict[str, list[LiveCandle]] = defaultdict(list)
    for key, candle in change.candles.items():
        candles[key.coin].append(live_candle(key, candle))
    for coin, candles_of_coin in candles.items():
        for trades_part, candles_part in zip_longest(
            _parts(trades[coin]), _parts(candles_of_coin), fillvalue=()
        ):
            yield coin, encode({"trades": trades_part, "candles": candles_part})


def _parts(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), MESSAGE_ITEMS):
        yield items[start : start + MESSAGE_ITEMS]


class Announcer:
    """Tells all workers what was stored."""

    def __init__(
        self, topic: str, producer: Callable[[], Producer], should_stop: Callable[[], bool]
    ) -> None:
        self._topic = topic
        self._producer = producer
        self._should_stop = should_stop
        self._takeover: asyncio.Task[None] | None = None

    async def announce(self, change: Change) -> None:
        """Tell what a batch has changed; return once Kafka has it, or the program ends."""
        if not await self._send((coin.encode(), value) for coin, value in messages(change)):
            self.announce_takeover()

    def announce_takeover(self) -> None:
        """Have all workers read again what they show, without waiting for Kafka."""
        if self._takeover is None or self._takeover.done():
            self._takeover = asyncio.create_task(self._send_takeover())

    async def _send_takeover(self) -> None:
        while not self._should_stop():
            if await self._send([(None, b"{}")]):
                return
            await asyncio.sleep(RETRY_INTERVAL_S)

    async def _send(self, messages: Iterable[tuple[bytes | None, bytes]]) -> bool:
        """Return False if Kafka may not have it."""
        kafka = self._producer().kafka
        try:
            sent = {await kafka.send(self._topic, value, key=key) for key, value in messages}
            while sent and not self._should_stop():
                done, sent = await asyncio.wait(sent, timeout=STOP_CHECK_INTERVAL_S)
                for future in done:
                    future.result()
        except KafkaError as error:
            # It is stored; only those who watch will see it later.
            logger.error("Could not tell the other workers what was stored: %r", error)
            self._producer().send_failed(kafka)
            return False
        return True


class Listener(Protocol):
    """Takes what was stored."""

    def handle(self, coin: str, value: bytes) -> None:
        """Take a message of a coin."""

    def refresh(self) -> None:
        """Have what is shown read again from the store: something may have been missed."""


class LiveFeed(Service):
    """Reads the whole topic from now on, and hands it to the listener."""

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        topic: str,
        listener: Listener,
        new_consumer: Callable[[], AIOKafkaConsumer],
        partitions: Callable[[], Awaitable[Iterable[int]]],
    ) -> None:
        super().__init__()
        self._topic = topic
        self._listener = listener
        self._new_consumer = new_consumer
        self._partitions = partitions
        self._is_following = False

    async def on_started(self) -> None:
        """Wait until nothing is missed that is told from now on."""
        while not is_ending(self):
            if self._is_following:
                return
            await asyncio.sleep(START_CHECK_INTERVAL_S)

    @Service.task
    async def _read(self) -> None:
        while not self.should_stop:
            try:
                await self._follow()
            except (KafkaError, TimeoutError, OSError) as error:
                logger.error("Could not follow %s: %r", self._topic, error)
            await self.sleep(RETRY_INTERVAL_S)

    async def _follow(self) -> None:
        async with self._new_consumer() as consumer:
            numbers = await self._partitions()
            consumer.assign([TopicPartition(self._topic, number) for number in numbers])
            if not await consumer.seek_to_end():
                raise TimeoutError("Kafka did not say where the topic ends")
            self._is_following = True
            self._listener.refresh()
            while not self.should_stop:
                fetched = await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS)
                for records in fetched.values():
                    for record in records:
                        self._handle(record.key, record.value)
                        await asyncio.sleep(0)  # the readers of a large message get their turn

    def _handle(self, key: bytes | None, value: bytes | None) -> None:
        if key is None:
            self._listener.refresh()
            return
        try:
            self._listener.handle(key.decode(), value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            logger.error("What stands on %s is not ours: %r", self._topic, error)
