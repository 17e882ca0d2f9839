"""What streaming/internals.py relies on is there in the installed aiokafka and Faust.

When an upgrade breaks one of these tests, its name says what is gone, and the function that it
calls what it was needed for.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import MagicMock

import faust
import mode
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, conn
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError, ProducerClosed
from aiokafka.record.default_records import DefaultRecord
from aiokafka.structs import TopicPartition
from faust.tables.manager import TableManager
from faust.transport.consumer import Consumer as ConductorConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.web.drivers import aiohttp as aiohttp_driver

from streaming import internals
from streaming.app import App, Worker
from streaming.http import server
from streaming.kafka import connection, consumer, producer, transport

NOWHERE = "127.0.0.1:1"
PARTITION = TopicPartition("tradeData", 0)


@pytest.fixture
async def kafka() -> AsyncIterator[AIOKafkaProducer]:
    """Return a producer of aiokafka that is connected to nothing."""
    kafka = AIOKafkaProducer(bootstrap_servers=NOWHERE)
    yield kafka
    await kafka.client.close()
    kafka._closed = True  # it was never started, which stop() does not expect


async def test_an_admin_client_has_a_client_that_sends_requests() -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=NOWHERE)
    assert isinstance(internals.admin_connection(admin), AIOKafkaClient)


def test_a_fetcher_keeps_what_it_has_fetched_in_a_mapping_and_has_a_backoff() -> None:
    for attribute in ("_records", "_prefetch_backoff"):
        assert f"self.{attribute} = " in inspect.getsource(Fetcher.__init__)
    assert "self._records[tp] = " in inspect.getsource(Fetcher)
    assert "self._fetcher = " in inspect.getsource(AIOKafkaConsumer.start)
    fetched: dict[TP, Any] = {}
    reading = MagicMock()
    internals.set_fetched(reading, fetched)
    internals.set_prefetch_backoff(reading, 7.0)
    assert reading._fetcher._records is fetched
    assert reading._fetcher._prefetch_backoff == 7.0


def fetch(*offsets: int) -> FetchResult:
    """Return what a fetch of records at these offsets brought."""
    made = iter([DefaultRecord(offset, 0, 0, None, b"", []) for offset in offsets])
    batches = MagicMock()
    batches.has_next.side_effect = [True, False]
    batches.next_batch.return_value = MagicMock(
        is_control_batch=False,
        is_transactional=False,
        next_offset=offsets[-1] + 1,
        __iter__=lambda _: made,
    )
    records = PartitionRecords(PARTITION, batches, [], offsets[0], None, None, True, 0)
    assignment = MagicMock()
    assignment.state_value.return_value.paused = False
    assignment.state_value.return_value.position = offsets[0]
    return FetchResult(PARTITION, assignment=assignment, partition_records=records, backoff=0)


def test_a_fetch_hands_out_what_wrap_makes_of_its_records_and_says_how_far_it_is_read() -> None:
    result = fetch(7, 8)
    internals.set_record_factory(result, lambda _, record: ("as read", record.offset))
    unread = internals.unread_records(result)
    assert unread.next_fetch_offset == 7
    assert result.getall() == [("as read", 7), ("as read", 8)]
    assert unread.next_fetch_offset == 9
    assert internals.unread_records(result) is None


async def test_a_batch_is_put_behind_those_of_its_partition_and_fails_with_the_rest(
    kafka: AIOKafkaProducer,
) -> None:
    assert (internals.send_error(kafka), internals.is_closed(kafka)) == (None, False)
    first, second = (
        internals.append_batch(kafka, kafka.create_batch(), PARTITION) for _ in range(2)
    )
    assert list(internals.send_queues(kafka)[PARTITION]) == [first, second]
    internals.retrieve_drain_error(first)
    internals.fail_all(kafka, ProducerClosed())
    for batch in (first, second):
        with pytest.raises(ProducerClosed):
            await batch.future
        internals.retrieve_drain_error(batch)
    assert isinstance(internals.send_error(kafka), ProducerClosed)


async def test_a_closed_producer_says_so(kafka: AIOKafkaProducer) -> None:
    await kafka._message_accumulator.close()
    assert internals.is_closed(kafka)


async def test_a_producer_that_does_not_stop_can_be_closed(kafka: AIOKafkaProducer) -> None:
    await kafka._sender.start()
    sending = kafka._sender.sender_task
    await asyncio.sleep(0)  # it runs, and waits
    await internals.stop_sending(kafka)
    assert sending.done()


async def test_fausts_producer_sends_by_the_one_it_is_given(
    app: App, kafka: AIOKafkaProducer
) -> None:
    made = app.transport.create_producer()
    assert isinstance(made, driver.Producer)
    assert internals.kafka_producer(made) is None
    internals.replace_producer(made, kafka)
    assert internals.kafka_producer(made) is made._ensure_producer() is kafka


def test_fausts_consumer_has_a_thread_with_aiokafkas_consumer(
    our_consumer: consumer.Consumer,
) -> None:
    thread = internals.consumer_thread(our_consumer)
    assert isinstance(thread, driver.AIOKafkaConsumerThread)
    thread._consumer = reading = MagicMock()
    assert internals.kafka_consumer(thread) is reading


def test_fausts_consumer_keeps_committed_offsets_and_acks(our_consumer: consumer.Consumer) -> None:
    tp = TP("tradeData", 0)
    assert internals.committed_offset(our_consumer, tp) == 0
    our_consumer._committed_offset[tp] = 7
    assert internals.committed_offset(our_consumer, tp) == 7
    our_consumer._acked[tp].append(8)
    our_consumer._acked_index[tp].add(8)
    internals.forget_acks(our_consumer, tp)
    assert (our_consumer._acked[tp], our_consumer._acked_index[tp]) == ([], set())


async def test_a_consumer_has_a_coordinator_that_raises_why_it_is_not_in_its_group() -> None:
    assert inspect.isroutine(GroupCoordinator.check_errors)
    kafka = AIOKafkaConsumer(bootstrap_servers=NOWHERE)
    kafka._coordinator = MagicMock()
    kafka._coordinator.check_errors.side_effect = GroupAuthorizationFailedError
    with pytest.raises(GroupAuthorizationFailedError):
        internals.check_group(kafka)
    assert "check_errors" in inspect.getsource(AIOKafkaConsumer.getmany)
    kafka._closed = True  # it was never started, which its end does not expect


async def test_an_app_knows_whether_it_was_ever_assigned_partitions(app: App) -> None:
    assert not internals.has_assignment(app)
    app._assignment = set()
    assert internals.has_assignment(app)


#: Our classes, those of theirs that they extend, and the private methods that they override.
OVERRIDES = [
    (consumer.Consumer, driver.Consumer, "_new_consumer_thread _filter_tps_with_pending_acks"),
    (consumer.Consumer, driver.Consumer, "_new_offset _add_gap"),
    (consumer._ConsumerThread, driver.AIOKafkaConsumerThread, "_fetch_records"),
    (consumer._ConsumerThread, driver.AIOKafkaConsumerThread, "_gather_remaining_tasks"),
    (producer.Producer, driver.Producer, "_settings_extra"),
    (App, faust.App, "_new_transport _new_web _create_directories"),
    (Worker, faust.Worker, "_on_startup_end_spinner _sentinel_task"),
    (server.Web, aiohttp_driver.Web, "_new_transport_tcp"),
    (connection.Connection, conn.AIOKafkaConnection, "_send_sasl_token"),
]


@pytest.mark.parametrize(("ours", "theirs", "names"), OVERRIDES)
def test_the_private_methods_that_we_override_are_theirs(
    ours: type, theirs: type, names: str
) -> None:
    for name in names.split():
        assert name in vars(ours)
        assert inspect.isroutine(getattr(theirs, name)), name


def test_fausts_web_server_serves_by_the_runner_and_the_thread_that_it_is_given() -> None:
    source = inspect.getsource(aiohttp_driver)
    assert "self._runner.setup()" in source
    assert "self._thread" in source
    assert hasattr(conn, "AIOKafkaConnection"), "which streaming/kafka/connection.py replaces"


def test_faust_waits_a_second_for_tables_and_mode_for_cancelled_tasks() -> None:
    assert "await self.sleep(" in inspect.getsource(TableManager.on_start)
    assert "asyncio.sleep(1.0)" in inspect.getsource(mode.Worker._sentinel_task)


def test_faust_takes_our_consumer_and_hands_it_what_was_fetched() -> None:
    assert transport.Transport.Consumer is consumer.Consumer
    assert "self._wait_next_records(" in inspect.getsource(ConductorConsumer.getmany)
