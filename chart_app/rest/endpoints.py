"""Endpoints with JSON that other origins may read (CORS)."""

from aiohttp import hdrs, web

from streaming.http.access import ReadOrigins
from streaming.http.responses import Handler


def add_endpoint(
    web_app: web.Application, path: str, handler: Handler, origins: ReadOrigins
) -> None:
    """Add an endpoint that pages of other origins may read."""

    async def get(request: web.Request) -> web.StreamResponse:
        response = await handler(request)
        response.headers.update(origins.headers(request.headers.get(hdrs.ORIGIN)))
        return response

    async def options(request: web.Request) -> web.Response:
        headers = origins.preflight(request.headers.get(hdrs.ORIGIN))
        return web.Response(status=204, headers=headers)

    web_app.router.add_get(path, get)
    web_app.router.add_options(path, options)
