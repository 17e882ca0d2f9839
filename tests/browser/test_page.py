"""The live page in a real browser."""

import time
from collections.abc import Iterator
from pathlib import Path

from playwright.async_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.pixels import pixels
from tests.browser.site import MINUTE_MS, expect_candles, fetch_candles
from tests.browser.stand import Stand
from tests.integration.filled_store import Given
from tests.programs import ROOT
from trading_app.parsing.trade_file import Row, open_file, read

MARKUP = "<img src=x onerror=alert(1)>"
AWKWARD = 'A/b @x "q" 中文'
AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
SAMPLE = ROOT / "trading_app/sample/coinbase_btcusd_trades_2023-09-05.csv.gz"
#: Made up, so that the list beside the real trades is not empty.
OTHERS = {
    "ADA-USD": ("0.2561", "0.2574"),
    "DOGE-USD": ("0.06312", "0.06358"),
    "ETH-USD": ("1628.41", "1633.87"),
    "LTC-USD": ("63.24", "62.71"),
    "PEPE-USD": ("0.00000080", "0.00000079"),
    "SOL-USD": ("19.52", "20.13"),
    "XRP-USD": ("0.5031", "0.5019"),
}


def now() -> int:
    return int(time.time() * 1000)


def walk(coin: str, minutes: int, start: int = 1000, end: int | None = None) -> Iterator[Given]:
    """Make three trades in each of the last minutes, up and down in turns."""
    last = (end or now()) // MINUTE_MS * MINUTE_MS
    for minute in range(minutes):
        opened = last - (minutes - 1 - minute) * MINUTE_MS
        price = start + (minute * 7919) % 97
        step = 20 if minute % 2 else -20
        for number in range(3):
            yield Given(coin, opened + number, f"{price + number * step}.5", f"0.{minute % 7 + 1}")


async def expect_live(page: Page) -> None:
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live")


async def test_stored_candles_are_drawn(stand: Stand, open_page: OpenPage) -> None:
    await stand.feed(walk("BTC", 60))
    page = await open_page(stand.url)
    await expect(page.get_by_role("heading", level=1)).to_have_text("BTC")
    await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
    # A wick alone would be some hundred pixels.
    assert await pixels(page, "up") > 1000
    assert await pixels(page, "down") > 1000

    await page.get_by_role("button", name="Table").click()
    expected = await fetch_candles(stand.url, "BTC")
    assert len(expected) == 60
    await expect_candles(page, expected)


async def test_an_empty_page_becomes_a_chart_by_itself(stand: Stand, open_page: OpenPage) -> None:
    page = await open_page(stand.url)
    await expect(page.get_by_text("No trades yet")).to_be_visible()
    await expect(page.get_by_text("curl localhost:3000")).to_be_visible()
    await stand.feed([Given("PEPE", now(), "0.00000152", "5000000")])
    await expect(page.locator("#price")).to_have_text("0.00000152")
    await expect(page.get_by_text("No trades yet")).to_be_hidden()
    assert await pixels(page, "up") > 0

    await stand.feed([Given("BTC", now(), "91234.5")])  # and a coin more
    await expect(page.locator("#coin-rows [data-coin=BTC]")).to_contain_text("91,234.5")


async def test_coin_and_interval_change_with_the_address(
    stand: Stand, open_page: OpenPage, complaints: list[str]
) -> None:
    await stand.feed([*walk("BTC", 90), *walk("ETH", 30, start=200)])
    page = await open_page(f"{stand.url}?coin=BTC&interval=1m")
    await expect(page.locator("#summary")).to_contain_text("BTC, latest 1m candle")

    await page.get_by_role("link", name="ETH").click()
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 1m candle")
    await page.get_by_role("button", name="15m", exact=True).click()
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 15m candle")
    assert page.url == f"{stand.url}?coin=ETH&interval=15m"
    await page.get_by_role("button", name="Table").click()
    await expect_candles(page, await fetch_candles(stand.url, "ETH", "15m"))

    await page.go_back()
    await page.go_back()
    await expect(page.locator("#summary")).to_contain_text("BTC, latest 1m candle")
    await expect_candles(page, await fetch_candles(stand.url, "BTC"))
    await page.goto(f"{stand.url}?coin=eth&interval=1h")
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 1h candle")
    await page.goto(f"{stand.url}?coin=SOL&interval=1h")
    await expect(page.get_by_text("There are no trades of SOL yet.")).to_be_visible()
    complaints[:] = [it for it in complaints if "400" not in it]  # the coin that is not there


async def test_a_name_of_markup_is_text(stand: Stand, open_page: OpenPage) -> None:
    await stand.feed([*walk(MARKUP, 2), *walk(AWKWARD, 3)])
    page = await open_page(stand.url)
    await page.get_by_role("link", name=MARKUP).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    await expect(page.locator("#summary")).to_contain_text(f"{MARKUP}, latest 1m candle")
    assert await page.locator("img[src=x]").count() == 0

    await page.get_by_role("link", name=AWKWARD).click()
    await expect(page.locator("#summary")).to_contain_text(f"{AWKWARD}, latest 1m candle")
    await stand.feed([Given(AWKWARD, now(), "77.5")])
    await expect(page.locator("#price")).to_have_text("77.5")
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text(AWKWARD)


async def test_it_is_used_by_keyboard_and_remembers_the_theme(
    stand: Stand, open_page: OpenPage
) -> None:
    await stand.feed([*walk("BTC", 5), *walk("ETH", 2)])
    page = await open_page(stand.url)
    await expect(page.get_by_role("link", name="ETH")).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("eth")
    await expect(page.get_by_role("link", name="BTC")).to_be_hidden()
    for _ in range(6):  # past the favorites and what the list is sorted by
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("ETH")

    background = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(background)
    await page.get_by_role("button", name="Use dark theme").click()
    dark = await page.evaluate(background)
    assert dark != light
    await page.reload()
    assert await page.evaluate(background) == dark


async def test_axe_finds_no_fault(stand: Stand, open_page: OpenPage) -> None:
    await stand.feed([*walk("BTC", 5), *walk(MARKUP, 2)])
    page = await open_page(stand.url)
    await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
    await page.evaluate(AXE.read_text())
    found = []
    for scheme in ("light", "dark"):
        for viewport in (DESKTOP, PHONE):
            await page.emulate_media(color_scheme=scheme)
            await page.set_viewport_size(viewport)
            for view in ("chart", "table"):
                violations = await page.evaluate("axe.run().then((result) => result.violations)")
                found += [(scheme, viewport, view, it["id"], it["nodes"]) for it in violations]
                await page.get_by_role("button", name="Table").click()
    assert found == []


async def test_pictures_for_the_readme(
    stand: Stand, open_page: OpenPage, screenshots: Path
) -> None:
    with open_file(str(SAMPLE)) as file:
        rows = [row for row in read(file) if isinstance(row, Row)]
    end_ms = rows[-1].timestamp_ms
    await stand.feed(
        Given(it.trade.coinName, it.timestamp_ms, str(it.trade.price), str(it.trade.numOfCoin))
        for it in rows
    )
    for coin, prices in OTHERS.items():
        await stand.feed(Given(coin, end_ms - 3 + at, it) for at, it in enumerate(prices))
    for name, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
        page = await open_page(f"{stand.url}?coin=BTC-USD&interval=1m", viewport=viewport)
        await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
        await expect_live(page)
        picture = await page.screenshot(path=screenshots / f"{name}.png")
        assert len(picture) > 10_000
        await page.close()
