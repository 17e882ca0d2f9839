"""The chart: how it is drawn, and by whose clocks."""

import base64
from collections.abc import Iterator

from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.stand import Stand
from tests.browser.test_page import COUNT_PIXELS, color
from tests.integration.filled_store import Given

MINUTE_MS = 60_000
#: A whole hour, of 2026-03-04.
NOW_MS = 1_772_607_600_000


def walk(
    coin: str, candles: int, end_ms: int = NOW_MS, step_ms: int = MINUTE_MS
) -> Iterator[Given]:
    """Make three trades in each of the last candles, up and down in turns."""
    for number in range(candles):
        opened = end_ms - (candles - number) * step_ms
        price = 1000 + number * 7919 % 97
        move = 20 if number % 2 else -20
        for at in range(3):
            yield Given(coin, opened + at, f"{price + at * move}.5")


async def pixels(page: Page, name: str) -> int:
    """Count the pixels of the chart, as one sees it, in a color."""
    png = base64.b64encode(await page.locator("#chart").screenshot()).decode()
    count: int = await page.evaluate(COUNT_PIXELS, [png, color(name)])
    return count


async def test_style_and_scale_are_drawn_and_kept_in_the_address(
    stand: Stand, open_page: OpenPage
) -> None:
    await stand.feed(walk("BTC", 60))
    page = await open_page(f"{stand.url}?coin=BTC")
    await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
    candles = await pixels(page, "up")
    assert candles > 1000
    assert await pixels(page, "accent") == 0

    await page.get_by_label("Chart style").select_option("Line")
    assert await pixels(page, "accent") > 1000
    assert await pixels(page, "up") < candles / 4  # the badge alone
    linear = await page.locator("#chart").screenshot()
    await page.get_by_label("Price scale").select_option("Percent")
    assert await page.locator("#chart").screenshot() != linear
    assert page.url == f"{stand.url}?coin=BTC&style=line&scale=percent"

    await page.reload()
    await expect(page.get_by_label("Chart style")).to_have_value("line")
    await expect(page.get_by_label("Price scale")).to_have_value("percent")
    await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
    assert await pixels(page, "accent") > 1000
