"""Endpoints with JSON that other origins may read (CORS)."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from aiohttp import hdrs, web

from streaming.http.access import ReadOrigins
from streaming.http.compression import compress

#: What is answered may be out of date a moment later.
NO_STORE = {"Cache-Control": "no-store"}

JsonHandler = Callable[[web.Request], Awaitable[web.Response]]


def add_endpoint(
    web_app: web.Application,
    paths: Iterable[str],
    handler: JsonHandler,
    origins: ReadOrigins,
    headers: Mapping[str, str] = NO_STORE,
) -> None:
    """Add an endpoint that pages of other origins may read, at some paths in all spellings.

    ``headers`` are on its responses.
    """

    async def get(request: web.Request) -> web.StreamResponse:
        response = await handler(request)
        response.headers.update(headers)
        response.headers.update(origins.headers(request.headers.get(hdrs.ORIGIN)))
        await compress(request, response)
        return response

    async def options(request: web.Request) -> web.Response:
        preflight = origins.preflight(request.headers.get(hdrs.ORIGIN))
        return web.Response(status=204, headers={**headers, **preflight})

    for path in paths:
        for spelling in spellings(path):
            web_app.router.add_get(spelling, get)
            web_app.router.add_options(spelling, options)


def spellings(path: str) -> list[str]:
    """Return a path as clients spell it: with a second slash before it, or one after it.

    To each its own route: aiohttp finds it at once, where it would try patterns one by one.
    """
    return [f"{before}{path}{after}" for before in ("", "/") for after in ("", "/")]
