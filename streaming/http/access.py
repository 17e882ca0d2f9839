"""Which requests are answered, by their host and by the page they come from. Pure.

A browser sends whatever a page asks it to, from any page to any server that it can reach. It
says which name it was given for the server (``Host``), and which page asked (``Origin``).
"""

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

#: For every answer: nothing is taken for what it does not say it is, and nothing is framed.
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "frame-ancestors 'none'",
}

#: What a browser takes for this machine without asking a name server.
LOOPBACK_NAMES = ("localhost",)
ANY_ORIGIN = "*"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
#: What a client may send with a request to read; python-binance sends all three.
REQUEST_HEADERS = "Accept, Authorization, Content-Type, X-MBX-APIKEY"
PREFLIGHT_MAX_AGE_S = 7200  # Chromium keeps it no longer

#: Verdicts that are kept. Strangers choose what they are about, so there is a bound.
VERDICTS_MAX = 256
#: Characters of what a stranger sent that are repeated to it, and logged.
QUOTED_MAX = 100

#: A name of RFC 1123 or an address, and perhaps a port; `_` for the services of Docker Compose.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z._-]{1,254})(?::[0-9]{0,5})?")
#: The target of a request to a proxy, or of CONNECT: it names the host again.
_AUTHORITY = re.compile(r"(?:[^/?#]{0,20}://)?([^/?#]*)")


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    detail: str


class ReadOrigins:
    """The pages that may read, by ``READ_ORIGINS``, and what tells browsers so (CORS)."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(map(str.lower, origins))
        self.is_public = ANY_ORIGIN in self._origins

    def __contains__(self, origin: str) -> bool:
        """Return whether a page of this origin may read."""
        return self.is_public or origin.lower() in self._origins

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Return the headers of an answer that those pages may read."""
        if self.is_public:
            return {"Access-Control-Allow-Origin": ANY_ORIGIN}
        if origin is not None and origin in self:
            return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return {"Vary": "Origin"}

    def preflight(self, origin: str | None) -> Mapping[str, str]:
        """Return the headers that tell a browser, before it asks, what it may ask."""
        return {
            **self.headers(origin),
            "Access-Control-Allow-Methods": "GET, HEAD",
            "Access-Control-Allow-Headers": REQUEST_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_S),
        }


class Access:
    """Decides whether a request is answered."""

    def __init__(self, hosts: Iterable[str], read_origins: Iterable[str]) -> None:
        self._hosts = frozenset(map(str.lower, hosts))
        self._read_origins = ReadOrigins(read_origins)
        #: As :meth:`_decide`, whose arguments are nearly always the same.
        self.refusal = lru_cache(VERDICTS_MAX)(self._decide)

    def _decide(
        self, method: str, host: str | None, origin: str | None, site: str | None
    ) -> Refusal | None:
        """Return why not, or None; ``host``, ``origin`` and ``site`` are headers.

        Without a Host, which HTTP/1.0 allows and no browser does, no name can be wrong.
        """
        if host is not None and not self._is_ours(host):
            return Refusal(
                421,
                f"This server is not called {quote(host)}: "
                "it is called what HTTP_ALLOWED_HOSTS says.",
            )
        is_own = origin is not None and origin.partition("://")[2].lower() == (host or "").lower()
        if method in READING:
            if origin is None or is_own or origin in self._read_origins:
                return None
            return Refusal(403, f"READ_ORIGINS does not let pages of {quote(origin)} read.")
        if origin is not None and not is_own:
            return Refusal(403, f"Pages of {quote(origin)} may not send anything here.")
        if site == "cross-site":
            return Refusal(403, "Pages of other sites may not send anything here.")
        return None

    def _is_ours(self, host: str) -> bool:
        name = host_name(host)
        return name in self._hosts or _is_address(name)


def host_name(host: str) -> str:
    """Return the name in a Host header, in lower case, without a port; "" for what is none."""
    found = _HOST.fullmatch(host)
    return found[1].lower().removesuffix(".") if found else ""


def target_host(target: str) -> str | None:
    """Return the host in the target of a request, None if it is a path, or ``*``."""
    if target.startswith("/") or target == "*":
        return None
    found = _AUTHORITY.match(target)
    return found[1] if found else ""


def quote(value: str) -> str:
    """Return what a stranger sent as a JSON string in ASCII, cut if it is long."""
    return json.dumps(value if len(value) <= QUOTED_MAX else f"{value[:QUOTED_MAX]}…")


def _is_address(name: str) -> bool:
    # To have us taken for another's, a page must have a name that its owner can change.
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
