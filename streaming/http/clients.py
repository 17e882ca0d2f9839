"""The client that a connection or a request counts for: limits and log lines go by it. Pure.

It is an IPv4 address, or the /64 network of an IPv6 address: its owner has all of its addresses.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple, Protocol

from multidict import CIMultiDictProxy, istr

Network = IPv4Network | IPv6Network

FORWARDED_FOR = istr("X-Forwarded-For")
#: Entries of X-Forwarded-For that are read, from the right. There are as many as trusted proxies
#: stand in a row; all others come from the client, which can send thousands.
HOPS_MAX = 16
#: `[`, an IPv6 address of 45 characters at most, `]:` and a port.
HOP_MAX_CHARS = 53
IPV6_PREFIX = 64
#: Addresses that are cached: a peer's is the same for each of its requests.
CACHED_ADDRESSES_MAX = 4096

#: An address with a port, as some proxies write it, or an IPv6 address in brackets.
_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?")


class Hop(NamedTuple):
    """A peer, or an entry of X-Forwarded-For: the client that it is, unless it is a proxy."""

    client: str
    is_proxy: bool


class Request(Protocol):
    """The properties of aiohttp's request that tell the client."""

    @property
    def remote(self) -> str | None:
        """The address of the peer."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """The headers."""


class Clients:
    """Tells clients apart. ``trusted_proxies`` are the networks whose X-Forwarded-For counts."""

    def __init__(self, trusted_proxies: Iterable[Network] = ()) -> None:
        self._trusted_proxies = tuple(trusted_proxies)
        #: :meth:`_read` with a cache, which is bounded: clients choose the texts.
        self._hop = lru_cache(CACHED_ADDRESSES_MAX)(self._read)

    def of_peer(self, address: str) -> Hop:
        """Return the client at the other end of a connection."""
        return self._hop(address) or Hop(address, is_proxy=False)

    def of(self, request: Request) -> str:
        """Return the client of a request.

        Behind trusted proxies it is the rightmost address of X-Forwarded-For that is not one of
        them. Where none is found before an entry that is not an address, it is the peer.
        """
        peer = self.of_peer(request.remote or "")
        if not peer.is_proxy:
            return peer.client
        return self._forwarded_for(request.headers) or peer.client

    def _forwarded_for(self, headers: CIMultiDictProxy[str]) -> str | None:
        rest = ",".join(headers.getall(FORWARDED_FOR, ()))
        for _ in range(HOPS_MAX):
            rest, _, text = rest.rpartition(",")
            text = text.strip(" \t")
            hop = self._hop(text) if len(text) <= HOP_MAX_CHARS else None
            if hop is None:
                return None
            if not hop.is_proxy:
                return hop.client
        return None

    def _read(self, text: str) -> Hop | None:
        found = _WITH_PORT.fullmatch(text)
        try:
            address = ip_address((found[1] or found[2]) if found else text)
        except ValueError:
            return None
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        is_proxy = any(address in network for network in self._trusted_proxies)
        return Hop(_counted(address), is_proxy)


class Counts:
    """How many of something each client has."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def __getitem__(self, client: str) -> int:
        """Return how many a client has."""
        return self._counts.get(client, 0)

    def add(self, client: str) -> None:
        """Count one more."""
        self._counts[client] = self[client] + 1

    def remove(self, client: str) -> None:
        """Count one less."""
        if self[client] > 1:
            self._counts[client] -= 1
        else:
            del self._counts[client]


def _counted(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address), IPV6_PREFIX), strict=False))
