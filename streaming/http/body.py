"""Reading the body of a request, with limits on size, time and memory."""

import asyncio
from collections.abc import Mapping

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from streaming.http.responses import problem
from streaming.http.shares import Share
from streaming.logs import escape

#: What aiohttp raises when a client violates the protocol or disconnects.
CLIENT_FAULTS = (web.RequestPayloadError, HttpProcessingError, ConnectionError)


class BodyError(Exception):
    """The body could not be read; ``answer`` is the response that says why."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.answer = problem(status, detail, headers=headers)
        # The unread rest of the body would be parsed as the next request.
        self.answer.force_close()
        super().__init__(detail)


async def read_body(
    request: web.Request, limit: int, timeout_s: float, share: Share | None = None
) -> bytes:
    """Return the body of at most ``limit`` bytes, decompressed if it was compressed.

    Its size is taken from the ``share`` of the bodies in memory; the caller must give it back.
    Raises :exc:`BodyError`: 413 as soon as the limit is exceeded, 408 after ``timeout_s``,
    400 for a broken body, 503 if the share is exhausted.
    """
    _check_size(request.content_length or 0, limit)
    if request.content.is_eof() and share is None:  # it arrived with the headers: a small one
        body = request.content.read_nowait()
        _check_size(len(body), limit)
        return body
    try:
        async with asyncio.timeout(timeout_s):
            return await _receive(request, limit, share)
    except TimeoutError:
        raise BodyError(408, f"The body did not arrive within {timeout_s:g} s.") from None
    except CLIENT_FAULTS as error:  # a client that has disconnected does not see this answer
        raise BodyError(400, f"The body is broken: {escape(str(error))}") from None


async def _receive(request: web.Request, limit: int, share: Share | None) -> bytes:
    body = bytearray()
    try:
        while chunk := await request.content.readany():
            _check_size(len(body) + len(chunk), limit)
            if share:
                _take(share, len(chunk))
            body += chunk
    except BaseException:
        if share:
            share.give_back(len(body))
        raise
    return bytes(body)


def _take(share: Share, size: int) -> None:
    if not share.take(size):
        raise BodyError(503, "Too many large bodies arrive at once.", {"Retry-After": "1"})


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise BodyError(413, f"The body is larger than {limit} bytes.")
