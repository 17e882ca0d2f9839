"""Faust's Kafka producer, with confirmed sends out, which can be replaced when one fails."""

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

#: Sends that share a produce request, per partition. The broker's default limit of a
#: batch is 1,048,588 bytes.
MAX_BATCH_BYTES = 1_000_000
#: How long a stopping producer waits for the broker to confirm what it still holds.
FLUSH_TIMEOUT_S = 2.5
RENEW_INTERVAL_S = 0.5
#: How long starting another producer may take, and closing one that does not answer.
RENEW_LIMIT_S = 10.0
CLOSE_LIMIT_S = 1.0

Result = TypeVar("Result")


class Producer(driver.Producer):
    """An idempotent producer that can be replaced, and never blocks the end of the program."""

    logger = logging.getLogger("faust.producer")
    mundane_level = "debug"
    _failed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Of each of aiokafka's producers that somebody waits on, a future that is done with it.
        self._ends: dict[AIOKafkaProducer, asyncio.Future[None]] = {}

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    @property
    def kafka(self) -> AIOKafkaProducer:
        """The producer that Faust wraps: a send through Faust's layers costs more."""
        return self._ensure_producer()

    def send_failed(self, kafka: AIOKafkaProducer) -> None:
        """Have another producer take over from ``kafka``: one of its sends has failed.

        A failed batch has used up its sequence numbers, so Kafka refuses all that follows.
        """
        self._failed = self._failed or kafka is internals.kafka_producer(self)

    async def within(
        self, limit_s: float, kafka: AIOKafkaProducer, work: Coroutine[Any, Any, Result]
    ) -> Result:
        """Return what ``work`` returns, which waits on ``kafka``.

        Raises ProducerClosed as soon as another producer has taken over, and TimeoutError: some
        of aiokafka's waits on a producer outlive it, and then nothing ends them.
        """
        task = asyncio.ensure_future(work)
        if kafka is not internals.kafka_producer(self):
            task.cancel()
            raise ProducerClosed
        end = self._ends.setdefault(kafka, asyncio.get_running_loop().create_future())
        either: set[asyncio.Future[Any]] = {task, end}
        try:
            await asyncio.wait(either, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
        finally:
            task.cancel()
        if end.done():
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
            self.log.error("Could not start another producer: %r", error)
            await self._stop_producer(renewed)
            return
        self.log.error("A send failed; another producer has taken over")
        self._failed = False
        internals.replace_producer(self, renewed)
        await self._stop_producer(failed)

    async def _stop_producer(self, producer: AIOKafkaProducer) -> None:
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT_S):
                await producer.stop()
        except TimeoutError:
            self.log.error("Kafka did not confirm the last sends: their outcome is unknown")
            with suppress(TimeoutError):  # stop() does not go on from here
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await internals.stop_sending(producer)
        # Whoever waits for one of its sends, or for anything else of it, would wait forever.
        internals.fail_all(producer, ProducerClosed())
        end = self._ends.pop(producer, None)
        if end and not end.done():
            end.set_result(None)

    async def flush(self) -> None:
        """Wait for what is being sent, for some time: Faust does so before it gives partitions up.

        Who sends waits for Kafka's confirmation anyway. One topic that takes nothing must not keep
        the worker from joining its group again.
        """
        producer = internals.kafka_producer(self)
        if producer is not None:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(FLUSH_TIMEOUT_S):
                    await producer.flush()

    async def on_stop(self) -> None:
        """Send what is left, and close."""
        producer = internals.kafka_producer(self)
        internals.replace_producer(self, None)
        if producer is not None:
            await self._stop_producer(producer)
        await super().on_stop()
