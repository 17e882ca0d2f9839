"""Faust's Kafka transport: our consumer and our producer.

Faust gets both classes from ``app.transport``, and in no other way.
"""

from faust.transport.drivers import aiokafka as driver

from streaming.kafka import consumer, producer


class Transport(driver.Transport):
    """The transport of both programs."""

    Consumer = consumer.Consumer
    Producer = producer.Producer
