"""The guard: every request passes it before a route, and every response on its way out.

It covers all routes, including the responses that aiohttp makes itself, so that no page, file
or WebSocket can be left out. It is not a middleware: that took 4 % of a request's time.
"""

import logging
from collections.abc import Callable, Mapping

from aiohttp import ClientConnectionResetError, hdrs, web
from multidict import istr

from streaming.http.access import Access, Cause, Refusal, quote, target_host
from streaming.http.admission import Admission
from streaming.http.clients import Clients
from streaming.http.request import key_of
from streaming.http.responses import Handler, problem
from streaming.logs import ACCESS_LOGGER, escape

logger = logging.getLogger(__name__)
access_logger = logging.getLogger(ACCESS_LOGGER)

SEC_FETCH_SITE = istr("Sec-Fetch-Site")

#: Makes the response to a request that is refused, or fails.
ErrorForm = Callable[[web.Request, Refusal], web.Response]
#: With a 401: how to present a key.
CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Guard:
    """Refuses a request or passes it to a handler; the handler's exceptions become responses."""

    def __init__(
        self,
        access: Access,
        clients: Clients,
        forms: Mapping[str, ErrorForm],
        admission: Admission | None = None,
    ) -> None:
        """``forms`` maps the first segment of a path to its :data:`ErrorForm`.

        The errors of all other paths are problem+json. ``admission`` is None if there are no keys.
        """
        self._refusal = access.refusal
        self._admission = admission
        self._clients = clients
        self._forms = forms

    def __call__(self, handle: Handler) -> Handler:
        """Return a handler that passes requests to ``handle`` unless they are refused."""
        refusal_of = self._refusal
        key_refusal_of = self._admission.refusal if self._admission else None

        async def guarded(request: web.Request) -> web.StreamResponse:
            header = request.headers.get
            refusal = refusal_of(
                request.method, header(hdrs.HOST), header(hdrs.ORIGIN), header(SEC_FETCH_SITE)
            )
            if refusal is None and request.raw_path[:1] != "/":
                refusal = refusal_of(request.method, target_host(request.raw_path), None, None)
            if refusal is None and key_refusal_of:
                refusal = key_refusal_of(request)
            if refusal is not None:
                return self._refuse(request, refusal)
            try:
                return await handle(request)
            except web.HTTPException as error:
                return self._http_error(request, error)
            except ClientConnectionResetError:
                raise  # the client has gone: aiohttp drops the connection
            except Exception:
                logger.exception("%s %s failed", request.method, request.path)
                return self._fail(request, 500, "The server failed; its log says why.")

        return guarded

    def _refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        log_refused(request, refusal.status, self._clients.of(request), refusal.key_id)
        response = self._respond(request, refusal)
        if response.status == 401:
            response.headers.update(CHALLENGE)
        return response

    def _http_error(self, request: web.Request, error: web.HTTPException) -> web.Response:
        if isinstance(error, web.HTTPNotFound):
            return self._fail(request, 404, f"There is nothing at {escape(request.path)}.")
        if isinstance(error, web.HTTPMethodNotAllowed):
            allowed = ", ".join(sorted(error.allowed_methods))
            detail = f"{request.method} is not possible here, {allowed} is."
            response = self._fail(request, 405, detail)
            response.headers[hdrs.ALLOW] = allowed
            return response
        detail = f"The request cannot be met: {error.reason}."
        return self._fail(request, error.status, detail)

    def _fail(self, request: web.Request, status: int, detail: str) -> web.Response:
        return self._respond(request, Refusal(status, detail, Cause.FAILURE))

    def _respond(self, request: web.Request, refusal: Refusal) -> web.Response:
        # Some clients put a second slash before the path.
        form = self._forms.get(request.path.lstrip("/").partition("/")[0], problem_form)
        return form(request, refusal)


def problem_form(_: web.Request, refusal: Refusal) -> web.Response:
    """Return a refusal as problem+json."""
    return problem(refusal.status, refusal.detail)


def log_refused(request: web.Request, status: int, client: str, key_id: str | None = None) -> None:
    """Log that a request of a client was refused, with the id of its key."""
    key = key_of(request)
    key_id = key.id if key else key_id
    access_logger.warning(
        "refused status=%d method=%s target=%s host=%s origin=%s client=%s%s",
        status,
        request.method,
        quote(request.raw_path),
        quote(request.headers.get(hdrs.HOST, "")),
        quote(request.headers.get(hdrs.ORIGIN, "")),
        client,
        f" key={key_id}" if key_id else "",
    )
