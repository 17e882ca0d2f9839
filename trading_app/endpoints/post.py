"""The base of both endpoints: the rate limit, and the metrics of their responses."""

import time
from abc import ABC, abstractmethod

from aiohttp import web

from trading_app.endpoints.metrics import ResponseMetrics
from trading_app.endpoints.rate_limiter import RateLimiter

RETRY_AFTER = {"Retry-After": "1"}


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
