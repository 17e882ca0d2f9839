"""Who may do what: keys, scopes, coins and rates, before both programs."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

import chart_app.main
import trading_app.main
from dev.environment import clean_environment
from dev.local_kafka import LocalKafka
from streaming.http.admission import DeclaredScopes, RouteScopes
from streaming.http.keys import Scope, new_key, parse
from tests import forks
from tests.conftest import Cluster, StartProgram, make_cluster
from tests.integration.test_access import UPGRADE, WEB_APPS, Answer, request, routes, send
from tests.key_file import KeyFile
from tests.programs import ROOT, Program
from tests.records import read_all
from tests.waiting import PATIENCE_S, eventually, wait_for

SCOPES: dict[str, DeclaredScopes] = {
    "trading_app": trading_app.main.ROUTE_SCOPES,
    "chart_app": chart_app.main.ROUTE_SCOPES,
}
COMMON = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/"}
#: Beyond loopback, so that it is a start that needs keys.
ANYWHERE = {"HTTP_HOST": "0.0.0.0", "HTTP_ALLOWED_HOSTS": "localhost"}


class Scene(NamedTuple):
    """Both programs, with keys, and reading that is not public."""

    cluster: Cluster
    keys: KeyFile
    programs: dict[str, Program]
    #: A key for each scope.
    of: dict[Scope, str]

    @property
    def trading(self) -> Program:
        """Return trading_app."""
        return self.programs["trading_app"]

    @property
    def chart(self) -> Program:
        """Return chart_app."""
        return self.programs["chart_app"]


@pytest.fixture(scope="module")
def scene(kafka: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Run both programs once, at DEBUG; the keys change meanwhile."""
    folder = tmp_path_factory.mktemp("keys")
    keys = KeyFile(folder / "api.keys")
    of = {scope: keys.add(f"all-{scope}", scope) for scope in Scope}
    cluster = make_cluster(kafka)
    settings = {
        **cluster.settings,
        **ANYWHERE,
        "API_KEYS_FILE": str(keys.path),
        "PUBLIC_READ": "false",
        "LOG_LEVEL": "DEBUG",
    }
    with (
        Program("trading_app", folder, settings) as trading,
        Program("chart_app", folder, settings) as chart,
    ):
        programs = {it.package: it.wait_ready() for it in (trading, chart)}
        yield Scene(cluster, keys, programs, of)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def post(scene: Scene, key: str | None, coin: str = "BTC", **more: Any) -> Answer:
    """Post a trade."""
    trade = {"topic": scene.cluster.topic, "coinName": coin, "price": 1, "numOfCoin": 2, **more}
    headers = {"Content-Type": "application/json", **(bearer(key) if key else {})}
    body = json.dumps(trade).encode()
    return await request(scene.trading, "POST", "/send-trading-data", headers, body)


async def post_list(scene: Scene, key: str, *coins: str) -> Answer:
    """Post a list of trades."""
    trades = [{"coinName": coin, "price": 1, "numOfCoin": 2} for coin in coins]
    headers = {"Content-Type": "application/json", **bearer(key)}
    return await request(scene.trading, "POST", "/trades", headers, json.dumps(trades).encode())


async def becomes(scene: Scene, key: str, status: int, coin: str = "BTC") -> None:
    """Wait until a trade that is posted with a key is answered so."""

    async def is_answered_so() -> bool:
        return (await post(scene, key, coin)).status == status

    await eventually(is_answered_so, f"the key is answered {status}")


@pytest.mark.parametrize("package", WEB_APPS)
def test_every_route_declares_its_scope(package: str) -> None:
    declared = RouteScopes({**SCOPES[package], **dict.fromkeys(COMMON)})
    for _, path in routes(WEB_APPS[package]):
        assert declared.covers(path), path


@pytest.mark.parametrize("package", WEB_APPS)
async def test_every_route_but_the_open_ones_asks_for_a_key(scene: Scene, package: str) -> None:
    program = scene.programs[package]
    opened = set()
    for method, path in [*routes(WEB_APPS[package]), ("GET", "/nowhere"), ("PUT", "/metrics")]:
        upgrade = UPGRADE if path.startswith(("/ws", "/stream")) else {}
        answers = [
            await request(program, method, path, {**upgrade, **headers})
            for headers in ({}, bearer(new_key("unknown")), bearer("x"))
        ]
        statuses = {answer.status for answer in answers}
        if path == "/" and package == "chart_app":
            assert statuses == {303}
            assert {answer.headers["location"] for answer in answers} == {"/login"}
        elif statuses == {401}:
            for answer in answers:
                assert answer.headers["www-authenticate"] == "Bearer"
                answer.check_headers()
        else:
            assert 401 not in statuses
            opened.add(path if not path.startswith("/page/") else "/page/")
            if method != "OPTIONS":
                continue
            assert path.lstrip("/").startswith(("api/", "udf/", "widgets.json"))
            assert statuses == {204}
            opened.remove(path)
    assert opened == {"/healthz", "/readyz"} | ({"/page/"} if package == "chart_app" else set())


@pytest.mark.parametrize(
    "target",
    [
        *(
            "/metrics",
            "/metrics/",
            "//metrics",
            "/./metrics",
            "/METRICS",
            "/%6detrics",
            "/metrics?",
        ),
        *("/page/../metrics", "/page/%2e%2e/metrics", "/page/..%2fmetrics", "/healthz/../metrics"),
        *("/healthz?/metrics", "/metrics?/healthz", "/metrics#/healthz", "/metrics%00/healthz"),
        *("http://localhost/metrics", "http://localhost//metrics", "/page//metrics", "/;/metrics"),
    ],
)
async def test_no_way_of_writing_a_path_leads_around_its_scope(scene: Scene, target: str) -> None:
    for program in scene.programs.values():
        answer = await send(program, f"GET {target} HTTP/1.1", "Host: localhost")
        assert b"process_cpu_seconds" not in answer.body
        assert answer.status in {400, 401, 404} or target == "/healthz?/metrics"


async def test_a_key_does_what_its_scopes_say(scene: Scene) -> None:
    asked = {
        Scope.WRITE: [(scene.trading, "POST", "/send-trading-data")],
        Scope.READ: [
            *((scene.chart, "GET", it) for it in ("/api/v3/ping", "//api/v1/ping/")),
            (scene.chart, "GET", "/udf/time"),
            (scene.chart, "GET", "/widgets.json"),
            (scene.chart, "GET", "/docs"),
            (scene.trading, "GET", "/openapi.json"),
        ],
        Scope.OPS: [(it, "GET", "/metrics") for it in scene.programs.values()],
        Scope.BACKDATE: [],
    }
    for needed, pages in asked.items():
        for program, method, path in pages:
            for scope, key in scene.of.items():
                for headers in (bearer(key), {"X-MBX-APIKEY": key}):
                    status = (await request(program, method, path, headers)).status
                    # What may be sent is empty.
                    good = 415 if method == "POST" else 200
                    assert status == (good if scope is needed else 403), (path, scope)


async def test_binances_codes_are_under_api(scene: Scene) -> None:
    ping = (scene.chart, "GET", "/api/v3/ping")
    spelled = (scene.chart, "GET", "//api/v1/ping/")
    assert json.loads((await request(*spelled)).body)["code"] == -2014
    for headers, status, code in (
        ({}, 401, -2014),
        ({"X-MBX-APIKEY": "x" * 64}, 401, -2014),
        ({"X-MBX-APIKEY": new_key("unknown")}, 401, -2015),
        ({"X-MBX-APIKEY": scene.of[Scope.WRITE]}, 403, -2015),
    ):
        answer = await request(*ping, headers)
        assert answer.status == status
        assert json.loads(answer.body)["code"] == code
    answer = await request(scene.chart, "GET", "/udf/config")
    assert json.loads(answer.body).keys() == {"s", "errmsg"}


async def test_a_websocket_is_refused_before_it_opens(scene: Scene) -> None:
    for path in ("/ws", "/ws/btc@trade", "/stream?streams=btc@trade", "/ws-api/v3"):
        assert (await request(scene.chart, "GET", path, UPGRADE)).status == 401
        wrong = {**UPGRADE, **bearer(scene.of[Scope.WRITE])}
        assert (await request(scene.chart, "GET", path, wrong)).status == 403
        right = {**UPGRADE, **bearer(scene.of[Scope.READ])}
        assert (await request(scene.chart, "GET", path, right)).status == 101
        foreign = {**right, "Origin": "https://evil.example"}
        assert (await request(scene.chart, "GET", path, foreign)).status == 403


@pytest.mark.parametrize(
    ("path", "method", "result"),
    [("/ws", "LIST_SUBSCRIPTIONS", []), ("/ws-api/v3", "ping", {})],
)
async def test_a_websocket_ends_with_its_key(
    scene: Scene, path: str, method: str, result: Any
) -> None:
    key = scene.keys.add("viewer", "read", rate="1")
    url = f"{scene.chart.url}{path}"
    async with aiohttp.ClientSession(headers=bearer(key)) as http:

        async def is_known() -> bool:
            async with http.get(f"{scene.chart.url}/api/v3/ping") as answer:
                return answer.status == 200

        await eventually(is_known, "the key is valid")
        async with http.ws_connect(url) as socket:
            scene.keys.change("viewer", "read,ops", rate="2")
            await asyncio.sleep(3)  # the file is read again each second
            await socket.send_json({"method": method, "id": 1})
            assert (await socket.receive_json(timeout=PATIENCE_S))["result"] == result
            scene.keys.remove("viewer")
            message = await socket.receive(PATIENCE_S)
            assert message.type == aiohttp.WSMsgType.CLOSE
            assert (message.data, message.extra) == (1008, "the key is no longer valid")


async def test_a_refusal_is_logged_with_the_id_of_its_key_and_nothing_more_of_it(
    scene: Scene, cluster: Cluster, start: StartProgram
) -> None:
    settings = {
        **cluster.settings,
        "API_KEYS_FILE": str(scene.keys.path),
        "PUBLIC_READ": "false",
        "LOG_LEVEL": "DEBUG",
    }
    chart = start("chart_app", settings).wait_ready()
    key = scene.of[Scope.WRITE]
    # There are at most 60 of these lines a minute.
    assert (await request(chart, "GET", f"/api/v3/ping?apiKey={key}")).status == 401
    assert (await request(chart, "GET", "/metrics", bearer(key))).status == 403
    assert (await request(chart, "GET", "/metrics", {"X-MBX-APIKEY": f"{key}\x00"})).status == 400
    assert (await request(chart, "GET", f"/docs/{key}", bearer(scene.of[Scope.READ]))).status == 404
    assert (await request(chart, "POST", "/login", {}, f"key={key}".encode())).status == 403
    form = f"key={scene.of[Scope.READ]}".encode()
    assert (await request(chart, "POST", "/login", {}, form)).status == 303

    def lines() -> list[str]:
        return [it for it in chart.log().split("\n") if " access refused " in it]

    wait_for(lambda: len(lines()) == 3, "the refusals are logged")
    in_address, in_header, at_login = lines()
    assert 'target="/api/v3/ping?apiKey=ts_all-write_…"' in in_address.replace("\\u2026", "…")
    assert in_header.endswith(" client=127.0.0.1 key=all-write")
    assert at_login.endswith(" client=127.0.0.1 key=all-write")
    for secret in scene.of.values():
        assert secret[-20:] not in chart.log()


async def sign_in(scene: Scene, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    """Send the form for the key."""
    return await request(scene.chart, "POST", "/login?coin=A&interval=1m", headers, body)


async def test_a_form_gives_a_cookie_for_a_key(scene: Scene) -> None:
    key = scene.of[Scope.READ]
    answer = await sign_in(scene, f"key=+{key}%0A".encode())
    assert (answer.status, answer.headers["location"]) == (303, "/?coin=A&interval=1m")
    answer.check_headers()
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert {it.lower() for it in attributes} == {
        *("httponly", "secure", "path=/", "samesite=strict", "max-age=604800"),
    }
    assert cookie.startswith("__Host-key=all-read.")
    assert key[-20:] not in cookie
    for path in ("/", "/api/v3/ping", "/docs", "/ws"):
        upgrade = UPGRADE if path == "/ws" else {}
        status = (await request(scene.chart, "GET", path, {"Cookie": cookie, **upgrade})).status
        assert status == (101 if upgrade else 200)
    assert (await request(scene.chart, "GET", "/metrics", {"Cookie": cookie})).status == 401
    answer = await request(scene.chart, "POST", "/logout", {"Cookie": cookie})
    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert answer.headers["set-cookie"].startswith('__Host-key="";')
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_a_form_without_a_valid_key_gives_none(scene: Scene) -> None:
    key = scene.of[Scope.READ]
    for body, status in (
        *((it, 403) for it in (b"", b"key=", b"key=x", b"\xff", b"=&=&;", b"kEy=" + key.encode())),
        *((f"key={it}".encode(), 403) for it in (new_key("all-read"), scene.of[Scope.WRITE])),
        (b"a=1&" * 200, 403),
        (b"key=" + b"x" * 1100, 413),
    ):
        answer = await sign_in(scene, body)
        assert (answer.status, "set-cookie" in answer.headers) == (status, False), body
        answer.check_headers()
    form = f"key={key}".encode()
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await sign_in(scene, form, headers)).status == 403
        assert (await request(scene.chart, "POST", "/logout", headers)).status == 403
    own = {"Origin": f"http://localhost:{scene.chart.port}"}
    assert (await sign_in(scene, form, own)).status == 303


async def test_the_form_leads_nowhere_else(scene: Scene) -> None:
    form = f"key={scene.of[Scope.READ]}".encode()
    for query in ("//evil.example", "%0d%0aSet-Cookie:a=b", "next=https://evil.example", "?"):
        answer = await request(scene.chart, "POST", f"/login?{query}", {}, form)
        assert answer.headers["location"] == f"/?{query}"
        assert answer.headers["set-cookie"].startswith("__Host-key=")
        answer = await request(scene.chart, "GET", f"/?{query}")
        assert (answer.status, answer.headers["location"]) == (303, f"/login?{query}")
    policy = (await request(scene.chart, "GET", "/login")).headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert "script-src 'self';" in policy
    assert "connect-src" not in policy
    key = scene.of[Scope.READ]
    page = (await request(scene.chart, "GET", "/", bearer(key))).headers
    assert "form-action 'none'" in page["content-security-policy"]


async def test_keys_change_without_a_restart(scene: Scene) -> None:
    old = scene.keys.add("feeder", "write")
    await becomes(scene, old, 201)
    new = scene.keys.add("feeder-2", "write")
    await becomes(scene, new, 201)
    assert (await post(scene, old)).status == 201  # both, during a rotation
    scene.keys.remove("feeder")
    await becomes(scene, old, 401)
    assert (await post(scene, new)).status == 201
    scene.keys.write("feeder-2 is no key")
    wait_for(
        lambda: "API_KEYS_FILE: line " in scene.trading.log(), "what is wrong with it is logged"
    )
    assert (await post(scene, new)).status == 201
    scene.keys.change("feeder-2", "write", expires="2026-01-01")
    await becomes(scene, new, 401)
    scene.keys.change("feeder-2", "write", coins="ETH*")
    await becomes(scene, new, 403)
    scene.keys.remove("feeder-2")


async def test_a_key_writes_its_coins_only(scene: Scene) -> None:
    key = scene.keys.add("some-coins", "write", coins="ETH*,XR?")
    await becomes(scene, key, 201, "ETH-USD")
    answer = await post(scene, key, "BTC")
    assert (answer.status, answer.problem()["status"]) == (403, 403)
    assert "some-coins" in answer.problem()["detail"]
    assert (await post(scene, key, "BTC", price=-1)).status == 422
    answer = await post_list(scene, key, "BTC", "ETH", "SOL", "", "XRP")
    assert answer.status == 207
    counts = json.loads(answer.body)
    assert (counts["accepted"], counts["rejected"]) == (2, 3)
    assert [(it["index"], it["errors"][0]["field"]) for it in counts["errors"]] == [
        (0, "coinName"),
        (2, "coinName"),
        (3, "coinName"),
    ]
    assert (await post_list(scene, key, "BTC", "SOL")).status == 422
    sent = [record.key for record in await read_all(scene.cluster)]
    assert [sent.count(coin) for coin in (b"ETH", b"XRP", b"SOL")] == [1, 1, 0]


async def test_a_key_has_a_rate_of_its_own(scene: Scene) -> None:
    slow = scene.keys.add("slow", "write", rate="1")
    free = scene.keys.add("free", "write")
    await becomes(scene, free, 201)
    await becomes(scene, slow, 201)

    async def is_over() -> Answer | None:
        answers = await asyncio.gather(*(post(scene, slow) for _ in range(5)))
        return next((it for it in answers if it.status == 429), None)

    answer = await eventually(is_over, "it has sent too much")
    assert answer
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.problem()["detail"] == "The key slow may send 1 trades a second."
    assert (await post(scene, free)).status == 201


async def test_the_id_of_the_key_goes_with_the_trade(scene: Scene) -> None:
    key = scene.of[Scope.WRITE]
    assert (await post(scene, key, "KEYED")).status == 201
    assert (await post_list(scene, key, "KEYED", "KEYED")).status == 201
    found = [record for record in await read_all(scene.cluster) if record.key == b"KEYED"]
    assert [record.headers for record in found] == [(("key-id", b"all-write"),)] * 3


async def test_why_it_is_not_ready_is_for_operators(
    cluster: Cluster, start: StartProgram, tmp_path: Path
) -> None:
    keys = KeyFile(tmp_path / "api.keys")
    ops, other = keys.add("ops", "ops"), keys.add("other", "write,read")
    settings = {
        **cluster.settings,
        "KAFKA_CLIENT_BOOTSTRAP_SERVER": "127.0.0.1:1",
        "API_KEYS_FILE": str(keys.path),
    }
    trading = start("trading_app", settings)

    async def answers(headers: dict[str, str]) -> Any:
        try:
            answer = await request(trading, "GET", "/readyz", headers)
        except OSError:
            return None
        return answer.status, json.loads(answer.body)

    async def listens() -> Any:
        return await answers({})

    unavailable = {"status": "unavailable"}
    assert await eventually(listens, "it listens") == (503, unavailable)
    assert await answers(bearer(other)) == (503, unavailable)
    assert await answers(bearer("x")) == (503, unavailable)
    reasons = {"reasons": ["Kafka has not answered yet"]}
    assert await answers(bearer(ops)) == (503, {**unavailable, **reasons})
    assert (await request(trading, "GET", "/healthz")).status == 200


async def test_reading_is_public_unless_told_otherwise(
    cluster: Cluster, start: StartProgram, tmp_path: Path
) -> None:
    keys = KeyFile(tmp_path / "api.keys")
    chart = start("chart_app", {**cluster.settings, "API_KEYS_FILE": str(keys.path)}).wait_ready()
    for path in ("/api/v3/ping", "/udf/time", "/", "/docs", "/openapi.json"):
        answer = await request(chart, "GET", path, {"X-MBX-APIKEY": "some key of Binance's"})
        assert answer.status == 200, path
    assert (await request(chart, "GET", "/ws", UPGRADE)).status == 101
    assert (await request(chart, "GET", "/metrics")).status == 401
    assert (await request(chart, "GET", "/login")).status == 404
    assert b'id="session" hidden' in (await request(chart, "GET", "/")).body


@pytest.mark.parametrize("package", WEB_APPS)
def test_beyond_this_machine_nothing_starts_without_keys(
    cluster: Cluster, start: StartProgram, package: str
) -> None:
    for host in ("0.0.0.0", "::", "localhost.example"):
        program = start(package, {**cluster.settings, "HTTP_HOST": host})
        assert program.wait() == 1
        (line,) = program.log().splitlines()
        assert f"HTTP_HOST={host} " in line
        assert "API_KEYS_FILE" in line
        program.log_file.unlink()


def test_beyond_this_machine_it_starts_with_keys_or_a_word(
    cluster: Cluster, start: StartProgram
) -> None:
    settings = {**cluster.settings, **ANYWHERE, "HTTP_ALLOW_ANONYMOUS": "true"}
    start("trading_app", settings).wait_ready()
    start("chart_app", {**cluster.settings, "HTTP_HOST": "localhost"}).wait_ready()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file or directory"),
        ("feeder 123 write", "line 1: the second word must be a SHA-256"),
    ],
)
def test_without_a_valid_file_of_keys_nothing_starts(
    cluster: Cluster, start: StartProgram, tmp_path: Path, content: str | None, why: str
) -> None:
    file = tmp_path / "api.keys"
    if content:
        file.write_text(content)
    program = start("chart_app", {**cluster.settings, "API_KEYS_FILE": str(file)})
    assert program.wait() == 1
    (line,) = program.log().splitlines()
    assert f"API_KEYS_FILE: {why}" in line.replace(f"{file} ", "")


def new_key_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``new-key``; the file of keys does not have to be there yet."""
    return forks.run(
        ["faust", "-A", "trading_app", "new-key", *arguments],
        cwd=ROOT,
        env={**clean_environment(), "API_KEYS_FILE": "/nowhere/keys", "HTTP_HOST": "0.0.0.0"},
        timeout_s=PATIENCE_S,
    )


def test_the_command_prints_a_key_and_its_line() -> None:
    options = ("--coins", "BTC*,ETH*", "--rate", "500", "--expires", "2027-01-31")
    done = new_key_command("feeder", "--scope", "write,read", "--scope", "backdate", *options)
    assert done.returncode == 0, done.stderr
    key, line = done.stdout.splitlines()
    found = parse(line.encode()).find(key, 0)
    assert found
    assert found.scopes == {Scope.WRITE, Scope.READ, Scope.BACKDATE}
    assert (found.coins, found.trades_per_s) == (("BTC*", "ETH*"), 500)
    assert key[-43:] not in line + done.stderr
    for wrong in (
        ("feed_er", "--scope", "write"),
        ("feeder", "--scope", "all"),
        ("feeder", "--scope", "write", "--rate", "many"),
        ("feeder",),
    ):
        done = new_key_command(*wrong)
        assert done.returncode != 0
        assert done.stdout == ""
        assert "Traceback" not in done.stderr


def test_no_key_stands_in_any_log(scene: Scene) -> None:
    """It is the last test of this file: what came before has used them all, at DEBUG."""
    for program in scene.programs.values():
        log = program.log()
        assert " DEBUG " in log
        assert "Traceback" not in log
        for key in scene.of.values():
            assert key[-20:] not in log
