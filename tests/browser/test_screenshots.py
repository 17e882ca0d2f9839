"""Pictures of the page as readers have it, for people to look at; and what can be told of each."""

import base64
import json
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.async_api import Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, PHONE, PHONE_ON_ITS_SIDE, OpenPage
from tests.browser.line import Line
from tests.browser.pixels import COUNT_PIXELS
from tests.browser.site import MINUTE_MS
from tests.browser.stand import Stand
from tests.browser.test_indicators import ALL
from tests.browser.test_page import OTHERS
from tests.integration.filled_store import Given

FAULTS = (Path(__file__).parent / "faults.js").read_text()
COLORS = """\
(names) => names.map((name) => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.className = `color-${name}`;
  const color = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  return color;
})
"""
COUNT = f"""\
async ([png, colors]) => {{
  const count = {COUNT_PIXELS};
  return Promise.all(colors.map((color) => count([png, color])));
}}
"""
BROKEN = """<meta name="viewport" content="width=device-width"><body style="margin: 0">
<main>
  <p style="width: 500px">wide</p>
  <p style="width: 40px; overflow: hidden; white-space: nowrap">cut off by its box</p>
  <p style="width: 60px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap">short …</p>
  <p>under</p><p style="margin-top: -30px">above</p>
  <p>under a cover</p><p style="margin-top: -36px; background: white; position: relative">cover</p>
  <button style="width: 50px; height: 44px; white-space: nowrap">longer than the button</button>
  <button>low</button>
  <div style="width: 90px; overflow: auto; white-space: nowrap">a row that scrolls sideways</div>
</main>
"""
YEAR_MS = 365 * 24 * 60 * MINUTE_MS
#: Fewer pixels of a color are no text and no candles.
LEAST_PIXELS = 100


async def as_it_opens(page: Page) -> None:
    """Leave a page as it is."""


async def with_settings(page: Page) -> None:
    """Open the settings, and choose the longest name of colors."""
    await page.locator("[popovertarget=settings]").click()
    await page.locator("#colors").select_option("blue-orange")


async def down_to_the_chart(page: Page) -> None:
    """Scroll to the chart."""
    await page.locator("#chart").scroll_into_view_if_needed()


async def down_to_the_lists(page: Page) -> None:
    """Scroll to the coins and the trades."""
    await page.locator("#tape tr").nth(5).scroll_into_view_if_needed()


async def with_indicators(page: Page) -> None:
    """Open the choice of indicators."""
    await page.locator("#indicators").click()


async def with_drawing_tools(page: Page) -> None:
    """Open the tools to draw with."""
    await page.locator("#draw").click()


async def with_alerts(page: Page) -> None:
    """Open the price alerts."""
    await page.locator("#alert").click()


async def as_table(page: Page) -> None:
    """Show the candles as a table."""
    await page.locator("#as-table").click()


async def disconnected(page: Page) -> None:
    """Lose the connection, once everything has come."""
    line = await Line.of(page)
    await page.reload()
    await expect_loaded(page)
    state = page.locator("#connection")
    await expect(state).to_have_attribute("data-state", "live")
    await line.cut()
    await expect(state).to_have_attribute("data-state", "reconnecting")


async def expect_loaded(page: Page) -> None:
    await expect(page.locator("#summary")).not_to_be_empty()
    await expect(page.locator("#tape tr").nth(20)).to_be_attached()


class View(NamedTuple):
    """How a reader looks at a page."""

    name: str
    viewport: ViewportSize = DESKTOP
    scheme: Literal["light", "dark"] = "light"
    locale: str = "en-US"
    #: What the reader does.
    step: Callable[[Page], Awaitable[None]] = as_it_opens
    #: Colors of the style sheet that are in the picture.
    colors: tuple[str, ...] = ("text", "muted", "up", "down")
    path: str = "?coin=BTC-USD"


VIEWS = (
    View("desktop-light"),
    View("desktop-dark-korean", scheme="dark", locale="ko-KR"),
    View("desktop-settings", step=with_settings),
    View("desktop-table-dark", scheme="dark", step=as_table),
    View("desktop-indicators", path=f"?coin=BTC-USD&studies={ALL}"),
    View("desktop-drawing-dark-korean", scheme="dark", locale="ko-KR", step=with_drawing_tools),
    View("phone-indicators-dark", PHONE, "dark", step=with_indicators),
    View("phone-drawing-korean", PHONE, locale="ko-KR", step=with_drawing_tools),
    View("desktop-alerts", step=with_alerts),
    View("phone-alerts-dark-korean", PHONE, "dark", "ko-KR", with_alerts),
    View("phone-dark", PHONE, "dark"),
    View("phone-lists-dark-korean", PHONE, "dark", "ko-KR", down_to_the_lists),
    View("phone-light-korean", PHONE, locale="ko-KR"),
    View("phone-settings-korean", PHONE, locale="ko-KR", step=with_settings),
    View("phone-on-its-side-light", PHONE_ON_ITS_SIDE),
    View("phone-on-its-side-dark-korean", PHONE_ON_ITS_SIDE, "dark", "ko-KR", down_to_the_chart),
    View("desktop-disconnected", step=disconnected, colors=("text", "muted")),
    View(
        "phone-disconnected-dark-korean",
        PHONE,
        "dark",
        "ko-KR",
        disconnected,
        colors=("text", "muted"),
    ),
    View("desktop-old-trades", path="?coin=OLD-USD"),
    View("phone-old-trades-korean", PHONE, locale="ko-KR", path="?coin=OLD-USD"),
    View("login-light", path="login", colors=("text", "muted")),
    View("login-phone-dark-korean", PHONE, "dark", "ko-KR", path="login", colors=("text",)),
)


def market() -> Iterator[Given]:
    """Make three hours of trades of one coin, old ones of another, and one or two of others."""
    now = int(time.time() * 1000)
    minutes = 180
    for minute in range(minutes):
        first = now - (minutes - 1 - minute) * MINUTE_MS - 4000
        for at in range(4):
            moment = minute + at / 4
            price = 91_000 + 900 * math.sin(moment / 23) + 160 * math.sin(moment * 1.9)
            amount = 0.02 + abs(math.sin(minute * 1.3)) / 2
            yield Given("BTC-USD", first + at * 1000, f"{price:.2f}", f"{amount:.4f}")
    for minute in range(30):
        first = now - YEAR_MS + minute * MINUTE_MS
        yield Given("OLD-USD", first, f"{7 + minute % 7 / 10:.2f}")
        yield Given("OLD-USD", first + 1, f"{7 + minute % 5 / 10:.2f}")
    for coin, others in {**OTHERS, "비트코인-KRW": ("131450000", "131980000")}.items():
        for at, other in enumerate(others):
            yield Given(coin, now - MINUTE_MS + at, other)


async def missing(page: Page, picture: bytes, colors: tuple[str, ...], blank: Page) -> list[str]:
    """Return what colors a picture of a page lacks. A blank page has no policy against it."""
    png = base64.b64encode(picture).decode()
    counts = await blank.evaluate(COUNT, [png, await page.evaluate(COLORS, colors)])
    return [
        f"only {count} pixels are in the color {name}"
        for name, count in zip(colors, counts, strict=True)
        if count < LEAST_PIXELS
    ]


async def test_nothing_is_blank_cut_off_or_over_something_else(
    stand: Stand, open_page: OpenPage, screenshots: Path
) -> None:
    await stand.feed(market())
    blank = await open_page("about:blank")
    faults: dict[str, list[str]] = {}
    for view in VIEWS:
        is_phone = view.viewport != DESKTOP
        page = await open_page(
            f"{stand.url}{view.path}",
            view.viewport,
            view.scheme,
            locale=view.locale,
            has_touch=is_phone,
            is_mobile=is_phone,
        )
        if view.path != "login":
            await expect_loaded(page)
        await view.step(page)
        picture = await page.screenshot(path=screenshots / f"{view.name}.png")
        found = await missing(page, picture, view.colors, blank)
        found += await page.evaluate(FAULTS, is_phone)
        if found:
            faults[view.name] = found
        await page.close()
    assert faults == {}, json.dumps(faults, indent=1, ensure_ascii=False)


async def test_what_is_broken_is_found(open_page: OpenPage) -> None:
    page = await open_page("about:blank", PHONE, has_touch=True, is_mobile=True)
    await page.set_content(BROKEN)
    assert await page.evaluate(FAULTS, True) == [
        "the page is 500 px wide",
        'div# "a row that scrolls sideways" scrolls sideways',
        'p# "cut off by its box" is cut off by p# "cut off by its box"',
        'button# "longer than the button" sticks out',
        'p# "under" overlaps p# "above"',
        'button# "low" is 24 px high',
    ]
