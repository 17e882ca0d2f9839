"""Signs a browser in, where reading is not public: a key in, a cookie out."""

from pathlib import Path
from urllib.parse import parse_qs

from aiohttp import web

from streaming.http import sessions
from streaming.http.access import SECURITY_HEADERS, Refusal
from streaming.http.admission import Admission
from streaming.http.body import BodyError, read_body
from streaming.http.clients import Clients
from streaming.http.guard import log_refused, problem_form

PATH = "/login"
LOGOUT_PATH = "/logout"
PAGE = Path(__file__).parent / "page/login.html"
#: In the page, what it says of the key before.
HIDDEN_ERROR, SHOWN_ERROR = (
    b'<p class="error" role="alert" data-text="keyRefused" hidden>',
    b'<p class="error" role="alert" data-text="keyRefused">',
)

BODY_LIMIT = 1024
READ_TIMEOUT_S = 10.0
HEADERS = {
    **SECURITY_HEADERS,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # with no-referrer a form would be sent with Origin: null
}


def add_routes(web_app: web.Application, admission: Admission, clients: Clients) -> None:
    """Add the page with its forms, and where they are sent."""
    page = PAGE.read_bytes()
    failed_page = page.replace(HIDDEN_ERROR, SHOWN_ERROR)

    async def show(_: web.Request) -> web.Response:
        return _page(page)

    async def sign_in(request: web.Request) -> web.Response:
        try:
            body = await read_body(request, BODY_LIMIT, READ_TIMEOUT_S)
        except BodyError as error:
            return error.answer
        fields = parse_qs(body.decode(errors="replace"))
        token = admission.sign_in(fields.get("key", [""])[0].strip())
        if isinstance(token, Refusal):
            log_refused(request, 403, clients.of(request), token.key_id)
            return _page(failed_page, 403)
        response = _redirect(request, "/")
        _set_cookie(response, token, sessions.DURATION_S)
        return response

    async def sign_out(request: web.Request) -> web.Response:
        response = _redirect(request, PATH)
        _set_cookie(response, "", 0)
        return response

    web_app.router.add_get(PATH, show)
    web_app.router.add_post(PATH, sign_in)
    web_app.router.add_post(LOGOUT_PATH, sign_out)


def error_form(request: web.Request, refusal: Refusal) -> web.Response:
    """Lead who opens the page without a key to where one signs in."""
    if request.path == "/" and refusal.status == 401:
        return _redirect(request, PATH)
    return problem_form(request, refusal)


def _page(content: bytes, status: int = 200) -> web.Response:
    return web.Response(
        body=content, status=status, content_type="text/html", charset="utf-8", headers=HEADERS
    )


def _redirect(request: web.Request, path: str) -> web.Response:
    """Lead a browser to a path, with the query of its request: the coin and the interval."""
    query = request.rel_url.raw_query_string
    location = f"{path}?{query}" if query else path
    return web.Response(status=303, headers={**HEADERS, "Location": location})


def _set_cookie(response: web.Response, value: str, max_age_s: int) -> None:
    response.set_cookie(
        sessions.COOKIE,
        value,
        max_age=max_age_s,
        path="/",
        secure=True,
        httponly=True,
        samesite="Strict",
    )
