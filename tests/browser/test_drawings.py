"""What a reader draws on the chart, and where it stays."""

import base64
import json

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import PHONE, OpenPage
from tests.browser.pixels import FIND_BOX, Box, color, pixels
from tests.browser.site import MINUTE_MS
from tests.browser.stand import Stand
from tests.browser.test_chart import NOW_MS, walk
from tests.browser.test_page import AXE
from tests.integration.filled_store import Given
from tests.waiting import eventually

PRICE_AXIS_PX = 75
HOSTILE = [
    None,
    {"kind": "trend", "anchors": "no"},
    {"kind": "trend", "anchors": [{"time": 0, "price": 1e308}, {"time": 1, "price": -1e308}]},
    {"kind": "rectangle", "anchors": [{"time": 8.64e15, "price": -1e308}, {"time": 0, "price": 0}]},
    {"kind": "horizontal", "anchors": [{"time": -8.64e15, "price": 1e-308}]},
    *({"kind": "<img src=x onerror=alert(1)>", "anchors": []} for _ in range(10_000)),
]


async def box_of(page: Page, name: str = "drawing", beside_px: int = PRICE_AXIS_PX) -> Box | None:
    """Return where a color is on the chart, but for what is at its right."""
    png = base64.b64encode(await page.locator("#chart").screenshot()).decode()
    found = await page.evaluate(FIND_BOX, [png, color(name), beside_px])
    return found and Box(*found)


async def expect_box(page: Page, expected: Box) -> None:
    """Wait until the drawings are in a place."""

    async def is_there() -> bool:
        found = await box_of(page)
        return found is not None and found.is_near(expected)

    await eventually(is_there, f"the drawings are at {expected}")


async def open_chart(page: Page) -> Locator:
    """Wait until the candles are drawn."""
    await expect(page.locator("#summary")).to_contain_text("candle, opened")
    return page.locator("#chart")


async def choose(page: Page, tool: str) -> None:
    """Choose a drawing tool."""
    await page.get_by_role("button", name="Draw", exact=True).click()
    await page.get_by_role("button", name=tool).click()


async def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Press the mouse at one place of the chart and release it at another."""
    box = await page.locator("#chart").bounding_box()
    assert box
    await page.mouse.move(box["x"] + start[0], box["y"] + start[1])
    await page.mouse.down()
    await page.mouse.move(box["x"] + end[0], box["y"] + end[1], steps=2)
    await page.mouse.up()


async def time_at(page: Page, x: int, y: int) -> str:
    """Return the time of the candle at a place."""
    await page.locator("#chart").hover(position={"x": x, "y": y})
    time: str = await page.locator("#legend .time").inner_text()
    return time


async def test_a_drawing_stays_at_its_times_and_prices(stand: Stand, open_page: OpenPage) -> None:
    await stand.feed(walk("BTC", 240))
    page = await open_page(f"{stand.url}?coin=BTC")
    chart = await open_chart(page)
    await choose(page, "Trend line")
    await chart.click(position={"x": 300, "y": 200})
    await chart.click(position={"x": 604, "y": 300})
    await page.locator("#drawing-cancel").click()
    drawn = await box_of(page)
    assert drawn
    assert drawn.is_near(Box(300, 200, 604, 300))
    begin, end = (await time_at(page, drawn.left, 450), await time_at(page, drawn.right, 450))

    await page.reload()
    await open_chart(page)
    await expect_box(page, drawn)
    await chart.press("ArrowLeft")
    await expect_box(page, Box(drawn.left + 80, 200, drawn.right + 80, 300))
    await chart.press("End")
    for style in ("Line", "Candles"):
        await page.get_by_label("Chart style").select_option(style)
        await expect_box(page, drawn)
    await page.get_by_label("Time zone").select_option("Asia/Seoul")
    await expect(page.locator("#legend .time")).to_contain_text("15:59")
    await expect_box(page, drawn)
    await page.get_by_label("Time zone").select_option("UTC")
    await expect(page.locator("#legend .time")).to_contain_text("06:59")
    await expect_box(page, drawn)
    await page.get_by_label("Price scale").select_option("Log")

    async def log_box() -> Box | None:
        box = await box_of(page)
        return box if box and box.top != drawn.top else None

    log = await eventually(log_box, "the drawing is elsewhere on the scale")
    assert log
    assert log._replace(top=0, bottom=0).is_near(drawn._replace(top=0, bottom=0))
    await page.get_by_label("Price scale").select_option("Linear")

    # Of three minutes: within the candle of its time, or at most half a one beside it.
    await page.get_by_role("button", name="3m", exact=True).click()
    await expect(page.locator("#summary")).to_contain_text("3m candle")
    coarse = await eventually(lambda: box_of(page), "the drawing is there")
    assert coarse
    for x, time in ((coarse.left, begin), (coarse.right, end)):
        found = await time_at(page, x, 450)
        assert abs(minutes(found) - minutes(time)) < 3


def minutes(time: str) -> int:
    """Return the minute of a day that a legend names."""
    hour, minute = time.split()[1].split(":")
    return int(hour) * 60 + int(minute)


async def test_right_of_the_newest_candle_there_is_time_too(
    stand: Stand, open_page: OpenPage
) -> None:
    await stand.feed(walk("BTC", 240))
    page = await open_page(f"{stand.url}?coin=BTC")
    chart = await open_chart(page)
    # Of few candles each has 8 px, four of which are left free.
    width = await page.evaluate("document.querySelector('#chart canvas').clientWidth")
    await choose(page, "Trend line")
    await drag(page, (400, 200), (width - 12, 300))
    await page.locator("#drawing-cancel").click()
    for minute in range(4):
        await stand.feed([Given("BTC", NOW_MS + minute * MINUTE_MS, "1040")])
    await expect(page.locator("#summary")).to_contain_text("07:03")
    await chart.press("End")
    drawn = await box_of(page)
    assert drawn
    assert "07:02" in await time_at(page, drawn.right, 450)


async def test_drawings_are_moved_deleted_and_brought_back(
    stand: Stand, open_page: OpenPage
) -> None:
    await stand.feed([*walk("BTC", 240), *walk("ETH", 240)])
    page = await open_page(f"{stand.url}?coin=BTC")
    chart = await open_chart(page)
    await choose(page, "Rectangle")
    await drag(page, (300, 150), (500, 300))
    await expect_box(page, Box(295, 145, 505, 305))  # with handles
    await page.get_by_role("button", name="Draw", exact=True).click()
    await page.evaluate(AXE.read_text())
    assert await page.evaluate("axe.run().then((result) => result.violations)") == []
    await page.keyboard.press("Escape")
    await drag(page, (500, 300), (600, 350))
    await drag(page, (400, 150), (420, 160))
    await page.keyboard.press("Escape")
    moved = Box(320, 160, 620, 360)
    await expect_box(page, moved)
    scrolled = await time_at(page, 700, 450)

    # By keyboard: draw a line from the newest candle to the left, then delete both.
    await choose(page, "Trend line")
    for key in ("Enter", "Enter", *["Shift+ArrowLeft"] * 3, "ArrowUp", "Enter"):
        await page.keyboard.press(key)
    await expect(page.locator("#drawing-name")).to_contain_text("Trend line: 2026-03-04")
    await page.keyboard.press("Delete")
    await expect_box(page, moved)
    await page.keyboard.press("d")
    await page.keyboard.press("Delete")
    assert await pixels(page, "drawing") == 0
    await page.keyboard.press("Control+z")
    await expect_box(page, moved)
    assert await time_at(page, 700, 450) == scrolled

    await page.get_by_role("link", name="ETH").click()
    await expect(page.locator("#summary")).to_contain_text("ETH")
    assert await pixels(page, "drawing") == 0
    await page.get_by_role("link", name="BTC").click()
    await expect(page.locator("#summary")).to_contain_text("BTC")
    await expect_box(page, moved)

    await page.evaluate("localStorage.setItem('drawings BTC', '[]')")
    await page.reload()
    await open_chart(page)
    assert await pixels(page, "drawing") == 0
    await page.evaluate(f"localStorage.setItem('drawings BTC', {json.dumps(json.dumps(HOSTILE))})")
    await page.reload()
    await open_chart(page)
    await chart.press("d")
    await chart.press("ArrowUp")
    await expect(page.locator("#drawing-name")).to_contain_text("Trend line")
    await page.get_by_role("button", name="Draw", exact=True).click()
    await page.get_by_role("button", name="Delete all").click()
    kept = await page.evaluate("localStorage.getItem('drawings BTC')")
    assert kept == "[]"


async def test_a_finger_draws_and_selects(stand: Stand, open_page: OpenPage) -> None:
    await stand.feed(walk("BTC", 240))
    page = await open_page(f"{stand.url}?coin=BTC", PHONE, has_touch=True, is_mobile=True)
    chart = await open_chart(page)
    await page.get_by_role("button", name="Draw", exact=True).tap()
    await page.get_by_role("button", name="Trend line").tap()
    await expect(page.locator("#drawing-name")).to_have_text("Trend line: tap or drag.")
    await chart.scroll_into_view_if_needed()
    box = await chart.bounding_box()
    assert box
    touch = await page.context.new_cdp_session(page)

    async def send(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": box["x"] + x, "y": box["y"] + y} for x, y in points]
        await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    await send("touchStart", (80, 100))
    for step in range(1, 5):
        await send("touchMove", (80 + step * 30, 100 + step * 40))
    await send("touchEnd")
    await expect(page.locator("#drawing-name")).to_have_text("Trend line")
    await page.locator("#drawing-cancel").tap()
    await expect_box(page, Box(80, 100, 200, 260))
    assert await chart.bounding_box() == box  # the page has not scrolled

    await page.touchscreen.tap(box["x"] + 140, box["y"] + 185)
    remove = page.locator("#drawing-delete")
    size = await remove.bounding_box()
    assert size
    assert size["height"] >= 40
    await remove.tap()
    assert await pixels(page, "drawing") == 0
