"""The messages that a WebSocket client sends."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from aiohttp import WSMsgType, web

from chart_app.websocket.ending import FLOODED, Ending
from chart_app.websocket.message_limit import MessageLimit


async def incoming(
    socket: web.WebSocketResponse, end: Callable[[Ending], None]
) -> AsyncIterator[str | bytes]:
    """Yield the requests of a client, and answer its pings.

    ``end`` is called if the client sends too many messages, and no more are read.
    """
    limit = MessageLimit()
    async for message in socket:
        if not limit.admit(time.monotonic()):
            end(FLOODED)
            return
        if message.type is WSMsgType.PING:
            await socket.pong(message.data)
        elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            yield message.data
        await asyncio.sleep(0)  # messages that have arrived are read without waiting
