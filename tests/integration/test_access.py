"""Which hosts and origins are answered, by both programs, on every route."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiohttp import web

import chart_app.main
import trading_app.main
from dev.local_kafka import LocalKafka
from streaming.logs import FLOOD_LINES
from tests.conftest import Cluster, StartProgram, make_cluster
from tests.programs import Program
from tests.records import read_all
from tests.waiting import PATIENCE_S, wait_for

EVIL = "https://evil.example"
PAGE = "https://page.example"
REBOUND = "evil.example:3000"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MTIzNDU2Nzg5MDEyMzQ1Ng==",
}
WEB_APPS = {
    "trading_app": trading_app.main.program().web_app,
    "chart_app": chart_app.main.program().web_app,
}


class Answer(NamedTuple):
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> Any:
        """Return its content, which says what the problem is."""
        assert self.headers["content-type"] == "application/problem+json", self
        return json.loads(self.body)

    def check_headers(self) -> None:
        """Fail the test if it lacks what every answer has."""
        assert self.headers["x-content-type-options"] == "nosniff", self
        assert "frame-ancestors 'none'" in self.headers["content-security-policy"], self


async def send(program: Program, *lines: str, body: bytes = b"") -> Answer:
    """Send a request as it stands, without what a client would add."""
    reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body)
        async with asyncio.timeout(PATIENCE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (it.split(": ", 1) for it in rest)}
            content = b""
            if not lines[0].startswith("HEAD "):
                content = await reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split()[1]), headers, content)
    finally:
        writer.close()


async def request(
    program: Program,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> Answer:
    """Send a request, with a Host of ours if the headers name none."""
    sent = {"Host": f"localhost:{program.port}", "Content-Length": str(len(body))}
    lines = map(": ".join, (sent | (headers or {})).items())
    return await send(program, f"{method} {path} HTTP/1.1", *lines, body=body)


async def post_trade(program: Program, topic: str, headers: dict[str, str]) -> Answer:
    """Post a trade as JSON."""
    trade = {"topic": topic, "coinName": "BTC", "price": 1, "numOfCoin": 2}
    headers = {"Content-Type": "application/json", **headers}
    return await request(program, "POST", "/send-trading-data", headers, json.dumps(trade).encode())


def routes(web_app: web.Application) -> list[tuple[str, str]]:
    """Return the method and an example of the path of each route."""
    found = []
    for route in web_app.router.routes():
        assert route.resource is not None
        found.append((route.method, route.resource.canonical.replace("{streams}", "btc@trade")))
    return found


@pytest.fixture(scope="module")
def shared(kafka: LocalKafka) -> Cluster:
    """Return one topic for this module's tests."""
    return make_cluster(kafka)


@pytest.fixture(scope="module")
def both(shared: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Program]]:
    """Run both programs once for all tests that leave them as they were."""
    folder = tmp_path_factory.mktemp("access")
    with (
        Program("trading_app", folder, shared.settings) as trading,
        Program("chart_app", folder, shared.settings) as chart,
    ):
        yield {it.package: it.wait_ready() for it in (trading, chart)}


@pytest.mark.parametrize("package", WEB_APPS)
async def test_every_route_refuses_a_foreign_host(both: dict[str, Program], package: str) -> None:
    asked = [
        *routes(WEB_APPS[package]),
        *(("GET", "/nowhere"), ("DELETE", "/healthz"), ("GET", "/send-trading-data")),
    ]
    assert len(asked) > 8
    for method, path in asked:
        answer = await request(both[package], method, path, {"Host": REBOUND})
        assert answer.status == 421, (method, path)
        answer.check_headers()
        if method != "HEAD":
            assert b"HTTP_ALLOWED_HOSTS" in answer.body
            assert b"evil.example" in answer.body


@pytest.mark.parametrize("package", WEB_APPS)
async def test_every_answer_forbids_guessing_and_framing(
    both: dict[str, Program], package: str
) -> None:
    for method, path in routes(WEB_APPS[package]):
        (await request(both[package], method, path)).check_headers()
    wrong = await request(both[package], "DELETE", "/healthz")
    assert wrong.status == 405
    assert wrong.headers["allow"] == "GET, HEAD"
    unknown = await request(both[package], "GET", "/nowhere")
    assert unknown.status == 404
    malformed = await send(both[package], "NONSENSE")
    assert malformed.status == 400
    too_long = await request(both[package], "GET", "/", {"A": "a" * 9000})
    assert too_long.status == 400
    unmet = await request(both[package], "GET", "/healthz", {"Expect": "a miracle"})
    assert unmet.status == 417
    for answer in (wrong, unknown, malformed, too_long, unmet):
        answer.check_headers()


async def test_a_websocket_refuses_a_foreign_host(both: dict[str, Program]) -> None:
    chart = both["chart_app"]
    for path in ("/ws", "/ws/btc@trade", "/stream?streams=btc@trade"):
        answer = await request(chart, "GET", path, {"Host": REBOUND, **UPGRADE})
        assert answer.status == 421
        answer = await request(chart, "GET", path, UPGRADE)
        assert answer.status == 101
        answer.check_headers()


async def test_each_api_refuses_in_its_own_form(both: dict[str, Program]) -> None:
    chart = both["chart_app"]
    answer = await request(chart, "GET", "/api/v3/ping", {"Host": REBOUND})
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body).keys() == {"code", "msg"}
    answer = await request(chart, "GET", "/udf/config", {"Host": REBOUND})
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body).keys() == {"s", "errmsg"}
    for path in ("/", "/healthz", "/apiary", "/nowhere/api/v3/ping"):
        problem = (await request(chart, "GET", path, {"Host": REBOUND})).problem()
        assert (problem["status"], problem["title"]) == (421, "Misdirected Request")


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        (("GET", "/api/v3/nowhere", {}), 404, -1020),
        (("GET", "/api", {}), 404, -1020),
        (("GET", "//api/v3/order", {}), 404, -1020),
        (("GET", "///api/v3/ping", {}), 404, -1020),
        (("GET", "/api/v2/ping", {}), 404, -1020),
        (("POST", "/api/v3/klines", {}), 405, -1020),
        (("DELETE", "//api/v1/klines/", {}), 405, -1020),
        (("GET", "/api/v3/ping", {"Host": REBOUND}), 421, -1002),
        (("GET", "//api/v3/ping", {"Host": REBOUND}), 421, -1002),
        (("POST", "/api/v3/ping", {"Origin": EVIL}), 403, -1002),
        (("GET", "/api/v3/ping", {"Expect": "a miracle"}), 417, -1000),
    ],
)
async def test_every_error_of_the_market_data_has_a_code_and_a_message(
    both: dict[str, Program], asked: tuple[str, str, dict[str, str]], status: int, code: int
) -> None:
    answer = await request(both["chart_app"], *asked)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert ("allow" in answer.headers) == (status == 405)
    content = json.loads(answer.body)
    assert content.keys() == {"code", "msg"}
    assert content["code"] == code
    assert content["msg"]


async def test_every_error_of_the_chart_has_its_form(both: dict[str, Program]) -> None:
    for path in ("/udf/nowhere", "//udf/nowhere"):
        answer = await request(both["chart_app"], "GET", path)
        assert answer.status == 404
        assert json.loads(answer.body).keys() == {"s", "errmsg"}
    (await request(both["chart_app"], "GET", "/nowhere")).problem()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "[::1]:3000", "203.0.113.7"])
async def test_an_address_is_no_foreign_host(both: dict[str, Program], host: str) -> None:
    for program in both.values():
        assert (await request(program, "GET", "/healthz", {"Host": host})).status == 200


async def test_the_target_of_a_request_is_looked_at_too(both: dict[str, Program]) -> None:
    program = both["trading_app"]
    for target, status in {
        "http://evil.example/healthz": 421,
        "http://localhost@evil.example/healthz": 421,
        "http://evil.example@localhost/healthz": 421,
        "http://localhost:3000/healthz": 200,
        "http://127.0.0.1/healthz": 200,
        "//evil.example/healthz": 404,  # a path
        "*": 404,
    }.items():
        method = "OPTIONS" if target == "*" else "GET"
        answer = await send(program, f"{method} {target} HTTP/1.1", "Host: localhost")
        assert answer.status == status, target
    answer = await send(program, "GET http://localhost/healthz HTTP/1.1", f"Host: {REBOUND}")
    assert answer.status == 421
    answer = await send(program, "CONNECT evil.example:443 HTTP/1.1", "Host: localhost")
    assert answer.status == 421


async def test_a_host_is_given_once(both: dict[str, Program]) -> None:
    program = both["trading_app"]
    get = "GET /healthz HTTP/1.1"
    assert (await send(program, get)).status == 400
    assert (await send(program, get, "Host: localhost", "Host: localhost")).status == 400
    assert (await send(program, get, "Host: localhost", f"Host: {REBOUND}")).status == 400
    assert (await send(program, get, "Host:")).status == 421
    assert (await send(program, get, "Host: evil@localhost")).status == 421
    assert (await send(program, get, "Host: localhost\udcff")).status == 421
    assert (await send(program, "GET /healthz HTTP/1.0")).status == 200
    assert (await send(program, "GET /healthz HTTP/1.0", f"Host: {REBOUND}")).status == 421


@pytest.mark.parametrize(
    "headers",
    [
        *({"Origin": EVIL}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}),
        *({"Host": REBOUND}, {"Host": REBOUND, "Origin": f"http://{REBOUND}"}),
        {"Origin": EVIL, "Content-Type": "application/x-www-form-urlencoded"},
    ],
)
async def test_a_foreign_page_sends_nothing(
    both: dict[str, Program], shared: Cluster, headers: dict[str, str]
) -> None:
    trading = both["trading_app"]
    before = len(await read_all(shared))
    status = 421 if "Host" in headers else 403
    answer = await post_trade(trading, shared.topic, headers)
    assert (answer.status, answer.problem()["status"]) == (status, status)
    trades = b'[{"coinName":"BTC","price":1,"numOfCoin":2}]'
    answer = await request(trading, "POST", "/trades", headers, trades)
    assert answer.status == status
    assert (await post_trade(trading, shared.topic, {})).status == 201  # none is still on its way
    assert len(await read_all(shared)) == before + 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_our_own_pages_send_trades(
    both: dict[str, Program], shared: Cluster, scheme: str
) -> None:
    trading = both["trading_app"]
    for host in (f"localhost:{trading.port}", f"127.0.0.1:{trading.port}", "LOCALHOST"):
        own = {"Host": host, "Origin": f"{scheme}://{host}", "Sec-Fetch-Site": "same-origin"}
        assert (await post_trade(trading, shared.topic, own)).status == 201


async def test_a_refused_body_is_not_taken_for_a_request(both: dict[str, Program]) -> None:
    smuggled = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    trading = both["trading_app"]
    reader, writer = await asyncio.open_connection("127.0.0.1", trading.port)
    head = f"POST /trades HTTP/1.1\r\nHost: evil.example\r\nContent-Length: {len(smuggled)}\r\n\r\n"
    writer.write(head.encode())
    await asyncio.sleep(0.1)
    writer.write(smuggled.encode())
    writer.write(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answers = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    assert b" 421 " in answers
    assert b" 200 " not in answers


async def test_any_page_may_read_while_that_is_public(both: dict[str, Program]) -> None:
    chart = both["chart_app"]
    for path in ("/api/v3/time", "//api/v1/klines", "/udf/config", "/udf/time", "/widgets.json"):
        answer = await request(chart, "GET", path, {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"})
        assert answer.headers["access-control-allow-origin"] == "*"
        preflight = await request(
            *(chart, "OPTIONS", path),
            {"Origin": EVIL, "Access-Control-Request-Headers": "x-mbx-apikey"},
        )
        assert (preflight.status, preflight.body) == (204, b"")
        assert preflight.headers["access-control-allow-origin"] == "*"
        assert "GET" in preflight.headers["access-control-allow-methods"]
        assert "X-MBX-TIME-UNIT" in preflight.headers["access-control-allow-headers"]
        assert "X-MBX-APIKEY" in preflight.headers["access-control-allow-headers"]
    answer = await request(chart, "GET", "/ws", {"Origin": EVIL, **UPGRADE})
    assert answer.status == 101
    preflight = await request(
        both["trading_app"], "OPTIONS", "/send-trading-data", {"Origin": EVIL}
    )
    assert preflight.status == 405
    assert "access-control-allow-origin" not in preflight.headers


async def test_who_may_read_and_what_we_are_called_are_settings(
    cluster: Cluster, start: StartProgram
) -> None:
    settings = {
        **cluster.settings,
        "READ_ORIGINS": f"{PAGE},http://other.example:8080",
        "HTTP_ALLOWED_HOSTS": "trades.example, chart_app",
    }
    chart = start("chart_app", settings).wait_ready()
    for host, status in {"Trades.Example:3001": 200, "chart_app": 200, "localhost": 421}.items():
        assert (await request(chart, "GET", "/healthz", {"Host": host})).status == status
    for path in ("/api/v3/time", "/udf/time", "/ws", "/healthz", "/docs", "/"):
        ours = {"Host": "trades.example", **(UPGRADE if path == "/ws" else {})}
        for method, origin in (("GET", EVIL), ("OPTIONS", "null")):
            answer = await request(chart, method, path, {**ours, "Origin": origin})
            assert answer.status == 403
        own = await request(chart, "GET", path, {**ours, "Origin": "https://trades.example"})
        listed = await request(chart, "GET", path, {**ours, "Origin": PAGE})
        assert own.status == listed.status != 403
        if path.endswith("/time"):
            assert listed.headers["access-control-allow-origin"] == PAGE
            assert listed.headers["vary"] == "Origin, Accept-Encoding"
            assert "access-control-allow-origin" not in own.headers
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(f"{chart.url}/ws", origin=EVIL)
        assert caught.value.status == 403
        async with http.ws_connect(f"{chart.url}/ws", origin=PAGE) as socket:
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            assert await socket.receive_json(timeout=PATIENCE_S) == {"result": [], "id": 1}


async def test_a_refusal_is_one_quoted_line_and_a_flood_is_logged_in_part(
    cluster: Cluster, start: StartProgram
) -> None:
    trading = start("trading_app", cluster.settings).wait_ready()
    forged = '"x\u202e status=200 \t'
    await request(trading, "POST", '/a"b', {"Host": "evil.example", "Origin": forged})

    def lines() -> list[str]:
        return [it for it in trading.log().split("\n") if " WARNING access " in it]

    (line,) = wait_for(lines, "the refusal is logged")
    assert line.endswith(
        ' WARNING access refused status=421 method=POST target="/a\\"b" host="evil.example" '
        r'origin="\"x\u202e status=200" client=127.0.0.1'
    )
    async with aiohttp.ClientSession(headers={"Host": "evil.example"}) as http:
        for _ in range(3 * FLOOD_LINES):
            async with http.get(f"{trading.url}/healthz") as answer:
                assert answer.status == 421
    assert len(lines()) <= FLOOD_LINES
