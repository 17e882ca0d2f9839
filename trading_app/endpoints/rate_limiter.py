"""Limits how many trades a second each client, and each key, may send."""

import math
import time
from collections import OrderedDict
from collections.abc import Iterator

from aiohttp import web

from streaming.http.clients import Clients
from streaming.http.guard import log_refused
from streaming.http.keys import Key
from streaming.http.request import key_of
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


class KeyBuckets:
    """A token bucket for each key that has a rate."""

    def __init__(self) -> None:
        #: By the id of the key, with its rate, which may change.
        self._buckets: OrderedDict[str, tuple[float, TokenBuckets]] = OrderedDict()

    def of(self, key: Key) -> TokenBuckets:
        """Return the bucket of a key, a new one if its rate has changed."""
        per_s, bucket = self._buckets.get(key.id, (0, None))
        if bucket is None or per_s != key.trades_per_s:
            bucket = TokenBuckets(key.trades_per_s)
            self._buckets[key.id] = (key.trades_per_s, bucket)
            if len(self._buckets) > CLIENTS_MAX:
                self._buckets.popitem(last=False)
        return bucket


class RateLimiter:
    """Limits the rate of each client; a rate of 0 is no limit.

    A key that has a rate is limited to it, too, from whatever addresses it is used.
    """

    def __init__(self, trades_per_s: float, clients: Clients) -> None:
        self._buckets = TokenBuckets(trades_per_s) if trades_per_s else None
        self._key_buckets = KeyBuckets()
        self._clients = clients

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return a 429 for a client or a key that must wait; else count a trade and return None.

        A request counts as a trade whatever becomes of it: an invalid one takes work too.
        """
        now_s = time.monotonic()
        limits = list(self._limits(request))
        for buckets, owner, detail in limits:
            wait_s = math.ceil(buckets.wait_s(owner, now_s))
            if wait_s:
                log_refused(request, 429, self._clients.of(request))
                return problem(429, detail, headers={"Retry-After": str(wait_s)})
        for buckets, owner, _ in limits:
            buckets.spend(owner, 1, now_s)
        return None

    def spend_more(self, request: web.Request, trades: int) -> None:
        """Count the other trades of a request with so many, valid or not."""
        if trades > 1:
            for buckets, owner, _ in self._limits(request):
                buckets.spend(owner, trades - 1, time.monotonic())

    def _limits(self, request: web.Request) -> Iterator[tuple[TokenBuckets, str, str]]:
        """Yield the buckets of a request, whose they are, and what is said if they are empty."""
        key = key_of(request)
        if key and key.trades_per_s:
            detail = f"The key {key.id} may send {key.trades_per_s:g} trades a second."
            yield self._key_buckets.of(key), key.id, detail
        if self._buckets is not None:
            detail = "You send more trades a second than allowed."
            yield self._buckets, self._clients.of(request), detail
