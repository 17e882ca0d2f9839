"""The page before real programs: trades come by way of Kafka, programs stop and die."""

import asyncio
import itertools
import re
import signal
import time
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.pixels import pixels
from tests.browser.site import MINUTE_MS, Site, expect_candles
from tests.browser.test_page import AWKWARD, expect_live, now, walk
from tests.conftest import Cluster, StartProgram
from tests.integration.filled_store import Given
from tests.waiting import PATIENCE_S, eventually, in_time

#: Notes that the connection's state has been this, for however short a time.
NOTE = """\
(text) => {
  const state = document.getElementById("connection");
  window.wasSaid = new Promise((resolve) => {
    new MutationObserver(() => state.textContent === text && resolve())
      .observe(state, { childList: true, characterData: true, subtree: true });
  });
}
"""


@pytest.fixture
def site(cluster: Cluster, start: StartProgram, tmp_path: Path) -> Site:
    """Start both programs."""
    return Site(cluster, start, tmp_path)


async def test_a_posted_trade_moves_the_page_within_a_second(
    site: Site, open_page: OpenPage
) -> None:
    await site.post(*walk(AWKWARD, 5))
    page = await open_page(site.url)
    await expect(page.locator("#price")).not_to_be_empty()
    before = await page.locator("#chart").screenshot()
    prices = itertools.count(4321)

    async def attempt() -> float:
        price = next(prices)
        await site.post(Given(AWKWARD, now(), f"{price}.25", "0.125"))
        begin = time.monotonic()
        await expect(page.locator("#price")).to_have_text(f"{price:,}.25")
        newest = page.locator("#tape tr").first
        await expect(newest).to_contain_text(f"{price:,}.25")
        duration = time.monotonic() - begin
        await expect(newest).to_contain_text("0.125")
        return duration

    await in_time(1, attempt)
    assert await page.locator("#chart").screenshot() != before


async def test_a_restart_of_chart_app_leaves_no_hole_and_no_double(
    site: Site, open_page: OpenPage, complaints: list[str]
) -> None:
    end = now() - 10 * MINUTE_MS

    async def are_stored(count: int) -> bool:
        return sum(candle.trades for candle in await site.candles("BTC")) == count

    await site.replay(walk("BTC", 30, end=end))
    await eventually(partial(are_stored, 30 * 3), "all trades are stored")
    page = await open_page(site.url)
    await page.get_by_role("button", name="Table").click()
    await expect_candles(page, await site.candles("BTC"))

    site.chart.stop()
    await expect(page.locator("#connection")).to_have_text("Reconnecting")
    late = Given("BTC", end - 20 * MINUTE_MS, "1234.5")
    await site.post(*walk("BTC", 5, end=end + 7 * MINUTE_MS), late)
    site.chart.start().wait_ready()
    await expect_live(page)
    await site.post(Given("BTC", end + 8 * MINUTE_MS, "1111.5"))
    await eventually(partial(are_stored, 30 * 3 + 5 * 3 + 2), "all trades are stored")
    expected = await site.candles("BTC")
    assert len(expected) == 30 + 5 + 1
    await expect_candles(page, expected)
    await page.get_by_role("button", name="Table").click()
    assert await pixels(page, "up") > 1000

    forget_those_of_the_browser(complaints)


async def test_a_server_that_says_nothing_is_noticed(
    site: Site, open_page: OpenPage, complaints: list[str]
) -> None:
    await site.post(*walk("BTC", 2))
    page = await open_page(site.url)
    await expect_live(page)
    await page.evaluate(NOTE, "No answer")
    site.chart.signal(signal.SIGSTOP)
    await asyncio.wait_for(page.evaluate("wasSaid"), PATIENCE_S)
    site.chart.signal(signal.SIGCONT)
    await expect_live(page)
    await page.close()  # it may still have been told that the server was not ready
    forget_those_of_the_browser(complaints)


def forget_those_of_the_browser(complaints: list[str]) -> None:
    """Forget that the server was away, or not ready when it was back."""
    complaints[:] = [it for it in complaints if not re.search(r"WebSocket|ERR_|503", it)]
