"""The limit on the messages of a WebSocket client, on a connection. Pure.

As at Binance, a message is a request, a ping or a pong.
"""

#: Twice as many as Binance takes on a connection, so that its clients are well within it.
MESSAGES_PER_S = 10
#: Messages at once: some clients subscribe to the coins of a list one by one.
BURST = 100
TOO_MANY_MESSAGES = f"too many messages: at most {MESSAGES_PER_S} a second"


class MessageLimit:
    """Counts messages: :data:`BURST` at once, and :data:`MESSAGES_PER_S` in the long run."""

    def __init__(self) -> None:
        #: The time in s at which :data:`BURST` messages may be sent again.
        self._full_at = 0.0

    def admit(self, now_s: float) -> bool:
        """Count a message; return False if it is one too many."""
        self._full_at = max(self._full_at, now_s) + 1 / MESSAGES_PER_S
        return self._full_at - now_s <= BURST / MESSAGES_PER_S
