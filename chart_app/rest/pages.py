"""Pages of JSON that other origins may read."""

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import hdrs, web

from streaming.http.access import ReadOrigins
from streaming.http.responses import Handler

NowMs = Callable[[], int]


def json_text(content: Any, status: int = 200) -> web.Response:
    """Return JSON; text is JSON already."""
    body = content.encode() if isinstance(content, str) else msgspec.json.encode(content)
    return web.Response(body=body, status=status, content_type="application/json")


def add_page(web_app: web.Application, path: str, handler: Handler, origins: ReadOrigins) -> None:
    """Add a page of the API, which the pages of other origins may read."""

    async def get(request: web.Request) -> web.StreamResponse:
        answer = await handler(request)
        answer.headers.update(origins.headers(request.headers.get(hdrs.ORIGIN)))
        return answer

    async def options(request: web.Request) -> web.Response:
        headers = origins.preflight(request.headers.get(hdrs.ORIGIN))
        return web.Response(status=204, headers=headers)

    web_app.router.add_get(path, get)
    web_app.router.add_options(path, options)
