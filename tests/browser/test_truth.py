"""What is shown is what is: old trades say so, and so do a lost line and a server not ready."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.line import Line
from tests.browser.pixels import pixels
from tests.browser.site import MINUTE_MS
from tests.browser.stand import Stand
from tests.browser.test_chart import NOW_MS, walk
from tests.integration.filled_store import Given

DAY_MS = 24 * 60 * MINUTE_MS
#: 2025-03-04.
YEAR_AGO_MS = NOW_MS - 365 * DAY_MS
COINS = 520
#: What comes in 4 s on a line of 40 kB/s, of which a browser takes the fifth to begin.
FIRST_CHART_MAX_BYTES = 160_000
LIST = "**/ticker/24hr?type=MINI"


async def expect_drawn(page: Page) -> None:
    await expect(page.locator("#summary")).to_contain_text("latest 1m candle")


async def word(page: Page, expected: str) -> None:
    await expect(page.locator("#connection")).to_have_text(expected)


class Gate:
    """Holds back requests until it is opened."""

    def __init__(self) -> None:
        self._is_open = asyncio.Event()

    async def handle(self, route: Route) -> None:
        """Let a request pass once the gate is open."""
        await self._is_open.wait()
        await route.continue_()

    def open(self) -> None:
        """Let all pass."""
        self._is_open.set()


async def test_old_trades_say_of_when_they_are(
    stand: Stand, open_page: OpenPage, screenshots: Path
) -> None:
    stand.now_ms = NOW_MS
    await stand.feed(walk("BTC", 60, end_ms=YEAR_AGO_MS))
    page = await open_page(stand.url)
    as_of = page.locator("#as-of")
    await expect(as_of).to_have_text("As of 2025-03-04 06:59:00 UTC, the last trade")
    await expect(page.locator("#tape tr").first).to_contain_text("2025-03-04 06:59:00")
    change = page.locator("#coin-rows .change")
    await expect(change).to_have_text("2025-03-04")
    await word(page, "Connected")
    await page.screenshot(path=screenshots / "stale.png")

    await stand.feed([Given("BTC", NOW_MS, "1234.5", "0.25")])
    await expect(as_of).to_be_hidden()
    await expect(change).to_contain_text("%")
    await expect(page.locator("#tape tr").first).to_contain_text("07:00:00")
    await expect(page.locator("#tape tr").first).not_to_contain_text("2026")
    await word(page, "Live")


async def test_an_old_trade_that_comes_late_is_not_taken_for_one_of_today(
    stand: Stand, open_page: OpenPage
) -> None:
    stand.now_ms = NOW_MS
    await stand.feed(walk("BTC", 60, end_ms=YEAR_AGO_MS))
    page = await open_page(f"{stand.url}?coin=BTC")
    await expect(page.locator("#coins")).to_have_attribute("aria-rowcount", "2")
    await stand.wait_for_tickers()
    rows = page.locator("#coin-rows")
    await stand.feed([Given("BTC", YEAR_AGO_MS + MINUTE_MS, "1234.5", "0.25")])
    await expect(rows).to_contain_text("1,234.5")
    await expect(rows.locator(".change")).to_have_text("2025-03-04")
    await expect(page.locator("#as-of")).to_be_visible()


async def test_a_coin_that_trades_now_is_opened(stand: Stand, open_page: OpenPage) -> None:
    stand.now_ms = NOW_MS
    await stand.feed([*walk("DEAD", 60, end_ms=YEAR_AGO_MS), *walk("BTC", 2)])
    page = await open_page(stand.url)
    await expect(page.get_by_role("heading", level=1)).to_have_text("BTC")
    await expect_drawn(page)
    assert page.url == f"{stand.url}?coin=BTC"


async def test_figures_have_their_currency_and_no_padding(
    stand: Stand, open_page: OpenPage
) -> None:
    stand.now_ms = NOW_MS
    await stand.feed(
        [Given("BTC-EUR", NOW_MS, "2000", "0.12345678"), Given("BTC-EUR", NOW_MS, "2000", "1")]
    )
    page = await open_page(f"{stand.url}?coin=BTC-EUR")
    await expect(page.locator("#volume")).to_have_text("1.123 BTC")
    await expect(page.locator("#turnover")).to_have_text("2,247 EUR")
    await expect(page.locator("#tape tr").first.locator("td").last).to_have_text("1")
    await expect(page.locator("#legend")).to_contain_text("1.12345678")

    await expect(page.locator("#count")).to_have_text("2")
    await stand.feed([Given("BTC-EUR", NOW_MS, "2000", "0.5")])
    await expect(page.locator("#volume")).to_have_text("1.623 BTC")
    await expect(page.locator("#count")).to_have_text("3")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
async def test_a_long_price_stays_on_one_line(
    stand: Stand, open_page: OpenPage, viewport: ViewportSize
) -> None:
    await stand.feed([Given("BTC", NOW_MS, "9876543210123.12345678"), Given("ETH", NOW_MS, "1")])
    page = await open_page(f"{stand.url}?coin=BTC", viewport)
    price = page.locator("#price")
    await expect(price).to_have_text("9,876,543,210,123.12345678")
    rows = "(element) => { const range = new Range(); range.selectNodeContents(element);"
    rows += " return range.getClientRects().length; }"
    assert await price.evaluate(rows) == 1
    for name in ("high", "low"):
        assert await page.locator(f"#{name}").evaluate(rows) == 1
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_first_chart_does_not_wait_for_the_list(
    stand: Stand, open_page: OpenPage, screenshots: Path
) -> None:
    await stand.feed(Given(f"C{number}-USD", NOW_MS, "1.5") for number in range(COINS))
    await stand.feed(walk("BTC", 600))
    page = await open_page("about:blank")
    candles, coins = Gate(), Gate()
    await page.route("**/klines?**", candles.handle)
    await page.route(LIST, coins.handle)
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Network.enable")
    received = 0

    def note(event: dict[str, Any]) -> None:
        nonlocal received
        received += event["encodedDataLength"]

    devtools.on("Network.loadingFinished", note)
    await page.goto(f"{stand.url}?coin=BTC")
    await expect(page.locator("#notice")).to_have_text("Loading …")
    await word(page, "Loading …")
    await page.screenshot(path=screenshots / "loading.png")
    candles.open()
    await expect_drawn(page)
    assert await pixels(page, "up") > 1000
    await expect(page.locator("#notice")).to_be_hidden()
    assert received < FIRST_CHART_MAX_BYTES, received
    coins.open()
    await expect(page.locator("#coins")).to_have_attribute("aria-rowcount", str(COINS + 2))


async def test_another_interval_or_coin_is_said_to_be_loading(
    stand: Stand, open_page: OpenPage
) -> None:
    await stand.feed([*walk("BTC", 60), *walk("ETH", 60)])
    page = await open_page(f"{stand.url}?coin=BTC")
    await expect_drawn(page)
    notice = page.locator("#notice")
    for change in (
        page.get_by_role("button", name="5m", exact=True),
        page.get_by_role("link", name="ETH"),
    ):
        gate = Gate()
        await page.route("**/klines?**", gate.handle)
        await change.click()
        await expect(notice).to_have_text("Loading …")
        gate.open()
        await expect(notice).to_be_hidden()
        await page.unroute("**/klines?**")
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 5m candle")


async def test_a_lost_connection_is_seen(
    stand: Stand, open_page: OpenPage, screenshots: Path
) -> None:
    stand.now_ms = NOW_MS
    await stand.feed(walk("BTC", 60))
    page = await open_page("about:blank")
    line = await Line.of(page)
    await page.goto(f"{stand.url}?coin=BTC")
    await word(page, "Live")
    banner = page.locator("#out-of-date")
    await expect(banner).to_be_hidden()
    assert await pixels(page, "up") > 1000

    await line.cut()
    await word(page, "Reconnecting")
    await expect(banner).to_contain_text("The connection is lost")
    assert await pixels(page, "up") == 0  # dimmed
    muted = await page.locator(".day dt").first.evaluate("(it) => getComputedStyle(it).color")
    for figure in ("#price", "#change", "#high", "#coins .number >> nth=0", "#tape td >> nth=1"):
        await expect(page.locator(figure)).to_have_css("color", muted)
    await page.screenshot(path=screenshots / "disconnected.png")
    await stand.feed([Given("BTC", NOW_MS, "4321")])

    line.mend()
    await word(page, "Live")
    await expect(banner).to_be_hidden()
    await expect(page.locator("#price")).to_have_text("4,321.0")


async def test_it_is_not_live_before_the_server_is_ready(stand: Stand, open_page: OpenPage) -> None:
    stand.is_ready = False
    stand.now_ms = NOW_MS
    await stand.feed(walk("BTC", 5))
    page = await open_page(f"{stand.url}?coin=BTC")
    await word(page, "Not ready")
    await expect(page.locator("#out-of-date")).to_contain_text("The server is not ready")
    await expect_drawn(page)
    await word(page, "Not ready")
    stand.is_ready = True
    await word(page, "Live")
    await expect(page.locator("#out-of-date")).to_be_hidden()


async def test_an_empty_page_says_how_to_begin(
    stand: Stand, open_page: OpenPage, screenshots: Path
) -> None:
    page = await open_page(stand.url)
    await expect(page.get_by_text("curl localhost:3000/send-trading-data -d ")).to_be_visible()
    await page.screenshot(path=screenshots / "empty.png")
    await stand.feed(walk("BTC", 5))
    await expect_drawn(page)
    await expect(page.get_by_text("No trades yet")).to_be_hidden()
