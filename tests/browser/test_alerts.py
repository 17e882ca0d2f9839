"""Price alerts: lines on the chart, each of which fires once."""

import json

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import PHONE, OpenPage
from tests.browser.pixels import pixels
from tests.browser.site import MINUTE_MS
from tests.browser.stand import Stand
from tests.browser.test_chart import NOW_MS, walk
from tests.browser.test_drawings import box_of
from tests.browser.test_page import AXE
from tests.integration.filled_store import Given

#: In place of the browser's: what a headless one shows cannot be seen.
RECORDED = """\
globalThis.asked = 0;
globalThis.notified = [];
globalThis.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() {
    asked++;
    return (this.permission = "granted");
  }
  constructor(title, { body }) {
    super();
    notified.push([title, body]);
    globalThis.newest = this;
  }
  close() {}
};
"""
#: As on a phone, where a page itself cannot notify.
REFUSING = RECORDED.replace("super();", "throw new TypeError('Illegal constructor');")
#: The price axis, and the name of a line beside it.
BADGE_PX = 150
ALERT = {"coin": "BTC", "price": "90", "move": "fall"}
HOSTILE = [
    {**ALERT, "price": "1e400"},
    {**ALERT, "coin": "<img src=x onerror=alert(1)>"},
    *({**ALERT, "price": f"9{number}"} for number in range(10_000)),
]


async def open_chart(open_page: OpenPage, url: str, **context: object) -> Page:
    """Open a page whose notifications are recorded."""
    page = await open_page("about:blank", **context)
    await page.add_init_script(REFUSING if context else RECORDED)
    await page.goto(f"{url}?coin=BTC")
    await expect(page.locator("#summary")).to_contain_text("candle, opened")
    return page


def button(page: Page) -> Locator:
    """Return the one that opens the alerts."""
    return page.get_by_role("button", name="Alert", exact=True)


async def add(page: Page, price: str) -> None:
    """Add an alert by keyboard; the last price is selected, so the price takes its place."""
    await button(page).press("Enter")
    await expect(page.locator("#alert-price")).to_be_focused()
    await page.keyboard.type(price)
    await page.keyboard.press("Enter")


async def kept(page: Page) -> list[tuple[str, str]]:
    """Return the coin and the price of what the browser keeps."""
    alerts = json.loads(await page.evaluate("localStorage.getItem('alerts')"))
    return [(it["coin"], it["price"]) for it in alerts]


async def test_an_alert_is_a_line_that_stays_until_it_is_deleted(
    stand: Stand, open_page: OpenPage
) -> None:
    await stand.feed(walk("BTC", 60))
    page = await open_chart(open_page, stand.url)
    await button(page).click()
    await expect(page.locator("#alert-price")).to_have_value("1109.5")
    await page.keyboard.press("Enter")
    await expect(page.locator("#alert-error")).to_contain_text("is there already")
    await page.evaluate(AXE.read_text())
    for _ in range(2):
        assert await page.evaluate("axe.run().then((result) => result.violations)") == []
        await page.keyboard.press("Escape")
    assert await pixels(page, "alert") == 0

    await add(page, "1000")
    await expect(page.locator("#alerts")).to_be_hidden()
    line = await pixels(page, "alert")
    assert line > 500
    await page.reload()
    await expect(page.locator("#summary")).to_contain_text("candle, opened")
    await page.get_by_label("Chart style").select_option("Line")
    assert await pixels(page, "alert") == line
    await add(page, "1050.25")
    assert await pixels(page, "alert") > line

    # A click on a line opens the list, where keys delete.
    lines = await box_of(page, "alert", BADGE_PX)
    assert lines
    await page.locator("#chart").click(position={"x": 303, "y": lines.top})
    await page.get_by_role("button", name="Delete: BTC 1,050.25").click()
    await page.get_by_role("button", name="Delete: BTC 1,000.0").press("Enter")
    await expect(page.locator("#alert-price")).to_be_focused()
    assert await pixels(page, "alert") == 0
    assert await kept(page) == []

    await page.evaluate(f"localStorage.setItem('alerts', {json.dumps(json.dumps(HOSTILE))})")
    await page.reload()
    await expect(page.locator("#summary")).to_contain_text("candle, opened")
    await expect(page.locator("#alert-list li")).to_have_count(99)
    await add(page, "1")
    await expect(page.locator("#alert-list li")).to_have_count(100)
    await add(page, "2")
    await expect(page.locator("#alert-error")).to_contain_text("There are 100 alerts")


async def test_an_alert_fires_once_by_a_notification_and_on_the_page(
    stand: Stand, open_page: OpenPage
) -> None:
    await stand.feed([*walk("BTC", 60), *walk("ETH", 60)])
    page = await open_chart(open_page, stand.url)
    for price in ("1120", "1000", "900"):
        await add(page, price)
    await page.get_by_role("link", name="ETH").click()
    await expect(page.locator("#summary")).to_contain_text("ETH")
    await add(page, "1130.5")
    assert await pixels(page, "alert") > 500
    assert await page.evaluate("asked") == 1

    # There and back between two events; then of a coin that is not shown.
    await stand.feed([Given("ETH", NOW_MS, "2001"), Given("ETH", NOW_MS + 1, "1040")])
    notices = page.locator("#alert-notices p")
    await expect(notices).to_have_text(["ETH 2,001.0 – alert at 1,130.5Dismiss"])
    await stand.feed([Given("BTC", NOW_MS, "1125")])
    await expect(notices).to_have_count(2)
    await stand.feed([Given("BTC", NOW_MS + 2 * MINUTE_MS, "999")])
    await expect(notices).to_have_count(3)
    assert await page.evaluate("notified") == [
        ["ETH 2,001.0", "alert at 1,130.5"],
        ["BTC 1,125.0", "alert at 1,120.0"],
        ["BTC 999.0", "alert at 1,000.0"],
    ]
    assert await pixels(page, "alert") == 0
    assert await kept(page) == [("BTC", "900")]
    await page.get_by_role("button", name="Dismiss").first.click()
    await expect(notices).to_have_count(2)
    await page.evaluate("newest.dispatchEvent(new Event('click'))")
    await expect(page.locator("#coin")).to_have_text("BTC")

    # What is reached while no page is open fires when one is.
    await page.goto("about:blank")
    await stand.feed([Given("BTC", NOW_MS + 3 * MINUTE_MS, "800")])
    await page.goto(f"{stand.url}?coin=ETH")
    await expect(notices).to_have_text(["BTC 800.0 – alert at 900.0Dismiss"])


async def test_a_phone_that_cannot_notify_shows_it_on_the_page(
    stand: Stand, open_page: OpenPage
) -> None:
    await stand.feed(walk("BTC", 60))
    page = await open_chart(open_page, stand.url, viewport=PHONE, has_touch=True, is_mobile=True)
    await button(page).tap()
    for control in (button(page), page.locator("#alert-price"), page.locator("#alerts button")):
        size = await control.bounding_box()
        assert size
        assert size["height"] >= 40
    await page.locator("#alert-price").fill("1050")
    await page.get_by_role("button", name="Add alert").tap()
    chart = page.locator("#chart")
    await chart.scroll_into_view_if_needed()
    line = await box_of(page, "alert", BADGE_PX)
    assert line
    await chart.tap(position={"x": 43, "y": line.top})
    await expect(page.get_by_role("button", name="Delete: BTC 1,050.0")).to_be_visible()
    await page.keyboard.press("Escape")
    await stand.feed([Given("BTC", NOW_MS, "1050")])
    await expect(page.locator("#alert-notices p")).to_be_in_viewport()
