"""Sending trades to Kafka, and knowing that Kafka holds them.

Errors::

    PublishError
      + SendBufferFull      not sent: too many wait for confirmation, or Kafka is not there yet
      + NotConfirmed        the broker has not confirmed it: it may or may not be stored
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata
from faust.exceptions import NotReady
from prometheus_client import Counter, Gauge

import records
from records import Trade
from settings import Settings
from streaming.transport import Producer

CONFIRMED = Counter("trading_trades_confirmed", "Trades that Kafka confirmed.")
UNCONFIRMED = Gauge("trading_trades_unconfirmed", "Trades sent and not yet confirmed.")


class PublishError(Exception):
    """Kafka has not confirmed the trade."""


class SendBufferFull(PublishError):
    """The trade was not sent: too many wait for confirmation, or Kafka is not there yet."""


class NotConfirmed(PublishError):
    """The trade was sent, and whether Kafka stores it is unknown."""


class Publisher:
    """Sends trades, acknowledged by all in-sync replicas and without duplicates by retry."""

    def __init__(self, producer: Callable[[], Producer], settings: Settings) -> None:
        self._producer = producer
        self._timeout_s = settings.kafka_delivery_timeout
        self._max_unconfirmed = settings.max_unconfirmed
        self._unconfirmed = 0
        UNCONFIRMED.set_function(lambda: self._unconfirmed)

    async def publish(self, topic: str, trade: Trade, timestamp_ms: int) -> RecordMetadata:
        """Send a trade; return where Kafka stored it.

        Raises :exc:`PublishError` after at most ``KAFKA_DELIVERY_TIMEOUT`` seconds.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                sent = await self.send(topic, trade, timestamp_ms)
                # Shielded: Kafka may still confirm what this caller no longer waits for, and
                # until then it counts as unconfirmed.
                return await asyncio.shield(sent)
        except TimeoutError:
            raise NotConfirmed(f"no confirmation within {self._timeout_s:g} s") from None
        except KafkaError as error:
            raise NotConfirmed(str(error)) from error

    async def send(
        self, topic: str, trade: Trade, timestamp_ms: int
    ) -> "asyncio.Future[RecordMetadata]":
        """Start to send a trade; return the future of its confirmation.

        Raises :exc:`SendBufferFull`, or KafkaError.
        """
        if self._unconfirmed >= self._max_unconfirmed:
            raise SendBufferFull(f"{self._unconfirmed} trades wait for confirmation")
        try:
            kafka = self._producer().kafka
        except NotReady:
            raise SendBufferFull("Kafka has not answered since the start") from None
        self._unconfirmed += 1
        try:
            sent: asyncio.Future[RecordMetadata] = await kafka.send(
                topic,
                records.encode(trade),
                key=trade.coinName.encode(),
                timestamp_ms=timestamp_ms,
            )
        except BaseException as error:
            self._unconfirmed -= 1
            if isinstance(error, KafkaError):
                self._producer().send_failed(kafka)
            raise
        sent.add_done_callback(partial(self._settle, kafka))
        return sent

    def _settle(self, kafka: AIOKafkaProducer, sent: "asyncio.Future[Any]") -> None:
        self._unconfirmed -= 1
        if sent.cancelled() or sent.exception():
            self._producer().send_failed(kafka)
        else:
            CONFIRMED.inc()


def now_ms() -> int:
    """Return the time in ms since the epoch."""
    return time.time_ns() // 1_000_000
