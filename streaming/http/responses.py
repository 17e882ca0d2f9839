"""Responses: JSON, and errors as problem+json (RFC 9457)."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

PROBLEM_JSON = "application/problem+json"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a response with ``content`` as JSON; a str, or bytes, are JSON already."""
    if isinstance(content, str):
        content = content.encode()
    return web.Response(
        body=content if isinstance(content, bytes) else msgspec.json.encode(content),
        status=status,
        content_type="application/json",
        headers=headers,
    )


def problem(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> web.Response:
    """Return a problem+json response. ``members`` are added to its body, such as ``errors=[…]``."""
    return web.Response(
        body=msgspec.json.encode(
            {
                "type": "about:blank",
                "title": HTTPStatus(status).phrase,
                "status": status,
                "detail": detail,
                **members,
            }
        ),
        status=status,
        content_type=PROBLEM_JSON,
        headers=headers,
    )
