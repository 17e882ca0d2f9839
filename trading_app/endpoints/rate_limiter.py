"""Limits how many trades a second each client may send."""

import math
import time
from collections import OrderedDict

from aiohttp import web

from streaming.http.clients import Clients
from streaming.http.responses import problem

#: Clients whose state is kept. The one that has been inactive longest is dropped first.
CLIENTS_MAX = 10_000


class TokenBuckets:
    """A token bucket per client, filled at ``per_s`` tokens a second, for at most one second.

    It holds one token at least. A client with a token left may send more trades than it has tokens;
    then it must wait until the debt is repaid.
    """

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        #: How long before its bucket is full a client has one token.
        self._one_token_s = (max(per_s, 1) - 1) / per_s
        #: For each client the time in s at which its bucket will be full.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, client: str, now_s: float) -> float:
        """Return how long a client must wait before it may send, 0 if it may send now."""
        wait_s = self._full_at.get(client, 0) - self._one_token_s - now_s
        return max(round(wait_s, 6), 0)  # as times are sums, less than that is nothing

    def spend(self, client: str, trades: int, now_s: float) -> None:
        """Take tokens for trades that the client sends."""
        full_at = max(self._full_at.pop(client, 0), now_s)
        self._full_at[client] = full_at + trades / self._per_s
        if len(self._full_at) > CLIENTS_MAX:
            self._full_at.popitem(last=False)


class RateLimiter:
    """Limits the rate of each client; a rate of 0 is no limit."""

    def __init__(self, trades_per_s: float, clients: Clients) -> None:
        self._buckets = TokenBuckets(trades_per_s) if trades_per_s else None
        self._clients = clients

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return a 429 for a client that must wait; else count a trade and return None.

        A request counts as a trade whatever becomes of it: an invalid one takes work too.
        """
        if self._buckets is None:
            return None
        client, now_s = self._clients.of(request), time.monotonic()
        wait_s = math.ceil(self._buckets.wait_s(client, now_s))
        if wait_s == 0:
            self._buckets.spend(client, 1, now_s)
            return None
        headers = {"Retry-After": str(wait_s)}
        return problem(429, "You send more trades a second than allowed.", headers=headers)

    def spend_more(self, request: web.Request, trades: int) -> None:
        """Count the other trades of a request with so many, valid or not."""
        if self._buckets is not None and trades > 1:
            self._buckets.spend(self._clients.of(request), trades - 1, time.monotonic())
