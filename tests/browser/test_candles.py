"""Candles that are older, come late or go again: what the page then has."""

import asyncio
import time

from playwright.async_api import expect

from chart_app.storage.voids import Reason, Selection
from tests.browser.conftest import OpenPage
from tests.browser.pixels import pixels
from tests.browser.site import MINUTE_MS, expect_candles, fetch_candles, table
from tests.browser.stand import Stand
from tests.browser.test_page import now, walk
from tests.integration.filled_store import Given
from tests.waiting import PATIENCE_S, in_time

REASON = Reason("a tester", "a test", 0)

#: The page loads anew at most so often, however many voids there are.
RENEW_INTERVAL_S = 1
#: Ends once the page has so many candles and this price, at the top of the tape too: within a
#: frame, while expect() looks again after up to a second.
HAS = """\
async ([candles, price]) => {
  const text = (selector) => document.querySelector(selector)?.textContent ?? "";
  const has = () =>
    document.querySelectorAll("#table tbody tr").length === candles &&
    text("#price") === price &&
    text("#tape tr").includes(price);
  while (!has()) await new Promise(requestAnimationFrame);
}
"""


async def test_older_candles_load_on_the_way_to_the_left(stand: Stand, open_page: OpenPage) -> None:
    await stand.feed(walk("BTC", 1250))
    page = await open_page(stand.url)
    await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
    chart = page.locator("#chart")
    await chart.focus()
    for _ in range(100):
        await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("button", name="Latest", exact=True)).to_be_enabled()
    await page.get_by_role("button", name="Table").click()
    await expect(page.locator("#table tbody tr")).to_have_count(1250)
    held = await table(page)
    assert len({candle.opened for candle in held}) == 1250
    assert held[-1000:] == await fetch_candles(stand.url, "BTC")

    await page.get_by_role("button", name="Table").click()
    await chart.focus()
    await page.keyboard.press("End")
    await expect(page.get_by_role("button", name="Latest", exact=True)).to_be_disabled()


async def test_a_late_trade_redraws_its_candle(stand: Stand, open_page: OpenPage) -> None:
    end = now()
    await stand.feed(walk("BTC", 10, end=end))
    page = await open_page(stand.url)
    await page.get_by_role("button", name="Table").click()
    await expect_candles(page, await fetch_candles(stand.url, "BTC"))
    price = await page.locator("#price").text_content()
    assert price

    minute = (end // MINUTE_MS - 4) * MINUTE_MS
    await stand.feed([Given("BTC", minute + 1000, "3000.5")])  # amends a candle
    await expect(page.get_by_role("cell", name="3,000.5").first).to_be_visible()
    await stand.feed([Given("BTC", minute - 30 * MINUTE_MS, "2000.5")])  # makes one
    await expect(page.get_by_role("cell", name="2,000.5").first).to_be_visible()
    expected = await fetch_candles(stand.url, "BTC")
    assert len(expected) == 11
    await expect_candles(page, expected)
    await expect(page.locator("#price")).to_have_text(price)

    await page.get_by_role("button", name="Table").click()
    await expect(page.locator("#table")).to_be_hidden()
    assert await pixels(page, "up") > 100


async def test_trades_of_the_past_hour_arrive_after_one_of_now(
    stand: Stand, open_page: OpenPage
) -> None:
    """As the README has it: the first trade, then ``make demo``."""
    end = now()
    await stand.feed([Given("BTC", end, "1000.5")])
    page = await open_page(stand.url)
    await page.get_by_role("button", name="Table").click()
    await expect_candles(page, await fetch_candles(stand.url, "BTC"))
    for minutes in (60, 59, 58):
        await stand.feed([Given("BTC", end - minutes * MINUTE_MS, f"20{minutes}.5")])
        await expect(page.get_by_role("cell", name=f"2,0{minutes}.5").first).to_be_visible()
    await expect_candles(page, await fetch_candles(stand.url, "BTC"))
    await page.get_by_role("button", name="Table").click()
    await expect(page.locator("#table")).to_be_hidden()
    assert await pixels(page, "up") > 100


async def test_voided_trades_leave_the_page_and_come_back(
    stand: Stand, open_page: OpenPage
) -> None:
    end = now() - 10 * MINUTE_MS
    await stand.feed([*walk("BTC", 10, end=end), *walk("ETH", 3, start=500, end=end)])
    page = await open_page(f"{stand.url}?coin=BTC")
    await page.get_by_role("button", name="Table").click()
    right = await fetch_candles(stand.url, "BTC")
    await expect_candles(page, right)
    price = await page.locator("#price").text_content()
    assert price
    begin = end // MINUTE_MS * MINUTE_MS + MINUTE_MS
    for number in range(3):
        await stand.feed([Given("BTC", begin + number * MINUTE_MS, f"{1000002 - number}.5")])
    await expect(page.locator("#price")).to_have_text("1,000,000.5")
    wrong = await fetch_candles(stand.url, "BTC")
    await expect_candles(page, wrong)

    chosen = Selection("BTC", times=(begin, begin + 3 * MINUTE_MS))

    async def attempt() -> float:
        voided = await stand.voids.void(chosen, REASON)
        done = time.monotonic()
        await asyncio.wait_for(page.evaluate(HAS, [len(right), price]), PATIENCE_S)
        duration = time.monotonic() - done
        await expect_candles(page, right)
        await expect(page.locator("#tape tr")).to_have_count(30)
        await expect(page.locator("#coin-rows [data-coin=BTC]")).to_contain_text(price)

        await stand.voids.undo(voided.void.id, REASON)
        await expect(page.locator("#price")).to_have_text("1,000,000.5")
        await expect(page.locator("#tape tr").first).to_contain_text("1,000,000.5")
        await expect_candles(page, wrong)
        await asyncio.sleep(RENEW_INTERVAL_S)  # so that a next attempt's void is not held back
        return duration

    await in_time(1, attempt)
    await page.get_by_role("button", name="Table").click()
    assert await pixels(page, "up") > 100


async def test_a_coin_leaves_the_page_with_its_last_trade(
    stand: Stand, open_page: OpenPage, complaints: list[str]
) -> None:
    await stand.feed([*walk("BTC", 10), *walk("ETH", 3, start=500)])
    page = await open_page(f"{stand.url}?coin=ETH")
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 1m candle")
    await stand.voids.void(Selection("ETH", times=(0, 2 * now())), REASON)
    await expect(page.get_by_text("There are no trades of ETH yet.")).to_be_visible()
    await expect(page.get_by_role("link", name="ETH")).to_have_count(0)
    await stand.feed([Given("ETH", now(), "77.5")])
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 1m candle")
    await expect(page.locator("#price")).to_have_text("77.5")
    await stand.voids.undo(1, REASON)
    await page.get_by_role("button", name="Table").click()
    await expect_candles(page, await fetch_candles(stand.url, "ETH"))
    complaints[:] = [it for it in complaints if "400" not in it]  # the coin that is not there
