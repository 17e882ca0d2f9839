"""The messages that wait to be sent to one WebSocket client.

A client that falls behind gets only the newest state of each stream's running candle. It gets all
other messages, or is cut off.
"""

from collections import deque

from chart_app.websocket.events import Burst, Event

#: Bytes that may wait. One live message makes events of some 200 kB at most.
MAX_WAITING_BYTES = 4_000_000


class SendQueue:
    """Messages in the order of sending; events as on ``/stream`` if ``combined`` is set."""

    def __init__(self, *, combined: bool) -> None:
        self.combined = combined
        self._messages: deque[bytes] = deque()
        self._running: dict[str, Event] = {}
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._messages or self._running)

    @property
    def is_full(self) -> bool:
        """Return whether more bytes wait than allowed."""
        return self._bytes > MAX_WAITING_BYTES

    def reply(self, message: bytes) -> None:
        """Add a reply to a request of the client."""
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
        messages = burst.combined if self.combined else burst.bare
        self._messages.extend(messages)
        self._bytes += sum(map(len, messages))

    def drop(self, stream: str) -> None:
        """Remove the running candle of a stream that was unsubscribed."""
        self._running.pop(stream, None)

    def pop(self) -> bytes:
        """Remove and return the next message: running candles come last."""
        if self._messages:
            message = self._messages.popleft()
            self._bytes -= len(message)
            return message
        return self._encoded(self._running.pop(next(iter(self._running))))

    def _encoded(self, event: Event) -> bytes:
        return event.combined if self.combined else event.bare
