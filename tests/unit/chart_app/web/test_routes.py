"""How the page is served, and its parts that draw nothing."""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from chart_app.web import routes
from dev import npm
from tests.programs import ROOT

MODULES = [
    path.relative_to(routes.FOLDER).as_posix()
    for path in routes.FOLDER.rglob("*.js")
    if routes.PACKAGES not in path.parents
]
NODE_TIMEOUT_S = 600  # for a hang


class Addresses(HTMLParser):
    """All that a page loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what it names."""
        named = dict(attrs)
        address = named.get("src") or (named.get("href") if tag == "link" else None)
        if address:
            self.found.add(address)


@pytest.fixture
def charts(tmp_path: Path) -> Path:
    """Return a stand-in for the package of charts."""
    file = tmp_path / "charts.mjs"
    file.write_text("export const charts = 1;\n")
    return file


def client(charts: Path) -> "TestClient[web.Request, web.Application]":
    """Return a client of an app that has nothing but the page."""
    web_app = web.Application()
    routes.add_routes(web_app, routes.TradingApp(port=4000, topic="a&b"), charts)
    return TestClient(TestServer(web_app))


async def test_everything_the_page_loads_is_there(charts: Path) -> None:
    async with client(charts) as http:
        answer = await http.get("/")
        assert answer.content_type == "text/html"
        loaded = Addresses(await answer.text()).found
        for module in MODULES:
            names = re.findall(r'from "(\..+?)"', (routes.FOLDER / module).read_text())
            loaded |= {urljoin(f"/page/{module}", name) for name in ["", *names]}
        for address in loaded:
            answer = await http.get(address)
            assert answer.status == 200, address
            assert answer.content_type in routes.CONTENT_TYPES.values()


async def test_the_first_trade_goes_where_trading_app_listens(charts: Path) -> None:
    async with client(charts) as http:
        page = await (await http.get("/")).text()
    assert "curl localhost:4000/send-trading-data -d 'topic=a&amp;b&amp;coinName=" in page
    trading_app = routes.TradingApp(has_tls=True, has_keys=True)
    filled = trading_app.fill((routes.FOLDER / "index.html").read_bytes()).decode()
    key = "-H 'Authorization: Bearer ts_…'"
    assert f"curl https://localhost:3000/send-trading-data {key} -d" in filled


async def test_the_policy_forbids_what_is_inline_or_from_elsewhere(charts: Path) -> None:
    async with client(charts) as http:
        for address in ("/", "/page/icon.svg", "/page/app.js"):
            answer = await http.get(address)
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_has_not_changed_is_not_sent_again(charts: Path) -> None:
    async with client(charts) as http:
        answer = await http.get("/page/app.js")
        assert answer.headers["Cache-Control"] == "no-cache"
        tag = answer.headers["ETag"]
        again = await http.get("/page/app.js", headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["ETag"] == tag
        other = await http.get("/page/app.js", headers={"If-None-Match": '"other"'})
        assert other.status == 200


async def test_without_its_packages_the_page_says_what_to_run(tmp_path: Path) -> None:
    async with client(tmp_path / "missing.mjs") as http:
        answer = await http.get("/")
        assert answer.status == 503
        assert "python -m dev.npm chart_app/web/page" in await answer.text()


async def test_lock_files_and_packages_are_not_served(charts: Path) -> None:
    async with client(charts) as http:
        for name in (
            "package.json",
            "package-lock.json",
            "node_modules",
            "index.html",
            "node_modules/lightweight-charts/package.json",
        ):
            assert (await http.get(f"/page/{name}")).status == 404


def test_modules_have_no_mutable_state_of_their_own() -> None:
    """It stands in the store and in the objects that ``app.js`` makes."""
    state = re.compile(
        r"^(?:export )?(?:let|var)\b.*|^(?:export )?const .*= new (?!Intl\.).*", re.MULTILINE
    )
    assert {
        module: found
        for module in MODULES
        if (found := state.findall((routes.FOLDER / module).read_text()))
    } == {}


def test_the_modules_without_a_document_pass_their_own_tests() -> None:
    npm.install(ROOT / "tests/page")  # for the indicators to compare with
    tests = sorted((Path(__file__).parent / "page").rglob("*.test.mjs"))
    assert tests
    done = subprocess.run(
        [npm.node_binary(), "--test", *tests],
        capture_output=True,
        text=True,
        timeout=NODE_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
