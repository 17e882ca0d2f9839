"""The base of both endpoints: the rate limit, and the metrics of their responses."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

from aiohttp import web

import topics
from settings import Settings
from streaming.globs import one_of
from streaming.http.keys import Key, Scope
from streaming.http.request import key_of
from streaming.http.responses import problem
from streaming.kafka.accumulator import Headers
from trading_app.endpoints.metrics import ResponseMetrics
from trading_app.endpoints.rate_limiter import RateLimiter
from trading_app.parsing.submission import Rules

RETRY_AFTER = {"Retry-After": "1"}
#: The header of a record with the id of the key with which it was sent.
KEY_ID_HEADER = "key-id"


def headers_of(request: web.Request) -> Headers | None:
    """Return the headers of the records that a request sends, if there are any."""
    key = key_of(request)
    return [(KEY_ID_HEADER, key.id.encode())] if key else None


class NotAllowed(Exception):
    """The key may not send trades of a coin; ``answer`` is the response that says so."""

    def __init__(self, key: Key) -> None:
        self.answer = problem(403, f"The key {key.id} may not send trades of this coin.")
        super().__init__(key.id)


def rules_of(settings: Settings, names: Sequence[str], default_topic: str | None = None) -> Rules:
    """Return the rules for submissions to these topics."""
    return Rules(
        tuple(names),
        topics.max_future_ms(settings),
        default_topic,
        topics.max_age_ms(settings),
        one_of(settings.coins),
    )


def may_backdate(request: web.Request) -> bool:
    """Return whether a request may bring trades that are older than ``TRADE_MAX_AGE``."""
    key = key_of(request)
    return key is not None and Scope.BACKDATE in key.scopes


class PostEndpoint(ABC):
    """Answers POST requests to a path."""

    def __init__(self, limiter: RateLimiter, metrics: ResponseMetrics) -> None:
        self._limiter = limiter
        self._metrics = metrics

    async def post(self, request: web.Request) -> web.Response:
        """Answer a request, and count it."""
        start = time.perf_counter()
        answer = self._limiter.refusal(request) or await self._answer(request)
        self._metrics.count(answer.status, time.perf_counter() - start)
        return answer

    @abstractmethod
    async def _answer(self, request: web.Request) -> web.Response:
        """Return the response to a request within the rate limit."""
