"""What all WebSocket connections of a client share."""

import asyncio

from streaming.http.shares import Share

#: Requests of a client that are worked on at once; others wait for their turn. One may subscribe to
#: 1,024 streams, which takes 5 ms of the event loop: more at once would keep others waiting.
REQUESTS_AT_ONCE = 4


class Client:
    """A client: its number of connections, its share of the streams, and turns for its requests."""

    def __init__(self, streams: Share) -> None:
        self.connections = 0
        self.streams = streams
        self.turns = asyncio.Semaphore(REQUESTS_AT_ONCE)
