"""Reading the body of a request, within bounds."""

import asyncio
from collections.abc import Mapping

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from streaming.http.responses import problem
from streaming.logs import escape

#: What aiohttp raises where a client breaks the protocol, or has gone.
CLIENT_FAULTS = (web.RequestPayloadError, HttpProcessingError, ConnectionError)


class BodyError(Exception):
    """The body could not be read; ``answer`` says why."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.answer = problem(status, detail, headers=headers)
        # What has not been read of the body would be taken for the next request.
        self.answer.force_close()
        super().__init__(detail)


class BodyBudget:
    """How many bytes of bodies may be in memory at once, whoever sends them."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def take(self, size: int) -> None:
        """Count bytes that have arrived. Raises :exc:`BodyError` if they are too many."""
        if size > self._left:
            raise BodyError(503, "Too many large bodies arrive at once.", {"Retry-After": "1"})
        self._left -= size

    def give_back(self, size: int) -> None:
        """Count bytes that are no longer in memory."""
        self._left += size


async def read_body(
    request: web.Request, limit: int, timeout_s: float, budget: BodyBudget | None = None
) -> bytes:
    """Return the body of at most ``limit`` bytes, unpacked if it came packed.

    Its size has been taken from the ``budget``, and is the caller's to give back.
    Raises :exc:`BodyError`: 413 as soon as the limit is passed, 408 after ``timeout_s``,
    400 for a body that is broken, 503 if the budget does not suffice.
    """
    _check_size(request.content_length or 0, limit)
    if request.content.is_eof() and budget is None:  # it came with the headers, as small ones do
        body = request.content.read_nowait()
        _check_size(len(body), limit)
        return body
    try:
        async with asyncio.timeout(timeout_s):
            return await _receive(request, limit, budget or BodyBudget(limit))
    except TimeoutError:
        raise BodyError(408, f"The body did not arrive within {timeout_s:g} s.") from None
    except CLIENT_FAULTS as error:  # one who has gone is not reached by the answer
        raise BodyError(400, f"The body is broken: {escape(str(error))}") from None


async def _receive(request: web.Request, limit: int, budget: BodyBudget) -> bytes:
    body = bytearray()
    try:
        while chunk := await request.content.readany():
            _check_size(len(body) + len(chunk), limit)
            budget.take(len(chunk))
            body += chunk
    except BaseException:
        budget.give_back(len(body))
        raise
    return bytes(body)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise BodyError(413, f"The body is larger than {limit} bytes.")
