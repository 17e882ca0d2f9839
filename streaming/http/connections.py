"""The connections of the HTTP server: their maximum number, and timeouts for their requests.

aiohttp itself closes a keep-alive connection that is idle between requests for too long.
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
from streaming.http.clients import Clients, Counts

logger = logging.getLogger(__name__)

#: For the head of a request to arrive, counted from its first byte.
HEAD_TIMEOUT_S = 10.0
#: For a request to begin, the first of a connection or the next. Longer than the 60 s for which
#: load balancers keep an idle connection: else we might close it just as they send a request.
IDLE_TIMEOUT_S = 75.0
#: However many files may be open: a silent connection takes 6 kB, an active one more.
CONNECTIONS_MAX = 10_000
#: How many the system holds until we take them, where it allows as many (Linux's somaxconn). More
#: try again after a second, and it may reset one whose client takes it to be open.
BACKLOG = 1024
#: Open files that are not HTTP connections: Kafka, the database, the log, and connections that
#: the system has accepted and we have not closed yet.
RESERVED_FILES = 256
#: The connections' share of the open files where few are allowed.
CONNECTIONS_SHARE = 0.5
#: A client's share of the connections, unless a setting says how many: all of a machine or of an
#: office may be one client, and one client must not be all.
CLIENT_SHARE = 0.25


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard limit; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses values below its hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft


def connections_max(files: int) -> int:
    """Return the maximum number of connections if ``files`` may be open."""
    if files == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX
    return min(max(files - RESERVED_FILES, int(files * CONNECTIONS_SHARE)), CONNECTIONS_MAX)


def _closing_answer(status: str, headers: Mapping[str, str]) -> bytes:
    headers = {**headers, **SECURITY_HEADERS, "Content-Length": "0", "Connection": "close"}
    return "\r\n".join([f"HTTP/1.1 {status}", *map(": ".join, headers.items()), "", ""]).encode()


TOO_SLOW = _closing_answer("408 Request Timeout", {})
TOO_MANY = _closing_answer("503 Service Unavailable", {"Retry-After": "1"})


class PendingConnections:
    """Connections whose next bytes are awaited, the longest waiting first.

    After ``timeout_s`` a connection is sent ``answer`` and closed.
    """

    def __init__(self, timeout_s: float, answer: bytes) -> None:
        self._timeout_s = timeout_s
        self._answer = answer
        #: Times of the loop's clock, in ascending order, because all timeouts are equal.
        self._deadlines: OrderedDict[Connection, float] = OrderedDict()
        self._of_client: dict[str, OrderedDict[Connection, None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __contains__(self, connection: "Connection") -> bool:
        """Return whether a connection is pending."""
        return connection in self._deadlines

    def __len__(self) -> int:
        """Return how many connections are pending."""
        return len(self._deadlines)

    def add(self, connection: "Connection") -> None:
        """Close a connection after the timeout, unless it is discarded before."""
        loop = asyncio.get_running_loop()
        deadline = self._deadlines[connection] = loop.time() + self._timeout_s
        self._of_client.setdefault(connection.client, OrderedDict())[connection] = None
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._close_overdue, loop)

    def discard(self, connection: "Connection") -> None:
        """Remove a connection, if it is pending."""
        if self._deadlines.pop(connection, None) is not None:
            of_client = self._of_client[connection.client]
            del of_client[connection]
            if not of_client:
                del self._of_client[connection.client]

    def oldest(self, client: str | None) -> "Connection | None":
        """Return the connection that has been pending longest, of a client or of all."""
        if client is None:
            return next(iter(self._deadlines), None)
        return next(iter(self._of_client.get(client, ())), None)

    def _close_overdue(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._timer = None
        while self._deadlines:
            connection, deadline = next(iter(self._deadlines.items()))
            if deadline > now:
                self._timer = loop.call_at(deadline, self._close_overdue, loop)
                break
            self.discard(connection)
            connection.end(self._answer)


class Connections:
    """All connections of a server. At a limit, a pending one is closed for a new one.

    ``client_limit`` is that of a client, by default a share of all: at it, only a pending one of
    the same client is closed. A trusted proxy has all its users' connections, and no such limit.
    """

    def __init__(
        self,
        limit: int,
        client_limit: int | None,
        clients: Clients,
        head_timeout_s: float = HEAD_TIMEOUT_S,
        idle_timeout_s: float = IDLE_TIMEOUT_S,
    ) -> None:
        self._limit = limit
        self.client_limit = client_limit or max(int(limit * CLIENT_SHARE), 1)
        self.clients = clients
        self._open: set[Connection] = set()
        self._counts = Counts()
        #: Those that have sent nothing yet: browsers connect in advance, and get no response.
        self.silent = PendingConnections(idle_timeout_s, b"")
        #: Those that have sent only a part of a request's head.
        self.heads = PendingConnections(head_timeout_s, TOO_SLOW)

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._open)

    def admit(self, connection: "Connection") -> bool:
        """Count a new connection; return False if there is no room for it."""
        if not (connection.is_proxy or self._counts[connection.client] < self.client_limit):
            logger.warning(
                "Client %s uses all %d connections that one is allowed: "
                "HTTP_CONNECTIONS_PER_CLIENT, or HTTP_TRUSTED_PROXIES if it is a proxy",
                *(connection.client, self.client_limit),
            )
            has_room = self._make_room(connection.client)
        elif len(self._open) >= self._limit:
            logger.warning("All %d connections that are allowed are in use", self._limit)
            has_room = self._make_room()
        else:
            has_room = True
        if has_room:
            self._open.add(connection)
            self._counts.add(connection.client)
            self.silent.add(connection)
        return has_room

    def _make_room(self, client: str | None = None) -> bool:
        pending = self.silent.oldest(client) or self.heads.oldest(client)
        if pending is None:
            return False
        self.silent.discard(pending)
        self.heads.discard(pending)
        pending.force_close()
        return True

    def forget(self, connection: "Connection") -> None:
        """Stop counting a connection, if it was counted."""
        if connection not in self._open:
            return
        self._open.remove(connection)
        self._counts.remove(connection.client)
        self.silent.discard(connection)
        self.heads.discard(connection)


_read_requests = web.RequestHandler.data_received


class Connection(web.RequestHandler):
    """A connection that is counted, with a timeout for the heads of its requests."""

    __slots__ = ("_connections", "_heads", "_silent", "client", "is_proxy")

    def __init__(self, manager: web.Server, connections: Connections, **options: Any) -> None:
        super().__init__(manager, **options)
        self._connections = connections
        self._silent = connections.silent
        self._heads = connections.heads

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve the connection, or answer 503 and close it if there are too many."""
        peer = transport.get_extra_info("peername")  # None if it is closed already
        self.client, self.is_proxy = self._connections.clients.of_peer(peer[0] if peer else "")
        if self._connections.admit(self):
            super().connection_made(transport)
            return
        self._force_close = True
        cast(asyncio.Transport, transport).write(TOO_MANY)
        transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop counting the connection."""
        self._connections.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse requests; track when the head of one begins and when it is complete."""
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
        """Send a prepared response and close the connection at once."""
        if self.transport is not None:
            self.transport.write(answer)
        self.force_close()


class Server(web.Server):
    """An aiohttp server whose connections are :class:`Connection`."""

    def __init__(self, handler: Any, connections: Connections, **options: Any) -> None:
        super().__init__(handler, **options)
        self._our_connections = connections

    def __call__(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(self, self._our_connections, loop=self._loop, **self._kwargs)
