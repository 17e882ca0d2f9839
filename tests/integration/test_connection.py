"""A connection to Kafka that breaks, on uvloop."""

import asyncio
import os
import socket
from typing import Any

import uvloop
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from dev.local_kafka import LocalKafka
from streaming.kafka.connection import Connection

#: Turns of the event loop, more than it takes from a write that fails until all is closed.
TURNS = 10


async def send_while_it_breaks(kind: Any, broker: LocalKafka) -> list[BaseException]:
    """Break a connection, send a request each turn of the event loop; return the errors."""
    host, port = broker.bootstrap_server.split(":")
    connection = kind(host, int(port))
    await connection.connect()
    handle = os.dup(connection._writer.get_extra_info("socket").fileno())
    with socket.socket(fileno=handle) as its_socket:
        its_socket.shutdown(socket.SHUT_RDWR)
    errors: list[BaseException] = []
    answers = []
    for _ in range(TURNS):
        try:
            answers.append(asyncio.ensure_future(connection.send(MetadataRequest([]))))
        except Exception as error:
            errors.append(error)
        await asyncio.sleep(0)
    errors += [it for it in await asyncio.gather(*answers, return_exceptions=True) if it]
    connection.close()
    return errors


def test_requests_fail_as_aiokafka_expects(kafka: LocalKafka) -> None:
    errors = uvloop.run(send_while_it_breaks(Connection, kafka))
    assert len(errors) == TURNS
    assert {type(it) for it in errors} == {KafkaConnectionError}


def test_without_our_connection_they_do_not(kafka: LocalKafka) -> None:
    errors = uvloop.run(send_while_it_breaks(Connection.__base__, kafka))
    assert RuntimeError in {type(it) for it in errors}
