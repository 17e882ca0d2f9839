"""Faust's Kafka transport: our consumer and our producer.

One class for both, because Faust takes them from ``app.transport`` and from nowhere else.
"""

from faust.transport.drivers import aiokafka as driver

from streaming.kafka import consumer, producer


class Transport(driver.Transport):
    """The transport of both programs."""

    Consumer = consumer.Consumer
    Producer = producer.Producer
