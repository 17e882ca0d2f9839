"""Serves the live page, ``/``, and all that it loads."""

import hashlib
import html
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from aiohttp import web

from chart_app.web import modules
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
#: Modules that HTML loads: each with all that it imports. The others are there to be read.
ENTRIES = {"app.js", "login.js"}
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
    bodies = {f"/page/{name}": text for name, text in own_files().items()}
    bodies["/page/lightweight-charts.mjs"] = charts.read_bytes()
    page = trading_app.fill((FOLDER / "index.html").read_bytes())
    bodies["/"] = page.replace(HIDDEN_LINK, SHOWN_LINK) if has_login else page
    for route, body in bodies.items():
        web_app.router.add_get(route, _serve(PurePosixPath(route).suffix or ".html", body))


@cache
def own_files() -> Mapping[str, bytes]:
    """Return all that the page loads but its packages, by path."""
    texts = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in OWN_SUFFIXES and PACKAGES not in path.parents
    }
    sources = {name: text.decode() for name, text in texts.items() if name.endswith(".js")}
    return {**texts, **{it: modules.join(it, sources).encode() for it in ENTRIES}}


def warn_if_missing(charts: Path = CHARTS) -> None:
    """Log a warning that there is no page, if its chart package is not installed."""
    if not charts.exists():
        logger.warning("There is no live page: run `python -m dev.npm chart_app/web/page`")


async def _missing(_: web.Request) -> web.Response:
    return web.Response(status=503, text=MISSING)


def _serve(suffix: str, body: bytes) -> Handler:
    tag = hashlib.sha256(body).hexdigest()[:32]
    headers = {
        **SECURITY_HEADERS,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",  # cached, but validated on each use
        "ETag": f'W/"{tag}"',  # weak: the same whether compressed or not
        "Vary": "Accept-Encoding",
    }

    async def serve(request: web.Request) -> web.Response:
        if any(cached.value in {tag, "*"} for cached in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        response = web.Response(
            body=body,
            content_type=CONTENT_TYPES[suffix],
            charset="utf-8",
            headers=headers,
        )
        response.enable_compression()
        return response

    return serve
