"""aiohttp and aiokafka from a POST to a WebSocket: no trade is checked, and none is stored.

``python -m bench.peers.bare_pipeline post`` takes trades, one at ``/send-trading-data`` or a list
at ``/trades``, and answers once Kafka has stored them; ``… push`` reads the topic from its end and
sends each trade to every WebSocket at ``/stream``.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import msgspec
import uvloop
from aiohttp import WSMsgType, web
from aiokafka import AIOKafkaConsumer

from bench.peers.bare_aiohttp import PRODUCER, run_producer

SOCKETS = web.AppKey("SOCKETS", set[web.WebSocketResponse])


async def post(request: web.Request) -> web.Response:
    """Send a trade to Kafka."""
    body = await request.read()
    key = msgspec.json.decode(body)["coinName"].encode()
    await request.app[PRODUCER].send_and_wait(os.environ["TOPIC"], body, key=key)
    return web.Response(status=201)


async def post_all(request: web.Request) -> web.Response:
    """Send a list of trades to Kafka, each as a record."""
    producer = request.app[PRODUCER]
    sent = [
        await producer.send(
            os.environ["TOPIC"], msgspec.json.encode(trade), key=trade["coinName"].encode()
        )
        for trade in msgspec.json.decode(await request.read())
    ]
    await asyncio.gather(*sent)
    return web.Response(status=201)


async def run_consumer(app: web.Application) -> AsyncIterator[None]:
    """Push while the server runs."""
    async with AIOKafkaConsumer(
        os.environ["TOPIC"], bootstrap_servers=os.environ["BROKER"]
    ) as consumer:
        await consumer.seek_to_end()
        pushing = asyncio.create_task(push(consumer, app[SOCKETS]))
        yield
        pushing.cancel()


async def push(consumer: AIOKafkaConsumer, sockets: set[web.WebSocketResponse]) -> None:
    """Send each trade to all WebSockets."""
    while True:
        fetched = await consumer.getmany(timeout_ms=1000)
        for records in fetched.values():
            for record in records:
                for socket in sockets:
                    await socket.send_frame(record.value or b"", WSMsgType.TEXT)


async def stream(request: web.Request) -> web.WebSocketResponse:
    """Serve a WebSocket; what it sends is sent back."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    request.app[SOCKETS].add(socket)
    try:
        async for message in socket:
            await socket.send_str(message.data)
    finally:
        request.app[SOCKETS].discard(socket)
    return socket


async def ready(_: web.Request) -> web.Response:
    """Answer once the server has started."""
    return web.Response()


def main() -> None:
    """Run the one server or the other."""
    app = web.Application()
    app.router.add_get("/readyz", ready)
    if sys.argv[1] == "post":
        app.cleanup_ctx.append(run_producer)
        app.router.add_post("/send-trading-data", post)
        app.router.add_post("/trades", post_all)
    else:
        app[SOCKETS] = set()
        app.cleanup_ctx.append(run_consumer)
        app.router.add_get("/stream", stream)
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        access_log=None,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    main()
