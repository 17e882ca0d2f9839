"""Clients that send more than they may."""

import math
import time

from aiohttp import web

from streaming.http.responses import problem
from trading_app.endpoints.rate_limit import RateLimit


class Clients:
    """Who has sent how much of late, by address; with a rate of 0, anybody may send anything."""

    def __init__(self, trades_per_s: float) -> None:
        self._limit = RateLimit(trades_per_s) if trades_per_s else None

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return the answer to a client that has to wait, else None."""
        if self._limit is None:
            return None
        wait_s = math.ceil(self._limit.wait_s(request.remote or "", time.monotonic()))
        if wait_s == 0:
            return None
        headers = {"Retry-After": str(wait_s)}
        return problem(429, "You send more trades a second than you may.", headers=headers)

    def sent(self, request: web.Request, trades: int) -> None:
        """Keep in mind that a client has sent trades, good or bad."""
        if self._limit is not None:
            self._limit.spend(request.remote or "", trades, time.monotonic())
