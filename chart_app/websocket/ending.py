"""Why the server closes a WebSocket connection."""

from typing import NamedTuple

from aiohttp import WSCloseCode

from chart_app.websocket.message_limit import TOO_MANY_MESSAGES


class Ending(NamedTuple):
    """Why the server closes a connection, and how long it waits (s) for the client's answer."""

    code: int
    reason: str
    timeout_s: float


GOING_AWAY = Ending(WSCloseCode.GOING_AWAY, "the server is shutting down", 1.0)
FLOODED = Ending(WSCloseCode.POLICY_VIOLATION, TOO_MANY_MESSAGES, 1.0)
#: Longer, for a client that is slow: to read what it was sent, and why it is cut off.
TOO_SLOW = Ending(WSCloseCode.POLICY_VIOLATION, "too slow: too much waits to be sent", 5.0)
KEY_INVALID = Ending(WSCloseCode.POLICY_VIOLATION, "the key is no longer valid", 1.0)
FAILED = Ending(WSCloseCode.INTERNAL_ERROR, "the server failed", 5.0)
