"""TLS of the HTTP server: its certificate, and handshakes that are bounded in time and number.

asyncio's own server leaves no way to count the connections whose handshake is not done yet.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from aiohttp import web

from streaming.http.connections import BACKLOG
from streaming.logs import ACCESS_LOGGER

logger = logging.getLogger(__name__)
access_logger = logging.getLogger(ACCESS_LOGGER)

HANDSHAKE_TIMEOUT_S = 10.0
#: At once. A new one then takes the place of the oldest. They are not among the connections that
#: are counted, so they must fit into the files that those leave.
HANDSHAKES_MAX = 100
#: For a client to confirm the end of a connection.
CLOSE_TIMEOUT_S = 1.0
#: After the system has refused to accept a connection: there are too many open files.
ACCEPT_PAUSE_S = 0.1


class CertificateFiles(NamedTuple):
    """The files of ``HTTP_TLS_CERTFILE``, ``HTTP_TLS_KEYFILE`` and ``HTTP_TLS_CLIENT_CAFILE``."""

    certificate: Path
    key: Path | None = None
    #: If given, a client needs a certificate of one of these authorities.
    client_authorities: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """Return those that are given."""
        return [path for path in self if path is not None]

    def new_context(self) -> ssl.SSLContext:
        """Return a context made from the files. Raises OSError, which SSLError is, if it cannot."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Without a password of its own OpenSSL asks for one at the terminal.
        context.load_cert_chain(self.certificate, self.key, password="")
        if self.client_authorities:
            context.load_verify_locations(self.client_authorities)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class ServerTLS:
    """The context of new connections, made from files that may change."""

    def __init__(self, files: CertificateFiles) -> None:
        self.files = files
        self._context: ssl.SSLContext | None = None

    def load(self, _contents: Sequence[bytes]) -> None:
        """Use the files as they are now. Raises ValueError, and then uses what it did before."""
        try:
            self._context = self.files.new_context()
        except OSError as error:
            reason = getattr(error, "reason", None) or error.strerror
            raise ValueError(
                f"the certificate, its key or the CAs are not valid: {reason}"
            ) from None

    @property
    def context(self) -> ssl.SSLContext:
        """Return the context for a new connection."""
        assert self._context is not None
        return self._context


class Acceptor:
    """Accepts connections; each is served once its handshake is done."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        factory: Callable[[], asyncio.BaseProtocol],
        tls: ServerTLS,
    ) -> None:
        self._listeners = listeners
        self._factory = factory
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        #: The oldest first.
        self._handshakes: dict[asyncio.Task[None], None] = {}
        self._accepting = [self._loop.create_task(self._accept(it)) for it in listeners]

    def close(self) -> None:
        """Stop listening, and give up the handshakes."""
        for task in (*self._accepting, *self._handshakes):
            task.cancel()
        for listener in self._listeners:
            self._loop.remove_reader(listener)
            listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, address = await self._loop.sock_accept(listener)
            except OSError as error:
                logger.error("Cannot accept a connection: %s", error)
                await asyncio.sleep(ACCEPT_PAUSE_S)
                continue
            if len(self._handshakes) >= HANDSHAKES_MAX:
                oldest = next(iter(self._handshakes))
                oldest.cancel()
                self._forget(oldest)
            task = self._loop.create_task(self._shake_hands(connection, address))
            self._handshakes[task] = None
            task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._handshakes.pop(task, None)

    async def _shake_hands(self, connection: socket.socket, address: Any) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._factory,
                connection,
                ssl=self._tls.context,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S,
                ssl_shutdown_timeout=CLOSE_TIMEOUT_S,
            )
        except ssl.SSLError as error:
            access_logger.warning("refused handshake client=%s reason=%s", address[0], error.reason)
        except OSError as error:  # it took too long, or the client has left
            logger.debug("A handshake failed: %r", error)


class TLSSite(web.BaseSite):
    """An address at which an aiohttp server listens for TLS."""

    def __init__(
        self, runner: web.AppRunner, host: str, port: int, tls: ServerTLS, *, reuse_port: bool
    ) -> None:
        super().__init__(runner)
        self._address = (host, port)
        self._tls = tls
        self._reuse_port = reuse_port

    @property
    def name(self) -> str:
        """Return the address."""
        host, port = self._address
        return f"https://{host}:{port}"

    async def start(self) -> None:
        """Listen. Raises OSError if the address cannot be bound."""
        await super().start()
        found = await asyncio.get_running_loop().getaddrinfo(
            *self._address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with contextlib.ExitStack() as opened:
            listeners = [
                opened.enter_context(_listen(family, address, reuse_port=self._reuse_port))
                for family, _, _, _, address in dict.fromkeys(found)
            ]
            opened.pop_all()
        server = cast(web.Server, self._runner.server)
        self._server = cast(asyncio.AbstractServer, Acceptor(listeners, server, self._tls))


def _listen(family: int, address: Any, *, reuse_port: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
