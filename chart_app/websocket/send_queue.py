"""What waits to be sent to one client of the WebSocket.

A client that falls behind gets of each stream's running candle the newest state only; all else
it gets, or it is cut off.
"""

from collections import deque

from chart_app.websocket.events import Burst, Event

#: Bytes that may wait. One live message makes events of some 200 kB at most.
MAX_WAITING_BYTES = 4_000_000


class SendQueue:
    """Events in the order they are to be sent; as on ``/stream`` if ``combined``."""

    def __init__(self, *, combined: bool) -> None:
        self._combined = combined
        self._messages: deque[bytes] = deque()
        self._running: dict[str, Event] = {}
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._messages or self._running)

    @property
    def is_full(self) -> bool:
        """Return whether more waits than may."""
        return self._bytes > MAX_WAITING_BYTES

    def reply(self, message: bytes) -> None:
        """Add a reply to what the client has sent."""
        self._messages.append(message)
        self._bytes += len(message)

    def push(self, event: Event) -> None:
        """Add an event."""
        if event.is_running:
            self._running[event.stream] = event
            return
        waiting = self._running.get(event.stream)
        if waiting and waiting.open_time == event.open_time:
            del self._running[event.stream]
        self.reply(self._encoded(event))

    def push_all(self, burst: Burst) -> None:
        """Add many events at once."""
        messages = burst.combined if self._combined else burst.bare
        self._messages.extend(messages)
        self._bytes += sum(map(len, messages))

    def drop(self, stream: str) -> None:
        """Forget what waits of a running candle: its stream is no longer wanted."""
        self._running.pop(stream, None)

    def pop(self) -> bytes:
        """Take what is to be sent next: all else goes before the running candles."""
        if self._messages:
            message = self._messages.popleft()
            self._bytes -= len(message)
            return message
        return self._encoded(self._running.pop(next(iter(self._running))))

    def _encoded(self, event: Event) -> bytes:
        return event.combined if self._combined else event.bare
