"""Offsets that hold no record: those that Kafka has deleted, and the markers of transactions."""

import uuid

from aiokafka import AIOKafkaProducer
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import TopicPartition

from tests.brokers import admin_of
from tests.conftest import Cluster, StartProgram
from tests.programs import Program
from tests.waiting import wait_for

PARTITIONS = 4


async def send(cluster: Cluster, count: int, *, transactional: bool = False) -> None:
    """Send trades to each partition; transactional ones each in a transaction of its own."""
    producer = AIOKafkaProducer(
        bootstrap_servers=cluster.broker.bootstrap_server,
        transactional_id=uuid.uuid4().hex if transactional else None,
    )
    value = b'{"coinName":"BTC","numOfCoin":1,"price":2}'
    async with producer:
        for _ in range(count):
            if transactional:
                async with producer.transaction():
                    for partition in range(PARTITIONS):
                        await producer.send(cluster.topic, value, partition=partition)
            else:
                for partition in range(PARTITIONS):
                    await producer.send_and_wait(cluster.topic, value, partition=partition)


def wait_for_trades(chart: Program, count: int) -> None:
    """Wait until so many trades are logged, each once, and none was read in vain."""
    wait_for(lambda: len(chart.trades()) >= count, f"{count} trades are logged")
    places = [(it.partition, it.offset) for it in chart.trades()]
    assert len(places) == len(set(places)) == count


async def delete_records(cluster: Cluster, before_offset: int) -> None:
    """Delete the first records of each partition."""
    async with admin_of(cluster.broker) as admin:
        await admin.delete_records(
            {
                TopicPartition(cluster.topic, partition): RecordsToDelete(before_offset)
                for partition in range(PARTITIONS)
            }
        )


async def test_markers_of_transactions_are_passed_over(
    cluster: Cluster, start: StartProgram
) -> None:
    chart = start("chart_app", cluster.settings).wait_ready()
    for transactions in range(1, 4):  # each ends with a marker, and the next begins behind it
        await send(cluster, 1, transactional=True)
        wait_for_trades(chart, transactions * PARTITIONS)
    await send(cluster, 20, transactional=True)
    wait_for_trades(chart, 23 * PARTITIONS)
    assert chart.stop() == 0
    again = start("chart_app", cluster.settings).wait_ready()
    await send(cluster, 5, transactional=True)
    wait_for_trades(again, 5 * PARTITIONS)


async def test_what_kafka_has_deleted_meanwhile_is_passed_over(
    cluster: Cluster, start: StartProgram
) -> None:
    chart = start("chart_app", cluster.settings).wait_ready()
    await send(cluster, 3)
    wait_for_trades(chart, 3 * PARTITIONS)
    assert chart.stop() == 0
    await send(cluster, 10)
    await delete_records(cluster, before_offset=8)
    again = start("chart_app", cluster.settings).wait_ready()
    wait_for_trades(again, 5 * PARTITIONS)
    assert {it.offset for it in again.trades()} == {str(it) for it in range(8, 13)}
    await send(cluster, 2)
    wait_for_trades(again, 7 * PARTITIONS)


async def test_what_kafka_has_deleted_before_the_first_start_is_passed_over(
    cluster: Cluster, start: StartProgram
) -> None:
    start("trading_app", cluster.settings).wait_ready()  # it makes the topic
    await send(cluster, 10)
    await delete_records(cluster, before_offset=8)
    chart = start("chart_app", cluster.settings).wait_ready()
    wait_for_trades(chart, 2 * PARTITIONS)
    assert {it.offset for it in chart.trades()} == {"8", "9"}
