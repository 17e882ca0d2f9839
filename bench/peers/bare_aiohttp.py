"""aiohttp and aiokafka with nothing in between: the best that Python can do."""

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import uvloop
from aiohttp import web
from aiokafka import AIOKafkaProducer

PRODUCER = web.AppKey("PRODUCER", AIOKafkaProducer)


async def run_producer(app: web.Application) -> AsyncIterator[None]:
    """Start the producer with the server and stop it with the server."""
    async with AIOKafkaProducer(
        bootstrap_servers=os.environ["BROKER"], acks="all", enable_idempotence=True
    ) as producer:
        app[PRODUCER] = producer
        yield


async def post(request: web.Request) -> web.Response:
    """Accept a trade; answer once Kafka has stored it."""
    trade = json.loads(await request.read())
    if not is_trade(trade):
        return web.Response(status=422)
    value = {name: trade[name] for name in ("coinName", "numOfCoin", "price")}
    stored = await request.app[PRODUCER].send_and_wait(
        trade["topic"],
        json.dumps(value).encode(),
        key=trade["coinName"].encode(),
    )
    return web.Response(status=201, text=f"topic {stored.topic} added")


def is_trade(trade: Any) -> bool:
    """Return whether a value has the fields of a trade, with the right types."""
    return (
        isinstance(trade, dict)
        and trade.get("topic") == os.environ["TOPIC"]
        and isinstance(trade.get("coinName"), str)
        and isinstance(trade.get("price"), int | float)
        and isinstance(trade.get("numOfCoin"), int | float)
    )


if __name__ == "__main__":
    app = web.Application()
    app.cleanup_ctx.append(run_producer)
    app.router.add_post("/send-trading-data", post)
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        access_log=None,
        loop=uvloop.new_event_loop(),
    )
