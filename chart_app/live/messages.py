"""What is stored, broadcast to all workers: the topic ``tradeData.live``.

One message a coin and transaction, or several for a large one; key: the coin. JSON::

    {"trades": [[id, time, "price", "amount"], …],
     "candles": [[interval, open_time, "open", "high", "low", "close", "volume", "quoteVolume",
                  trades, first_id, last_id], …]}

A message whose key is empty says, after them, which offsets of which partitions they cover:
``[[log, start, end], …]``, ``log`` being the number of the partition in the store. What is
stored and never covered is a gap: :mod:`chart_app.live.gaps`.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import zip_longest
from typing import Annotated, Any, Protocol

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from mode import Service

from chart_app.ingest.trade_log import TIMESTAMP_MAX_MS
from chart_app.live.gaps import Span
from chart_app.model.candles import Candle, CandleKey
from chart_app.model.intervals import Interval
from chart_app.storage.schema import plain
from chart_app.storage.write_batch import Change
from streaming.kafka.topic_ids import TopicState
from streaming.service import is_ending

logger = logging.getLogger(__name__)

#: Trades, or candles, of a message: with the longest numbers half of what a message may hold.
MESSAGE_ITEMS = 1000
POLL_TIMEOUT_MS = 1000
START_CHECK_INTERVAL_S = 0.02
RETRY_INTERVAL_S = 1.0
#: How often it is looked whether the topic is still the same. What was read meanwhile of one that
#: was deleted and made again may have holes.
CHECK_INTERVAL_S = 2.0
#: For Kafka to say where the topic ends; for the consumer to say goodbye.
START_LIMIT_S = 30.0
STOP_LIMIT_S = 5.0
#: Of the messages that say what was covered: no coin has an empty name.
SPANS_KEY = b""


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
    """What a transaction has changed for one coin."""

    trades: list[LiveTrade] = []
    candles: list[LiveCandle] = []


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(LiveMessage).decode
encode_spans = msgspec.json.Encoder().encode
decode_spans = msgspec.json.Decoder(list[Span]).decode


def live_candle(key: CandleKey, candle: Candle) -> LiveCandle:
    """Return a candle as it is broadcast."""
    return LiveCandle(
        key.interval,
        key.open_time,
        *(plain(candle.open), plain(candle.high), plain(candle.low), plain(candle.close)),
        *(plain(candle.volume), plain(candle.quote_volume), candle.trades),
        *(candle.first.id, candle.last.id),
    )


def encode_change(change: Change) -> Iterator[tuple[str, bytes]]:
    """Yield (coin, message) for all that a transaction has changed."""
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


class Spans(Protocol):
    """Takes what the topic is said to carry."""

    async def follow(self) -> None:
        """Take it that the topic is read from now on; wait for the store, if need be."""

    def carry(self, spans: list[Span]) -> None:
        """Take what the messages before cover."""

    def check(self) -> None:
        """Take it that none of them was missed."""


class LiveFeed(Service):
    """Reads the whole topic from now on, and hands out what stands there.

    ``state`` returns the topic's, or None if it is not there. ``on_message`` is given coins and
    their messages, to be decoded.
    """

    logger = logger
    mundane_level = "debug"

    def __init__(
        self,
        topic: str,
        new_consumer: Callable[[], AIOKafkaConsumer],
        state: Callable[[], Awaitable[TopicState | None]],
        on_message: Callable[[str, bytes], None],
        spans: Spans,
    ) -> None:
        super().__init__()
        self._topic = topic
        self._new_consumer = new_consumer
        self._state = state
        self._on_message = on_message
        self._spans = spans
        self._is_following = False

    async def on_started(self) -> None:
        """Wait until nothing is missed that is broadcast from now on."""
        while not is_ending(self):
            if self._is_following:
                return
            await asyncio.sleep(START_CHECK_INTERVAL_S)

    @Service.task
    async def _read(self) -> None:
        while not self.should_stop:
            consumer = self._new_consumer()
            try:
                await self._follow(consumer)
            except (KafkaError, TimeoutError, OSError) as error:
                logger.error("Could not follow %s: %r", self._topic, error)
            finally:
                with suppress(TimeoutError):
                    await asyncio.wait_for(consumer.stop(), STOP_LIMIT_S)
            await self.sleep(RETRY_INTERVAL_S)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        """Read until the program ends, or the topic is another one."""
        async with asyncio.timeout(START_LIMIT_S):
            state = await self._state()
            if state is None:
                raise TimeoutError("it is not there")
            await consumer.start()
            consumer.assign([TopicPartition(self._topic, it) for it in range(state.partitions)])
            if not await consumer.seek_to_end():
                raise TimeoutError("Kafka did not say where it ends")
        await self._spans.follow()
        self._is_following = True
        next_check = time.monotonic() + CHECK_INTERVAL_S
        while not self.should_stop:
            fetched = await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS)
            for records in fetched.values():
                for record in records:
                    self._handle(record.key, record.value)
                    await asyncio.sleep(0)  # the readers of a large message get their turn
            if time.monotonic() >= next_check:
                if await self._state() != state:
                    logger.warning("%s was deleted, or has more partitions", self._topic)
                    return
                self._spans.check()
                next_check = time.monotonic() + CHECK_INTERVAL_S

    def _handle(self, key: bytes | None, value: bytes | None) -> None:
        if key is None:
            return  # of an earlier version, which said so that there may be a gap
        try:
            if key == SPANS_KEY:
                self._spans.carry(decode_spans(value or b""))
            else:
                self._on_message(key.decode(), value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            logger.error("What stands on %s is not ours: %r", self._topic, error)
