"""What both ways in have in common: a client may have to wait, and every answer is counted."""

import time
from abc import ABC, abstractmethod

from aiohttp import web

from trading_app.endpoints.metrics import Answers
from trading_app.endpoints.rate_limiter import Clients


class PostView(ABC):
    """Answers the POSTs to a path."""

    def __init__(self, clients: Clients, answers: Answers) -> None:
        self._clients = clients
        self._answers = answers

    async def post(self, request: web.Request) -> web.Response:
        """Answer a request, and count it."""
        start = time.perf_counter()
        answer = self._clients.refusal(request) or await self._answer(request)
        self._answers.count(answer.status, time.perf_counter() - start)
        return answer

    @abstractmethod
    async def _answer(self, request: web.Request) -> web.Response:
        """Return the answer to a request of a client that need not wait."""
