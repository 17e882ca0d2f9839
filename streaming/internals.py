"""Every private attribute of an object of aiokafka or Faust that we use, each behind a function.

``tests/unit/streaming/test_internals.py`` checks what these functions rely on against the
installed versions: if an upgrade breaks one, its test says which, and why it is needed.
What our subclasses use and override of their own parents stays in those classes; the same test
file lists it.
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
    """Return an admin client's connection, for requests that aiokafka has no method for."""
    return client._client


# ----- fetched records


def set_fetched(consumer: AIOKafkaConsumer, fetched: MutableMapping[TP, Any]) -> None:
    """Set the mapping in which a consumer buffers its fetch results."""
    fetcher: Any = consumer._fetcher
    fetcher._records = fetched


def set_prefetch_backoff(consumer: AIOKafkaConsumer, backoff_s: float) -> None:
    """Set how long a consumer waits for buffered records to be read before it fetches others."""
    fetcher: Any = consumer._fetcher
    fetcher._prefetch_backoff = backoff_s


def set_record_factory(result: FetchResult, make: Callable[[Any, Any], Any]) -> None:
    """Set what makes a fetch's records from the partition and the :data:`Record`."""
    result._partition_records._consumer_record = make


def unread_records(result: FetchResult) -> Any:
    """Return a fetch's PartitionRecords, None after a seek or once all have been read."""
    return result._partition_records


# ----- batches to send


def fail_all(producer: AIOKafkaProducer, error: Exception) -> None:
    """Fail all pending sends of a producer: aiokafka's ``stop()`` may leave them waiting."""
    producer._message_accumulator.fail_all(error)


async def stop_sending(producer: AIOKafkaProducer) -> None:
    """Close a producer whose ``stop()`` has not finished."""
    await producer._sender.close()
    await producer.client.close()


def send_error(producer: AIOKafkaProducer) -> Exception | None:
    """Return the error because of which a producer will never send again, None if there is none."""
    error: Exception | None = producer._message_accumulator._exception
    return error


def is_closed(producer: AIOKafkaProducer) -> bool:
    """Return whether a producer accepts no more batches."""
    return bool(producer._message_accumulator._closed)


def send_queues(producer: AIOKafkaProducer) -> MutableMapping[TopicPartition, Any]:
    """Return the batches waiting to be sent, by partition, the newest last."""
    queues: MutableMapping[TopicPartition, Any] = producer._message_accumulator._batches
    return queues


def append_batch(
    producer: AIOKafkaProducer, builder: BatchBuilder, tp: TopicPartition
) -> MessageBatch:
    """Append a batch, open or closed, to the queue of its partition."""
    batch: MessageBatch = producer._message_accumulator._append_batch(builder, tp)
    return batch


def retrieve_drain_error(batch: MessageBatch) -> None:
    """Retrieve the error of a batch's drain waiter: else asyncio logs that it never was."""
    waiter = batch._drain_waiter
    if waiter.done():
        waiter.exception()


# ----- Faust's consumer, producer and app


def kafka_consumer(thread: driver.AIOKafkaConsumerThread) -> AIOKafkaConsumer:
    """Return the aiokafka consumer that Faust wraps."""
    return thread._ensure_consumer()


def max_poll_records(consumer: AIOKafkaConsumer) -> int | None:
    """Return how many records a fetch returns at most."""
    limit: int | None = consumer._max_poll_records
    return limit


def check_group(consumer: AIOKafkaConsumer) -> None:
    """Raise the error because of which a consumer is not in its group; aiokafka waits for that."""
    coordinator: Any = consumer._coordinator
    coordinator.check_errors()


def consumer_thread(consumer: driver.Consumer) -> driver.AIOKafkaConsumerThread:
    """Return the thread of Faust's consumer, in which it must be asked to seek."""
    return consumer._thread


def committed_offset(consumer: driver.Consumer, tp: TP) -> int:
    """Return the offset that Faust has committed for a partition, 0 if none."""
    return consumer._committed_offset[tp] or 0


def forget_acks(consumer: driver.Consumer, tp: TP) -> None:
    """Clear Faust's record of acknowledged messages of a partition."""
    consumer._acked[tp].clear()
    consumer._acked_index[tp].clear()


def kafka_producer(producer: driver.Producer) -> AIOKafkaProducer | None:
    """Return the aiokafka producer that Faust wraps, None before the start and after the stop."""
    return producer._producer


def replace_producer(producer: driver.Producer, other: AIOKafkaProducer | None) -> None:
    """Set the aiokafka producer that Faust wraps."""
    producer._producer = other


def has_assignment(app: App) -> bool:
    """Return whether the group has ever assigned partitions to this worker, even none."""
    return app._assignment is not None
