"""``/openapi.json`` and ``/docs``: the OpenAPI document and Swagger UI, served locally."""

from importlib.resources import files
from typing import Any

import msgspec
from aiohttp import web

from streaming.http.admission import API_KEY_HEADER

OPENAPI_VERSION = "3.0.3"
#: The version in pyproject.toml, which containers do not include; a test keeps the two equal.
PROGRAM_VERSION = "0.2.0"

#: Only resources of our own origin; inline styles and data: images are for Swagger UI.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui"});\n'

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Every bad field.",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


#: How a key is presented, where the program asks for keys.
SECURITY_SCHEMES: dict[str, Any] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "ts_<id>_<43 characters>",
        "description": "Needed if the program has a file of keys.",
    },
    "binanceKey": {
        "type": "apiKey",
        "in": "header",
        "name": str(API_KEY_HEADER),
        "description": "The same key, in the header of Binance's clients.",
    },
}
#: One of them, or none where the program asks for no key.
SECURITY: list[dict[str, list[str]]] = [{"key": []}, {"binanceKey": []}, {}]
NO_SECURITY: list[dict[str, list[str]]] = []

NO_KEY = "There are keys, and the request has none that is valid."
NO_SCOPE = "The key does not have the scope."


def problem(description: str, **more: Any) -> dict[str, Any]:
    """Return the description of a problem+json response."""
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": schema}}
    return {"description": description, "content": content, **more}


def document(title: str, description: str, paths: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI document of a program: its own paths and the common ones."""
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": title, "description": description, "version": PROGRAM_VERSION},
        "security": SECURITY,
        "paths": {**paths, **_COMMON_PATHS},
        "components": {
            "schemas": {"Problem": PROBLEM_SCHEMA},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def add_routes(web_app: web.Application, openapi: dict[str, Any]) -> None:
    """Add ``/openapi.json``, ``/docs`` and the files that the page loads."""
    static = files("swagger_ui") / "static"
    parts = {
        "/openapi.json": ("application/json", msgspec.json.encode(openapi)),
        "/docs": ("text/html", PAGE.format(title=openapi["info"]["title"]).encode()),
        "/docs/start.js": ("text/javascript", START.encode()),
        "/docs/swagger-ui.css": ("text/css", (static / "swagger-ui.css").read_bytes()),
        "/docs/swagger-ui-bundle.js": (
            "text/javascript",
            (static / "swagger-ui-bundle.js").read_bytes(),
        ),
    }
    for path, (content_type, body) in parts.items():
        web_app.router.add_get(path, _serve(content_type, body))


def _serve(content_type: str, body: bytes) -> Any:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(
            body=body,
            content_type=content_type,
            charset="utf-8",
            headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY},
        )

    return serve


def _status_page(summary: str, ok: str, unavailable: str | None = None) -> dict[str, Any]:
    properties: dict[str, Any] = {"status": {"type": "string"}}
    responses = {"200": _json(ok, properties)}
    if unavailable:
        texts = {"type": "array", "items": {"type": "string"}}
        responses["200"] = _json(ok, properties, {"warnings": texts})
        responses["503"] = _json(unavailable, properties, {"reasons": texts})
    return {"get": {"summary": summary, "security": NO_SECURITY, "responses": responses}}


def _json(
    description: str, properties: dict[str, Any], optional: dict[str, Any] | None = None
) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": list(properties),
        "properties": {**properties, **(optional or {})},
    }
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_COMMON_PATHS = {
    "/healthz": _status_page("Is the process up?", "It is."),
    "/readyz": _status_page(
        "Can it do its work?",
        "It can; `warnings`, if present, lists other faults.",
        "It cannot now; `reasons` says why, where there are keys to one with the scope `ops`.",
    ),
    "/metrics": {
        "get": {
            "summary": "Metrics for Prometheus",
            "responses": {
                "200": {
                    "description": "The text exposition format.",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                "401": problem(NO_KEY),
                "403": problem(NO_SCOPE),
            },
        }
    },
}
