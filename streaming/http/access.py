"""Access rules: which requests are answered, by their Host and Origin headers. Pure.

A browser sends any request that a page asks for, to any server that it can reach. It states the
name under which it reached the server (``Host``), and the site of the page (``Origin``).
"""

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

#: On every response: browsers must neither guess its content type nor show it in a frame.
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "frame-ancestors 'none'",
}

#: Names that a browser resolves to this machine without DNS.
LOOPBACK_NAMES = ("localhost",)
ANY_ORIGIN = "*"
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Headers that a page may send with a read; python-binance sends all but Authorization.
REQUEST_HEADERS = "Accept, Authorization, Content-Type, X-MBX-APIKEY, X-MBX-TIME-UNIT"
PREFLIGHT_MAX_AGE_S = 7200  # Chromium's own maximum

#: Decisions that are cached. Clients choose the header values, so the cache is bounded.
CACHED_DECISIONS_MAX = 256
#: How much of a client's text is repeated in responses and in the log.
QUOTED_MAX_CHARS = 100

#: A host name of RFC 1123 or an address, with an optional port. `_` occurs in the names of
#: Docker Compose services.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z._-]{1,254})(?::[0-9]{0,5})?")
#: An absolute request target, or that of CONNECT: it contains the host.
_AUTHORITY = re.compile(r"(?:[^/?#]{0,20}://)?([^/?#]*)")


class Cause(Enum):
    """What a request is refused for, or that it fails."""

    #: Its host or origin.
    ADDRESS = auto()
    #: It has no key, or something else in its place.
    NO_KEY = auto()
    #: Its key, which is not valid or does not have the scope.
    KEY = auto()
    #: Nothing: there is nothing for it, or the server failed.
    FAILURE = auto()


class Refusal(NamedTuple):
    """Why a request is refused, or fails: the status of the response and its detail."""

    status: int
    detail: str
    cause: Cause = Cause.ADDRESS
    #: The id in the key that was presented, if any.
    key_id: str | None = None


class ReadOrigins:
    """The origins of ``READ_ORIGINS``, whose pages may read, and the CORS headers for them."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(map(str.lower, origins))
        self.is_public = ANY_ORIGIN in self._origins

    def __contains__(self, origin: str) -> bool:
        """Return whether pages of this origin may read."""
        return self.is_public or origin.lower() in self._origins

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Return the CORS headers of a response to a request from ``origin``."""
        if self.is_public:
            return {"Access-Control-Allow-Origin": ANY_ORIGIN}
        if origin is not None and origin in self:
            return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return {"Vary": "Origin"}

    def preflight(self, origin: str | None) -> Mapping[str, str]:
        """Return the headers of the response to a CORS preflight request."""
        return {
            **self.headers(origin),
            "Access-Control-Allow-Methods": "GET, HEAD",
            "Access-Control-Allow-Headers": REQUEST_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_S),
        }


class Access:
    """Decides whether a request is answered or refused."""

    def __init__(self, hosts: Iterable[str], read_origins: Iterable[str]) -> None:
        self._hosts = frozenset(map(str.lower, hosts))
        self._read_origins = ReadOrigins(read_origins)
        #: :meth:`_decide` with a cache: its arguments are nearly always the same.
        self.refusal = lru_cache(CACHED_DECISIONS_MAX)(self._decide)

    def _decide(
        self, method: str, host: str | None, origin: str | None, site: str | None
    ) -> Refusal | None:
        """Return why a request is refused, None if it is not.

        ``host``, ``origin`` and ``site`` are the headers Host, Origin and Sec-Fetch-Site. A
        missing Host is allowed: HTTP/1.0 has none, and browsers always send one.
        """
        if host is not None and not self._is_allowed(host):
            return Refusal(
                421,
                f"This server is not called {quote(host)}: "
                "it is called what HTTP_ALLOWED_HOSTS says.",
            )
        is_same = origin is not None and origin.partition("://")[2].lower() == (host or "").lower()
        if method in READ_METHODS:
            if origin is None or is_same or origin in self._read_origins:
                return None
            return Refusal(403, f"READ_ORIGINS does not let pages of {quote(origin)} read.")
        if origin is not None and not is_same:
            return Refusal(403, f"Pages of {quote(origin)} may not send anything here.")
        if site == "cross-site":
            return Refusal(403, "Pages of other sites may not send anything here.")
        return None

    def _is_allowed(self, host: str) -> bool:
        name = host_name(host)
        return name in self._hosts or _is_address(name)


def host_name(host: str) -> str:
    """Return the name in a Host header, in lower case and without the port; "" if invalid."""
    found = _HOST.fullmatch(host)
    return found[1].lower().removesuffix(".") if found else ""


def target_host(target: str) -> str | None:
    """Return the host in a request target, None if the target is a path or ``*``."""
    if target.startswith("/") or target == "*":
        return None
    found = _AUTHORITY.match(target)
    return found[1] if found else ""


def quote(value: str) -> str:
    """Return a client's text as a JSON string in ASCII, truncated if it is long."""
    shown = value if len(value) <= QUOTED_MAX_CHARS else f"{value[:QUOTED_MAX_CHARS]}…"
    return json.dumps(shown)


def is_loopback(host: str) -> bool:
    """Return whether who listens on a host is reached from this machine only."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    # DNS rebinding needs a name, whose owner can change its address. An address is safe.
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
