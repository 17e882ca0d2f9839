"""Faust's Kafka producer: idempotent, and replaced by a new one when a send fails."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed
from faust.transport.drivers import aiokafka as driver
from mode import Service

from streaming import internals

#: Size of a batch of one partition. The broker's default limit is 1,048,588 bytes.
MAX_BATCH_BYTES = 1_000_000
#: How long a stopping producer waits for Kafka to confirm unconfirmed batches.
FLUSH_TIMEOUT_S = 2.5
RENEW_INTERVAL_S = 0.5
#: For starting a new producer, and for closing one whose broker does not answer.
RENEW_LIMIT_S = 10.0
CLOSE_LIMIT_S = 1.0

Result = TypeVar("Result")


class Producer(driver.Producer):
    """An idempotent producer that can be replaced and does not block the shutdown."""

    logger = logging.getLogger("faust.producer")
    mundane_level = "debug"
    _failed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: For each aiokafka producer in use by :meth:`within`, a future done once it is closed.
        self._closings: dict[AIOKafkaProducer, asyncio.Future[None]] = {}

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    @property
    def kafka(self) -> AIOKafkaProducer:
        """The aiokafka producer that Faust wraps: sending through Faust's layers costs more."""
        return self._ensure_producer()

    def send_failed(self, kafka: AIOKafkaProducer) -> None:
        """Request a replacement for ``kafka``, one of whose sends has failed.

        A failed batch leaves a gap in the sequence numbers, so Kafka rejects all later batches.
        """
        self._failed = self._failed or kafka is internals.kafka_producer(self)

    async def within(
        self, limit_s: float, kafka: AIOKafkaProducer, work: Coroutine[Any, Any, Result]
    ) -> Result:
        """Return the result of ``work``, which waits for ``kafka``.

        Raises TimeoutError, and ProducerClosed once ``kafka`` has been replaced: some of
        aiokafka's waits do not end when their producer is closed.
        """
        task = asyncio.ensure_future(work)
        if kafka is not internals.kafka_producer(self):
            task.cancel()
            raise ProducerClosed
        closing = self._closings.setdefault(kafka, asyncio.get_running_loop().create_future())
        either: set[asyncio.Future[Any]] = {task, closing}
        try:
            await asyncio.wait(either, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        finally:
            task.cancel()
        if closing.done():
            raise ProducerClosed
        raise TimeoutError(f"Kafka did not answer within {limit_s:g} s")

    @Service.task
    async def _renew_when_failed(self) -> None:
        while not self.should_stop:
            await self.sleep(RENEW_INTERVAL_S)
            producer = internals.kafka_producer(self)
            if self._failed and producer is not None:
                await self._renew(producer)

    async def _renew(self, failed: AIOKafkaProducer) -> None:
        renewed = self._new_producer()
        try:
            async with asyncio.timeout(RENEW_LIMIT_S):
                await renewed.start()
        except (KafkaError, TimeoutError) as error:
            self.log.error("Could not start a new producer: %r", error)
            await self._stop_producer(renewed)
            return
        self.log.error("A send failed; a new producer has replaced the old one")
        self._failed = False
        internals.replace_producer(self, renewed)
        await self._stop_producer(failed)

    async def _stop_producer(self, producer: AIOKafkaProducer) -> None:
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT_S):
                await producer.stop()
        except TimeoutError:
            self.log.error("Kafka did not confirm the last sends: their outcome is unknown")
            with suppress(TimeoutError):  # the cancelled stop() has not closed the connections
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await internals.stop_sending(producer)
        # Else all that wait for its sends, or for anything else of it, would wait forever.
        internals.fail_all(producer, ProducerClosed())
        closing = self._closings.pop(producer, None)
        if closing and not closing.done():
            closing.set_result(None)

    async def flush(self) -> None:
        """Wait a limited time for sends in flight; Faust calls this before it gives up partitions.

        Senders wait for Kafka's confirmation themselves. One topic that accepts nothing must not
        keep the worker from rejoining its group.
        """
        producer = internals.kafka_producer(self)
        if producer is not None:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(FLUSH_TIMEOUT_S):
                    await producer.flush()

    async def on_stop(self) -> None:
        """Flush and close the producer."""
        producer = internals.kafka_producer(self)
        internals.replace_producer(self, None)
        if producer is not None:
            await self._stop_producer(producer)
        await super().on_stop()
