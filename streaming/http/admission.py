"""Admission: which scope a path needs, and whether the key of a request has it."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import cast

from aiohttp import hdrs, web
from multidict import istr

from streaming.http import sessions
from streaming.http.access import Cause, Refusal
from streaming.http.keys import InvalidFormat, Key, Keys, Scope, read_id
from streaming.http.request import Request

#: The header in which Binance's clients send their key.
API_KEY_HEADER = istr("X-MBX-APIKEY")
BEARER = "bearer "

#: A path, or with a ``/`` at its end all paths that begin so, and the scope that it needs; None
#: if anybody may request it.
DeclaredScopes = Mapping[str, Scope | None]

NO_KEY = Refusal(401, "A key is needed: Authorization: Bearer ts_…", Cause.NO_KEY)
BAD_FORMAT = Refusal(401, "The key is not in the form ts_<id>_<43 characters>.", Cause.NO_KEY)
NOT_VALID = Refusal(401, "The key is not valid: it is unknown or has expired.", Cause.KEY)
NO_SESSION = Refusal(401, "The session is over: sign in again.", Cause.KEY)


class RouteScopes:
    """The scope that each path needs; a path that is not declared needs :attr:`Scope.OPS`."""

    def __init__(self, declared: DeclaredScopes) -> None:
        self.exact = {path: scope for path, scope in declared.items() if not _is_prefix(path)}
        self._prefixes = [(path, scope) for path, scope in declared.items() if _is_prefix(path)]

    def of(self, path: str) -> Scope | None:
        """Return the scope that a path needs, None if anybody may request it."""
        if path in self.exact:
            return self.exact[path]
        for prefix, scope in self._prefixes:
            if path.startswith(prefix):
                return scope
        return Scope.OPS

    def covers(self, path: str) -> bool:
        """Return whether a path is declared."""
        return path in self.exact or any(path.startswith(prefix) for prefix, _ in self._prefixes)


def _is_prefix(path: str) -> bool:
    return path.endswith("/") and path != "/"


class Admission:
    """Refuses requests whose key does not allow them. The keys may be replaced at any time."""

    def __init__(
        self,
        scopes: DeclaredScopes,
        *,
        public: Collection[Scope | None],
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        """``public`` are scopes that need no key."""
        self._scopes = RouteScopes(
            {path: None if scope in public else scope for path, scope in scopes.items()}
        )
        self.public = public
        self.keys = Keys()
        self._clock_s = clock_s

    def refusal(self, request: web.Request) -> Refusal | None:
        """Return why a request is refused; if it is not, return None and set its key."""
        scopes = self._scopes
        target = request.raw_path
        scope = scopes.exact[target] if target in scopes.exact else scopes.of(request.path)
        if scope is None:
            return None
        if scope is Scope.READ and request.method == hdrs.METH_OPTIONS:
            return None  # a browser asks so, without a key, whether it may send one
        key = self._find(request, scope)
        if isinstance(key, Refusal):
            return key
        if scope not in key.scopes:
            return _missing(key, scope)
        cast(Request, request).key = key
        return None

    def has_scope(self, request: web.Request, scope: Scope) -> bool:
        """Return whether the key that a request presents has a scope."""
        key = self._find(request, scope)
        return isinstance(key, Key) and scope in key.scopes

    def is_valid(self, key: Key, scope: Scope) -> bool:
        """Return whether a key that had a scope still has it."""
        now = self.keys.get(key.id, self._clock_s())
        return now is not None and now.digest == key.digest and scope in now.scopes

    def sign_in(self, text: str) -> str | Refusal:
        """Return a token for the cookie of who presents a key that may read."""
        key = self._find_text(text)
        if isinstance(key, Refusal):
            return key
        if Scope.READ not in key.scopes:
            return _missing(key, Scope.READ)
        return sessions.new_token(key, self._clock_s())

    def _find(self, request: web.Request, scope: Scope) -> Key | Refusal:
        header = request.headers.get
        text = header(hdrs.AUTHORIZATION)
        if text is not None and text[: len(BEARER)].lower() == BEARER:
            text = text[len(BEARER) :].strip()
        else:
            text = header(API_KEY_HEADER)
        if text is None:
            return self._find_session(request, scope)
        return self._find_text(text)

    def _find_text(self, text: str) -> Key | Refusal:
        try:
            key = self.keys.find(text, self._clock_s())
            return key or NOT_VALID._replace(key_id=read_id(text))
        except InvalidFormat:
            return BAD_FORMAT

    def _find_session(self, request: web.Request, scope: Scope) -> Key | Refusal:
        # A browser sends the cookie whoever asks it to, so it counts for reading only.
        if scope is not Scope.READ or request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            return NO_KEY
        token = request.cookies.get(sessions.COOKIE)
        if token is None:
            return NO_KEY
        return sessions.find_key(token, self.keys, self._clock_s()) or NO_SESSION


def _missing(key: Key, scope: Scope) -> Refusal:
    detail = f"The key {key.id} does not have the scope {scope}."
    return Refusal(403, detail, Cause.KEY, key.id)
