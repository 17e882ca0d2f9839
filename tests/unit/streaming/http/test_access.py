import time

import pytest

from streaming.http.access import (
    CACHED_DECISIONS_MAX,
    QUOTED_MAX_CHARS,
    Access,
    ReadOrigins,
    host_name,
    is_loopback,
    target_host,
)

OURS = ("localhost", "Trades.Example")
PAGE = "https://page.example"
EVIL = "https://evil.example"
#: Above the longest that aiohttp reads.
LONG = 10_000
#: For what takes a hundredth of it; a minute if the time grew with the square of the length.
LIMIT_S = 10.0


def status(
    method: str = "GET",
    host: str | None = "localhost:3000",
    origin: str | None = None,
    site: str | None = None,
    read_origins: tuple[str, ...] = ("*",),
) -> int:
    """Return the status of the refusal, or 200."""
    refusal = Access(OURS, read_origins).refusal(method, host, origin, site)
    return refusal.status if refusal else 200


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:3000", "LOCALHOST", "localhost.", "localhost.:80", "localhost:"),
        *("trades.example", "TRADES.example:443"),
        *("127.0.0.1", "127.0.0.1:3000", "10.1.2.3", "203.0.113.9:80"),
        *("[::1]", "[::1]:3000", "[2001:DB8::7]:80", "[::ffff:127.0.0.1]"),
    ],
)
def test_our_names_and_all_addresses_pass(host: str) -> None:
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:3000", "localhost.evil.example", "evil-localhost"),
        *("evil@localhost", "localhost@evil.example", "evil.example:80@localhost"),
        *("localhost:80:80", "localhost:http", "localhost:-1", "localhost:999999", "localhost.."),
        *("localhost,evil.example", "localhost evil.example", "localhost/", "localhost#", "a\\b"),
        *("[::1", "::1", "[::1]evil.example", "[localhost]", "[evil.example]", "[]", "[::g]"),
        *("127.0.0.1.evil.example", "127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "1.2.3.4.5"),
        *("", ".", ":", ":3000", " localhost", "localhost\t", "ｌocalhost", "localhost\udcff"),
    ],
)
def test_any_other_host_is_refused(host: str) -> None:
    assert status(host=host) == 421


def test_no_host_at_all_passes() -> None:
    assert status(host=None) == 200
    assert status("POST", host=None) == 200
    assert status("POST", host=None, origin=EVIL) == 403


def test_the_refusal_names_the_setting() -> None:
    refusal = Access(OURS, ["*"]).refusal("GET", "evil.example", None, None)
    assert refusal is not None
    assert "HTTP_ALLOWED_HOSTS" in refusal.detail
    assert '"evil.example"' in refusal.detail
    refusal = Access(OURS, [PAGE]).refusal("GET", "localhost", EVIL, None)
    assert refusal is not None
    assert "READ_ORIGINS" in refusal.detail


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "CONNECT"])
@pytest.mark.parametrize(
    ("origin", "site"),
    [
        *(
            (EVIL, None),
            ("null", None),
            ("http://localhost", None),
            ("http://localhost:3001", None),
        ),
        *(("", None), ("localhost:3000", None), ("http://localhost:3000.evil.example", None)),
        *(("http://evil@localhost:3000", None), ("http://127.0.0.1:3000", "same-site")),
        *((None, "cross-site"), ("http://localhost:3000", "cross-site")),
    ],
)
def test_a_foreign_page_may_not_write(method: str, origin: str | None, site: str | None) -> None:
    assert status(method, origin=origin, site=site) == 403
    assert status(method, origin=origin, site=site, read_origins=(EVIL,)) == 403


@pytest.mark.parametrize("site", [None, "same-origin", "none"])
@pytest.mark.parametrize(
    "origin", [None, "http://localhost:3000", "https://localhost:3000", "HTTP://LOCALHOST:3000"]
)
def test_our_own_pages_and_programs_may_write(origin: str | None, site: str | None) -> None:
    assert status("POST", origin=origin, site=site) == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_who_may_read_is_a_setting(method: str) -> None:
    for origin in (None, EVIL, "null", "http://localhost:3000"):
        assert status(method, origin=origin, site="cross-site") == 200
    for origin in (None, PAGE, "HTTPS://Page.Example", "http://localhost:3000"):
        assert status(method, origin=origin, read_origins=(PAGE,)) == 200
    for origin in (EVIL, "null", "", f"{PAGE}.evil.example", "http://page.example"):
        assert status(method, origin=origin, read_origins=(PAGE,)) == 403


def test_browsers_are_told_who_may_read() -> None:
    allow = "Access-Control-Allow-Origin"
    everybody = ReadOrigins(["*"])
    assert everybody.headers(None) == everybody.headers(EVIL) == {allow: "*"}
    some = ReadOrigins([PAGE, "http://other.example"])
    assert some.headers(PAGE) == {allow: PAGE, "Vary": "Origin"}
    assert some.headers(None) == some.headers(EVIL) == {"Vary": "Origin"}
    assert some.preflight(PAGE)[allow] == PAGE
    assert allow not in some.preflight(EVIL)
    assert "X-MBX-APIKEY" in some.preflight(PAGE)["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("target", "host"),
    [
        *(("/", None), ("/a?b=http://evil.example", None), ("//evil.example/", None), ("*", None)),
        *(("http://evil.example/a", "evil.example"), ("http://evil.example?a", "evil.example")),
        *(("HTTP://Evil.Example:80", "Evil.Example:80"), ("evil.example:443", "evil.example:443")),
        *(
            ("http://evil@localhost/", "evil@localhost"),
            ("http:///a", ""),
            ("http://[::1]:3/", "[::1]:3"),
        ),
    ],
)
def test_the_target_may_name_the_host_too(target: str, host: str | None) -> None:
    assert target_host(target) == host


@pytest.mark.parametrize(
    "host",
    [
        *("a" * LONG, "." * LONG, ":" * LONG, "[" * LONG, "[" + ":" * LONG, "a:" * LONG),
        *("localhost" + "." * LONG, "localhost:" + "0" * LONG, "1." * LONG, "[" + "1" * LONG + "]"),
    ],
)
def test_a_long_host_is_refused_at_once(host: str) -> None:
    access = Access(OURS, ["*"])
    start = time.process_time()
    for number in range(100):
        refusal = access.refusal("GET", f"{host}{number}", None, None)
        assert refusal is not None
        assert len(refusal.detail) < 2 * QUOTED_MAX_CHARS
        assert host_name(host) == ""
        assert target_host(f"http://{host}") == host
    assert time.process_time() - start < LIMIT_S


def test_strangers_cannot_fill_the_memory_with_verdicts() -> None:
    access = Access(OURS, ["*"])
    for number in range(10 * CACHED_DECISIONS_MAX):
        access.refusal("GET", f"{number}.example", EVIL, None)
        access.refusal("GET", "localhost", f"https://{number}.example", None)
    assert access.refusal.cache_info().currsize == CACHED_DECISIONS_MAX


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "::1"])
def test_this_machine_is_reached_from_itself_only(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "localhost.example", "trades", "", "127.1"],
)
def test_any_other_host_is_beyond_this_machine(host: str) -> None:
    assert not is_loopback(host)
