from collections.abc import Collection

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from streaming.http.access import Cause, Refusal
from streaming.http.admission import Admission, RouteScopes
from streaming.http.keys import Scope, line_of, new_key, parse
from streaming.http.request import key_of
from streaming.http.sessions import COOKIE, DURATION_S

DECLARED = {
    "/healthz": None,
    "/send": Scope.WRITE,
    "/api/": Scope.READ,
    "/ws": Scope.READ,
    "/": Scope.READ,
    "/metrics": Scope.OPS,
}
KEYS = {scope: new_key(f"k-{scope}") for scope in Scope}
NOW_S = 1_800_000_000.0


class Clock:
    """Says what time it is."""

    now_s = NOW_S


def admission(public: Collection[Scope] = (), clock: type[Clock] = Clock) -> Admission:
    made = Admission(DECLARED, public=public, clock_s=lambda: clock.now_s)
    lines = [line_of(key, scope, {}) for scope, key in KEYS.items()]
    made.keys = parse("\n".join(lines).encode())
    return made


def ask(method: str, path: str, headers: dict[str, str] | None = None) -> web.Request:
    return make_mocked_request(method, path, headers or {})


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def status(refusal: Refusal | None) -> tuple[int, Cause | None]:
    return (refusal.status, refusal.cause) if refusal else (200, None)


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        *(("/healthz", None), ("/send", Scope.WRITE), ("/", Scope.READ), ("/ws", Scope.READ)),
        *(("/api/v3/ping", Scope.READ), ("/metrics", Scope.OPS), ("/api", Scope.OPS)),
        *(
            ("/nowhere", Scope.OPS),
            ("/healthz/", Scope.OPS),
            ("//healthz", Scope.OPS),
            ("", Scope.OPS),
        ),
        *(("/HEALTHZ", Scope.OPS), ("/ws/x", Scope.OPS), ("*", Scope.OPS)),
    ],
)
def test_a_path_that_is_not_declared_needs_the_most(path: str, scope: Scope | None) -> None:
    assert RouteScopes(DECLARED).of(path) is scope


def test_each_scope_opens_its_routes_only() -> None:
    for method, path, needed in (
        ("POST", "/send", Scope.WRITE),
        ("GET", "/api/v3/klines?symbol=A", Scope.READ),
        ("GET", "/?coin=A", Scope.READ),
        ("GET", "/metrics", Scope.OPS),
        ("GET", "/nowhere", Scope.OPS),
    ):
        for scope, key in KEYS.items():
            for headers in (
                bearer(key),
                {"X-MBX-APIKEY": key},
                {"authorization": f"BEARER  {key}"},
            ):
                request = ask(method, path, headers)
                refusal = admission().refusal(request)
                if scope is needed:
                    assert refusal is None
                    found = key_of(request)
                    assert found
                    assert found.id == f"k-{scope}"
                else:
                    assert status(refusal) == (403, Cause.KEY)
                    assert refusal
                    assert refusal.key_id == f"k-{scope}"
        assert status(admission().refusal(ask(method, path))) == (401, Cause.NO_KEY)


def test_what_is_open_needs_no_key_and_looks_at_none() -> None:
    for path in ("/healthz", "/healthz?x=1", "http://localhost/healthz"):
        request = ask("GET", path, bearer("nonsense"))
        assert admission().refusal(request) is None
        assert key_of(request) is None
    public = admission(public=[Scope.READ])
    assert public.refusal(ask("GET", "/api/v3/ping", {"X-MBX-APIKEY": "a Binance key"})) is None
    assert status(public.refusal(ask("POST", "/send"))) == (401, Cause.NO_KEY)
    assert status(public.refusal(ask("GET", "/metrics"))) == (401, Cause.NO_KEY)


def test_a_browser_asks_without_a_key_whether_it_may_send_one() -> None:
    assert admission().refusal(ask("OPTIONS", "/api/v3/ping")) is None
    assert status(admission().refusal(ask("OPTIONS", "/send"))) == (401, Cause.NO_KEY)


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        (bearer(new_key("k-write")), Cause.KEY),
        (bearer(new_key("unknown")), Cause.KEY),
        (bearer("ts_k-write_short"), Cause.NO_KEY),
        (bearer(""), Cause.NO_KEY),
        ({"Authorization": "Basic YTpi"}, Cause.NO_KEY),
        ({"X-MBX-APIKEY": KEYS[Scope.WRITE][:-1]}, Cause.NO_KEY),
        ({"Cookie": f"key={KEYS[Scope.WRITE]}"}, Cause.NO_KEY),
    ],
)
def test_what_is_no_key_is_answered_401(headers: dict[str, str], cause: Cause) -> None:
    assert status(admission().refusal(ask("POST", "/send", headers))) == (401, cause)


def test_a_key_in_the_address_does_not_count() -> None:
    key = KEYS[Scope.WRITE]
    for path in (f"/send?apiKey={key}", f"/send?X-MBX-APIKEY={key}&Authorization=Bearer%20{key}"):
        assert status(admission().refusal(ask("POST", path))) == (401, Cause.NO_KEY)


def test_another_scheme_of_a_proxy_leaves_room_for_the_other_header() -> None:
    headers = {"Authorization": "Basic YTpi", "X-MBX-APIKEY": KEYS[Scope.WRITE]}
    assert admission().refusal(ask("POST", "/send", headers)) is None


def test_a_session_reads_and_does_nothing_else() -> None:
    made = admission()
    token = made.sign_in(KEYS[Scope.READ])
    assert isinstance(token, str)
    cookie = {"Cookie": f"a=b; {COOKIE}={token}; c"}
    for method in ("GET", "HEAD"):
        for path in ("/", "/ws", "/api/v3/ping"):
            assert made.refusal(ask(method, path, cookie)) is None
    for method, path in (
        ("POST", "/send"),
        ("GET", "/send"),
        ("POST", "/api/v3/order"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
    ):
        assert status(made.refusal(ask(method, path, cookie))) == (401, Cause.NO_KEY)
    wrong = {"Cookie": f"{COOKIE}={token[:-1]}"}
    assert status(made.refusal(ask("GET", "/", wrong))) == (401, Cause.KEY)


def test_a_session_ends() -> None:
    class Later(Clock):
        pass

    made = admission(clock=Later)
    cookie = {"Cookie": f"{COOKIE}={made.sign_in(KEYS[Scope.READ])}"}
    assert made.refusal(ask("GET", "/", cookie)) is None
    Later.now_s = NOW_S + DURATION_S
    assert status(made.refusal(ask("GET", "/", cookie))) == (401, Cause.KEY)


def test_only_who_may_read_signs_in() -> None:
    made = admission()
    for text in (KEYS[Scope.WRITE], KEYS[Scope.OPS], new_key("k-read"), "", "x"):
        assert isinstance(made.sign_in(text), Refusal)


def test_keys_may_be_replaced_at_any_time() -> None:
    made = admission()
    request = ask("POST", "/send", bearer(KEYS[Scope.WRITE]))
    assert made.refusal(request) is None
    key = key_of(request)
    assert key
    assert made.is_valid(key, Scope.WRITE)
    assert not made.is_valid(key, Scope.READ)
    made.keys = parse(line_of(new_key("k-write"), "write", {}).encode())
    assert not made.is_valid(key, Scope.WRITE)
    assert status(made.refusal(request)) == (401, Cause.KEY)


def test_who_has_a_scope_is_known_where_it_is_not_needed() -> None:
    made = admission()
    assert made.has_scope(ask("GET", "/readyz", bearer(KEYS[Scope.OPS])), Scope.OPS)
    for headers in ({}, bearer("x"), bearer(KEYS[Scope.READ]), bearer(new_key("k-ops"))):
        assert not made.has_scope(ask("GET", "/readyz", headers), Scope.OPS)
