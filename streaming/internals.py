"""Every private attribute of aiokafka and Faust that is touched, each behind a function.

What these functions rely on is checked by ``tests/unit/streaming/test_internals.py``, against
the installed versions: when an upgrade breaks one, its test says which and why it is needed.
Methods of theirs that our classes override stay in those classes; the same file lists them.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.producer.message_accumulator import BatchBuilder, MessageBatch
from aiokafka.record._protocols import DefaultRecordProtocol
from aiokafka.structs import TopicPartition
from faust import App
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

#: A record as aiokafka reads it from the wire: offset, timestamp (ms), key, value and headers.
Record = DefaultRecordProtocol


def admin_connection(client: AIOKafkaAdminClient) -> AIOKafkaClient:
    """Return the client of an admin client, which sends requests that aiokafka has no call for."""
    return client._client


# ----- what a consumer has fetched


def set_fetched(consumer: AIOKafkaConsumer, fetched: MutableMapping[TP, Any]) -> None:
    """Have a consumer keep what it has fetched, and not handed out yet, in a mapping of ours."""
    fetcher: Any = consumer._fetcher
    fetcher._records = fetched


def set_prefetch_backoff(consumer: AIOKafkaConsumer, backoff_s: float) -> None:
    """Set for how long a partition whose records wait is left out, before others are fetched."""
    fetcher: Any = consumer._fetcher
    fetcher._prefetch_backoff = backoff_s


def keep_as_read(result: FetchResult, wrap: Callable[[Any, Any], Any]) -> None:
    """Have the records of a fetch made by ``wrap`` of the partition and the :data:`Record`."""
    result._partition_records._consumer_record = wrap


def unread_records(result: FetchResult) -> Any:
    """Return aiokafka's PartitionRecords of a fetch, None after a seek or when all were read."""
    return result._partition_records


# ----- what a producer has to send


def fail_all(producer: AIOKafkaProducer, error: Exception) -> None:
    """Have all that waits for a producer's sends fail: aiokafka's own end leaves it waiting."""
    producer._message_accumulator.fail_all(error)


async def stop_sending(producer: AIOKafkaProducer) -> None:
    """Close a producer whose ``stop()`` did not come to an end."""
    await producer._sender.close()
    await producer.client.close()


def send_error(producer: AIOKafkaProducer) -> Exception | None:
    """Return the error that keeps a producer from sending ever again."""
    error: Exception | None = producer._message_accumulator._exception
    return error


def is_closed(producer: AIOKafkaProducer) -> bool:
    """Return whether a producer takes no more batches."""
    return bool(producer._message_accumulator._closed)


def send_queues(producer: AIOKafkaProducer) -> MutableMapping[TopicPartition, Any]:
    """Return the batches of each partition that wait to be sent, the newest last."""
    queues: MutableMapping[TopicPartition, Any] = producer._message_accumulator._batches
    return queues


def append_batch(
    producer: AIOKafkaProducer, builder: BatchBuilder, tp: TopicPartition
) -> MessageBatch:
    """Put a batch, open or not, behind those of its partition."""
    batch: MessageBatch = producer._message_accumulator._append_batch(builder, tp)
    return batch


def look_at_drain_error(batch: MessageBatch) -> None:
    """Take note of the error with which a batch was taken: else asyncio logs that nobody has."""
    taken = batch._drain_waiter
    if taken.done():
        taken.exception()


# ----- Faust's consumer, producer and app


def kafka_consumer(thread: driver.AIOKafkaConsumerThread) -> AIOKafkaConsumer:
    """Return aiokafka's consumer of Faust's."""
    return thread._ensure_consumer()


def consumer_thread(consumer: driver.Consumer) -> driver.AIOKafkaConsumerThread:
    """Return the thread of Faust's consumer, the one that may be asked to seek."""
    return consumer._thread


def committed_offset(consumer: driver.Consumer, tp: TP) -> int:
    """Return the offset that Faust has committed of a partition, 0 if none."""
    return consumer._committed_offset[tp] or 0


def forget_acks(consumer: driver.Consumer, tp: TP) -> None:
    """Forget which single messages of a partition Faust has seen acknowledged."""
    consumer._acked[tp].clear()
    consumer._acked_index[tp].clear()


def kafka_producer(producer: driver.Producer) -> AIOKafkaProducer | None:
    """Return aiokafka's producer of Faust's, None if there is none yet, or no more."""
    return producer._producer


def replace_producer(producer: driver.Producer, other: AIOKafkaProducer | None) -> None:
    """Have Faust's producer send by another one of aiokafka's."""
    producer._producer = other


def has_assignment(app: App) -> bool:
    """Return whether the group has ever given this worker its partitions, be they none."""
    return app._assignment is not None
