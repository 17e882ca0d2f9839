"""The page where reading is not public: the form for the key, and what it opens."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.async_api import Page, expect

from streaming.http.keys import new_key
from streaming.http.sessions import COOKIE, DURATION_S
from tests.browser.conftest import OpenPage
from tests.browser.site import Site
from tests.browser.test_page import AXE, expect_live, now, walk
from tests.conftest import Cluster, StartProgram
from tests.integration.filled_store import Given
from tests.key_file import KeyFile
from tests.waiting import eventually


class Guarded(NamedTuple):
    """Both programs; chart_app asks for keys."""

    site: Site
    keys: KeyFile
    #: A key that may read.
    reader: str

    def url(self, host: str = "localhost") -> str:
        """Return the page's address by a name."""
        return f"http://{host}:{self.site.chart.port}"

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of a program that asks for keys."""
        asking = {"API_KEYS_FILE": str(self.keys.path), "PUBLIC_READ": "false"}
        return {**self.site.settings, **asking}


@pytest.fixture
def guarded(cluster: Cluster, start: StartProgram, tmp_path: Path) -> Guarded:
    """Start both programs."""
    keys = KeyFile(tmp_path / "api.keys")
    reader = keys.add("reader", "read")
    site = Site(cluster, start, tmp_path)
    site.chart.stop()
    guarded = Guarded(site, keys, reader)
    site.chart = start("chart_app", guarded.settings).wait_ready()
    return guarded


async def sign_in(page: Page, key: str) -> None:
    await page.get_by_label("Key").fill(key)
    await page.get_by_role("button", name="Sign in").click()


async def sign_in_once_known(page: Page, key: str) -> None:
    """Sign in with a key that was just added."""

    async def is_signed_in() -> bool:
        if "/login" in page.url:
            await sign_in(page, key)
        return "/login" not in page.url

    await eventually(is_signed_in, "the new key is known")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_who_has_a_key_signs_in_and_sees_all(
    guarded: Guarded, open_page: OpenPage, complaints: list[str], screenshots: Path, host: str
) -> None:
    site, _, reader = guarded
    await site.post(*walk("BTC", 30), Given("ETH", now(), "7"))
    url = guarded.url(host)
    page = await open_page(f"{url}/?coin=ETH&interval=5m")
    await expect(page).to_have_url(f"{url}/login?coin=ETH&interval=5m")
    await page.screenshot(path=screenshots / "login.png")
    await page.evaluate(AXE.read_text())
    violations = await page.evaluate("async () => (await axe.run()).violations.map((it) => it.id)")
    assert violations == []

    await sign_in(page, new_key("reader"))
    await expect(page.get_by_role("alert")).to_contain_text("not valid")
    await page.screenshot(path=screenshots / "login-refused.png")
    assert complaints.pop().startswith("Failed to load resource")  # the 403
    await sign_in(page, reader)
    await expect(page).to_have_url(f"{url}/?coin=ETH&interval=5m")
    await expect_live(page)
    await expect(page.locator("#price")).to_have_text("7")
    await expect(page.locator("#tape tr")).to_have_count(1)
    await site.post(Given("ETH", now(), "8.5"))
    await expect(page.locator("#price")).to_have_text("8.5")
    await expect(page.locator("#tape tr").first).to_contain_text("8.5")
    await page.screenshot(path=screenshots / "signed-in.png")

    (cookie,) = await page.context.cookies(url)
    assert cookie["name"] == COOKIE
    assert cookie["value"].startswith("reader.")
    assert reader[-20:] not in cookie["value"]
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
    assert cookie["path"] == "/"
    assert 0 < cookie["expires"] - now() / 1000 <= DURATION_S
    assert await page.evaluate("document.cookie") == ""


async def test_who_signs_out_is_out(guarded: Guarded, open_page: OpenPage) -> None:
    url = guarded.url()
    page = await open_page(url)
    await sign_in(page, guarded.reader)
    await expect_live(page)
    await page.get_by_role("link", name="Sign out").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_url(f"{url}/login")
    assert await page.context.cookies(url) == []
    await page.goto(url)
    await expect(page).to_have_url(f"{url}/login")


async def test_a_page_whose_key_is_removed_asks_for_another(
    guarded: Guarded, open_page: OpenPage, complaints: list[str]
) -> None:
    _, keys, reader = guarded
    url = guarded.url()
    page = await open_page(f"{url}/?interval=3m")
    await sign_in(page, reader)
    await expect_live(page)
    keys.remove("reader")
    await expect(page).to_have_url(re.compile(rf"^{re.escape(url)}/login\?.*interval=3m"))
    for complaint in complaints:  # the request, and maybe the WebSocket, that were refused
        assert "401" in complaint
    complaints.clear()
    await sign_in_once_known(page, keys.add("other", "read"))
    complaints.clear()
    await expect_live(page)


async def test_a_session_sends_nothing(
    guarded: Guarded, start: StartProgram, open_page: OpenPage, complaints: list[str]
) -> None:
    """The cookie is for both ports of this machine, and trading_app does not take it."""
    everything = guarded.keys.add("everything", "read,write,ops")
    trading = start("trading_app", guarded.settings).wait_ready()
    page = await open_page(guarded.url())
    await sign_in_once_known(page, everything)
    await expect_live(page)
    complaints.clear()
    await page.goto(f"http://localhost:{trading.port}/docs")
    await expect(page.get_by_text("/send-trading-data")).to_be_visible()
    body = f"topic={guarded.site.topic}&coinName=BTC&price=1&numOfCoin=1"
    status = await page.evaluate(
        "async (body) => (await fetch('/send-trading-data', {method: 'POST', body,"
        " headers: {'Content-Type': 'application/x-www-form-urlencoded'}})).status",
        body,
    )
    assert status == 401
    (complaint,) = complaints
    assert "401" in complaint
    complaints.clear()
