"""The producer after what makes it, or its topic, another one."""

from decimal import Decimal

import aiohttp
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic

from settings import Settings
from streaming.app import App
from streaming.kafka.topics import TopicSpec
from tests.brokers import admin_of
from tests.conftest import Cluster, StartProgram
from tests.waiting import PATIENCE_S, eventually
from trade_rules import TradeMessage
from trading_app.parsing.submission import record_of
from trading_app.publisher import NotConfirmed, Publisher


async def test_a_topic_that_was_deleted_and_made_again_takes_trades_again(
    cluster: Cluster, start: StartProgram
) -> None:
    trading = start("trading_app", cluster.settings).wait_ready()
    trade = {"topic": cluster.topic, "coinName": "BTC", "price": 1, "numOfCoin": 1}
    async with aiohttp.ClientSession(trading.url) as http:

        async def accepted() -> bool:
            async with http.post("/send-trading-data", json=trade) as answer:
                return answer.status == 201

        assert await accepted()
        async with admin_of(cluster.broker) as admin:
            await admin.delete_topics([cluster.topic])

            async def gone() -> bool:
                return cluster.topic not in await admin.list_topics()

            await eventually(gone, "the topic is gone")
            await admin.create_topics([NewTopic(cluster.topic, 4, 1)])
        await eventually(accepted, "trades are accepted again")


async def test_a_producer_that_kafka_refuses_is_replaced(cluster: Cluster) -> None:
    settings = Settings(
        kafka_client_bootstrap_server=[cluster.broker.bootstrap_server],
        kafka_delivery_timeout=PATIENCE_S,
    )
    app = App(
        "test",
        origin="test",
        settings=settings,
        port=settings.trading_port,
        port_setting="TRADING_PORT",
        topics=[TopicSpec(cluster.topic, 1)],
        producer_only=True,
    )
    publisher = Publisher(lambda: app.kafka_producer, settings)
    record = record_of(TradeMessage("BTC", Decimal(1), Decimal(2)), 1)
    app.finalize()
    await app.gate.wait_for_topics()
    await app.producer.start()
    try:
        first = app.kafka_producer.kafka
        await publisher.publish(cluster.topic, record)
        # The next number that Kafka sees is 100 too high, as after a batch that failed.
        numbers = first._txn_manager
        assert numbers is not None
        numbers.increment_sequence_number(TopicPartition(cluster.topic, 0), 100)
        with pytest.raises(NotConfirmed, match="OutOfOrderSequenceNumber"):
            await publisher.publish(cluster.topic, record)

        async def replaced() -> bool:
            return app.kafka_producer.kafka is not first

        await eventually(replaced, "another producer has taken over")
        stored = await publisher.publish(cluster.topic, record)
        assert stored.offset == 1
    finally:
        await app.producer.stop()
