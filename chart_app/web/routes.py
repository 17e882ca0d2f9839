"""Serves the live page, ``/``, and all that it loads."""

import hashlib
import html
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from streaming.http.access import SECURITY_HEADERS
from streaming.http.responses import Handler

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "page"
PACKAGES = FOLDER / "node_modules"
CHARTS = PACKAGES / "lightweight-charts/dist/lightweight-charts.standalone.production.mjs"
MISSING = (
    "The page's packages are not installed. Run\n\n"
    "    python -m dev.npm chart_app/web/page\n\n"
    "in the project's folder (`make run` does so), and start chart_app again.\n"
)

#: Everything from the same origin, nothing inline.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

CONTENT_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
}
#: In JavaScript, those that have their lines for themselves.
COMMENTS = re.compile(r"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)[ \t]*\n", re.DOTALL | re.MULTILINE)
#: What a browser shows by itself: the policy is for them.
DOCUMENTS = {".html", ".svg"}
#: Those that are no modules of ``/``.
NOT_PRELOADED = {"/page/settings/theme.js", "/page/login.js"}
OWN_SUFFIXES = {".css", ".js", ".svg"}

#: In the page, a link that is shown where one signs in.
HIDDEN_LINK, SHOWN_LINK = b'<p id="session" hidden>', b'<p id="session">'
#: In the page, what stands for :class:`TradingApp` in the command that sends a trade.
URL_PLACE, OPTIONS_PLACE, TOPIC_PLACE = b"TRADING_URL", b" KEY_OPTION", b"TRADING_TOPIC"


class TradingApp(NamedTuple):
    """How trading_app takes trades on its own machine, if it has the same settings."""

    port: int = 3000
    topic: str = "tradeData"
    has_tls: bool = False
    has_keys: bool = False

    def fill(self, page: bytes) -> bytes:
        """Put it into the command on the page."""
        scheme = "https://" if self.has_tls else ""  # what curl takes by itself is not named
        option = " -H 'Authorization: Bearer ts_…'" if self.has_keys else ""
        for place, text in (
            (URL_PLACE, f"{scheme}localhost:{self.port}"),
            (OPTIONS_PLACE, option),
            (TOPIC_PLACE, self.topic),
        ):
            page = page.replace(place, html.escape(text, quote=False).encode())
        return page


def add_routes(
    web_app: web.Application,
    trading_app: TradingApp,
    charts: Path = CHARTS,
    *,
    has_login: bool = False,
) -> None:
    """Add ``/`` and ``/page/…``; without the chart package, ``/`` says what to run.

    ``has_login``: the page has a link to where one signs out.
    """
    if not charts.exists():
        web_app.router.add_get("/", _missing)
        return
    files = {f"/page/{path.relative_to(FOLDER).as_posix()}": path for path in _own_files()}
    files |= {"/": FOLDER / "index.html", "/page/lightweight-charts.mjs": charts}
    for route, path in files.items():
        body = path.read_bytes()
        if path.suffix == ".js":
            body = _without_comments(body.decode()).encode()
        if route == "/":
            body = body.replace(b"</head>", _preloads(files) + b"</head>")
            body = trading_app.fill(body)
            if has_login:
                body = body.replace(HIDDEN_LINK, SHOWN_LINK)
        web_app.router.add_get(route, _serve(path, body))


def _without_comments(module: str) -> str:
    """Leave out the lines that are comments: a third of what a slow line would have to carry."""
    return COMMENTS.sub("", module)


def _own_files() -> list[Path]:
    """Return all that the page loads but its packages."""
    return [
        path
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in OWN_SUFFIXES and PACKAGES not in path.parents
    ]


def _preloads(routes: Iterable[str]) -> bytes:
    """Return links that load all modules at once, not those that import others first."""
    scripts = (route for route in routes if route.endswith((".js", ".mjs")))
    modules = (route for route in scripts if route not in NOT_PRELOADED)
    return "".join(f'<link rel="modulepreload" href="{it}">\n' for it in modules).encode()


def warn_if_missing(charts: Path = CHARTS) -> None:
    """Log a warning that there is no page, if its chart package is not installed."""
    if not charts.exists():
        logger.warning("There is no live page: run `python -m dev.npm chart_app/web/page`")


async def _missing(_: web.Request) -> web.Response:
    return web.Response(status=503, text=MISSING)


def _serve(path: Path, body: bytes) -> Handler:
    tag = hashlib.sha256(body).hexdigest()[:32]
    headers = {
        "X-Content-Type-Options": SECURITY_HEADERS["X-Content-Type-Options"],
        "Cache-Control": "no-cache",  # cached, but validated on each use
        "ETag": f'W/"{tag}"',  # weak: the same whether compressed or not
        "Vary": "Accept-Encoding",
    }
    if path.suffix in DOCUMENTS:  # for the hundred others it would be bytes alone
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        headers["Referrer-Policy"] = "no-referrer"

    async def serve(request: web.Request) -> web.Response:
        if any(cached.value in {tag, "*"} for cached in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        response = web.Response(
            body=body,
            content_type=CONTENT_TYPES[path.suffix],
            charset="utf-8",
            headers=headers,
        )
        response.enable_compression()
        return response

    return serve
