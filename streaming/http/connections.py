"""The connections of the HTTP server: how many there may be, and how long they may say nothing.

aiohttp itself closes a connection that waits for its next request for too long.
"""

import asyncio
import contextlib
import logging
import resource
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, cast

from aiohttp import web

from streaming.http.access import SECURITY_HEADERS

logger = logging.getLogger(__name__)

#: For the head of a request to arrive, from its first byte on.
HEAD_TIMEOUT_S = 10.0
#: For a request to begin, the first of a connection or the next. Longer than the 60 s for which
#: load balancers keep a connection, so that they close it and not we, just as they send a request.
IDLE_TIMEOUT_S = 75.0
#: Whatever number of files there may be: one that says nothing takes 6 kB, one that does more.
CONNECTIONS_MAX = 10_000
#: Open files that are not for connections of HTTP: Kafka, the database, the log; and as many
#: for connections that the system has accepted and we have not closed yet.
RESERVED_FILES = 256
#: Of few files, connections get this share.
CONNECTIONS_SHARE = 0.5


def raise_file_limit() -> int:
    """Let the program have as many open files as it may have; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS has a bound below its hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft


def connections_max(files: int) -> int:
    """Return how many connections there may be with so many open files."""
    if files == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX
    return min(max(files - RESERVED_FILES, int(files * CONNECTIONS_SHARE)), CONNECTIONS_MAX)


def _closing_answer(status: str, headers: Mapping[str, str]) -> bytes:
    headers = {**headers, **SECURITY_HEADERS, "Content-Length": "0", "Connection": "close"}
    return "\r\n".join([f"HTTP/1.1 {status}", *map(": ".join, headers.items()), "", ""]).encode()


TOO_SLOW = _closing_answer("408 Request Timeout", {})
TOO_MANY = _closing_answer("503 Service Unavailable", {"Retry-After": "1"})


class Waiting:
    """Connections of which something is waited for, the longest first.

    After ``timeout_s`` they are closed, with an answer that is ready made.
    """

    def __init__(self, timeout_s: float, answer: bytes) -> None:
        self._timeout_s = timeout_s
        self._answer = answer
        #: The ends of their times: in this order, because all have the same.
        self._ends: OrderedDict[Connection, float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def __contains__(self, connection: "Connection") -> bool:
        """Return whether something is waited for of a connection."""
        return connection in self._ends

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._ends)

    def add(self, connection: "Connection") -> None:
        """Have a connection closed, if it is not discarded in time."""
        loop = asyncio.get_running_loop()
        end = self._ends[connection] = loop.time() + self._timeout_s
        if self._timer is None:
            self._timer = loop.call_at(end, self._close_overdue, loop)

    def discard(self, connection: "Connection") -> None:
        """No longer wait for a connection."""
        self._ends.pop(connection, None)

    def pop(self) -> "Connection":
        """Return who has waited longest, and no longer wait for it."""
        return self._ends.popitem(last=False)[0]

    def _close_overdue(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._timer = None
        while self._ends:
            connection, end = next(iter(self._ends.items()))
            if end > now:
                self._timer = loop.call_at(end, self._close_overdue, loop)
                break
            del self._ends[connection]
            connection.end(self._answer)


class Connections:
    """All connections of a server. One that waits for its request makes room for another."""

    def __init__(
        self,
        limit: int,
        head_timeout_s: float = HEAD_TIMEOUT_S,
        idle_timeout_s: float = IDLE_TIMEOUT_S,
    ) -> None:
        self._limit = limit
        self._open: set[Connection] = set()
        #: Those that have sent nothing yet: browsers connect ahead, and are told nothing.
        self.silent = Waiting(idle_timeout_s, b"")
        #: Those whose head has not arrived yet.
        self.heads = Waiting(head_timeout_s, TOO_SLOW)

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def admit(self, connection: "Connection") -> bool:
        """Count a new connection; return False if there is no room for it."""
        if len(self._open) >= self._limit:
            logger.warning("All %d connections that there may be are in use", self._limit)
            waiting = self.silent or self.heads
            if not waiting:
                return False
            waiting.pop().force_close()
        self._open.add(connection)
        self.silent.add(connection)
        return True

    def forget(self, connection: "Connection") -> None:
        """No longer count a connection, if it was."""
        self._open.discard(connection)
        self.silent.discard(connection)
        self.heads.discard(connection)


_read_requests = web.RequestHandler.data_received


class Connection(web.RequestHandler):
    """A connection that is counted, and whose requests' heads have a time to arrive in."""

    __slots__ = ("_connections", "_heads", "_silent")

    def __init__(self, manager: web.Server, connections: Connections, **options: Any) -> None:
        super().__init__(manager, **options)
        self._connections = connections
        self._silent = connections.silent
        self._heads = connections.heads

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve the connection, or close it if there is no room."""
        if self._connections.admit(self):
            super().connection_made(transport)
            return
        self._force_close = True
        cast(asyncio.Transport, transport).write(TOO_MANY)
        transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room for another."""
        self._connections.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read requests; note when the head of one begins and has arrived."""
        _read_requests(self, data)
        if self in self._heads:
            if self._messages:
                self._heads.discard(self)
        elif self in self._silent:
            self._silent.discard(self)
            if not self._messages:
                self._heads.add(self)
        elif (waiter := self._waiter) is not None and not waiter.done() and data:
            self._heads.add(self)

    def end(self, answer: bytes) -> None:
        """Close the connection at once, with an answer that is ready made."""
        if self.transport is not None:
            self.transport.write(answer)
        self.force_close()


class Server(web.Server):
    """Makes our connections."""

    def __init__(self, handler: Any, connections: Connections, **options: Any) -> None:
        super().__init__(handler, **options)
        self._our_connections = connections

    def __call__(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(self, self._our_connections, loop=self._loop, **self._kwargs)
