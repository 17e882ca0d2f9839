"""Language, numbers, theme and colors: as the browser has them, and as the reader chooses."""

import re
import time
from collections.abc import Iterator

from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, OpenPage
from tests.browser.pixels import pixels
from tests.browser.site import MINUTE_MS
from tests.browser.stand import Stand
from tests.browser.test_page import AXE
from tests.integration.filled_store import Given
from tests.waiting import eventually

BLOCKED_STORAGE = """\
Object.defineProperty(window, "localStorage", { get() { throw new Error("SecurityError"); } })
"""
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(244, 245, 247)", "rgb(11, 14, 19)"
GREEN, RED, BLUE = "rgb(8, 121, 90)", "rgb(196, 43, 61)", "rgb(31, 91, 196)"
OKABE_BLUE = "rgb(0, 107, 166)"


def walk(coin: str = "BTC", minutes: int = 30) -> Iterator[Given]:
    """Make candles up and down in turns, the last one up, of large and long numbers."""
    last = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS
    for minute in range(minutes):
        opened = last - (minutes - 1 - minute) * MINUTE_MS
        step = 1 if minute % 2 else -1
        for number in range(2):
            price = 1_234_567 + 1000 * minute + 3000 * number * step
            yield Given(coin, opened + number, f"{price}.25", "20000.123456789012345678")


async def open_filled(stand: Stand, open_page: OpenPage, **context: object) -> Page:
    """Open the page of a coin with candles."""
    await stand.feed(walk())
    page = await open_page(f"{stand.url}?coin=BTC", **context)
    await expect(page.locator("#summary")).to_contain_text("BTC")
    return page


async def test_a_korean_sees_korean_with_red_up_and_may_choose_english(
    stand: Stand, open_page: OpenPage
) -> None:
    page = await open_filled(stand, open_page, locale="ko-KR", timezone_id="Asia/Seoul")
    await expect(page.locator("html")).to_have_attribute("lang", "ko")
    await expect(page.locator("#price")).to_have_text("1,266,567.25")
    await expect(page.locator("#turnover")).to_contain_text("조")
    await expect(page.locator("#change")).to_have_css("color", RED)
    await expect(page.locator("#coins .change")).to_have_css("color", RED)
    of_tape = page.locator("#tape td[data-direction]")
    await expect(of_tape.and_(page.locator("[data-direction=up]")).first).to_have_css("color", RED)
    await expect(of_tape.and_(page.locator("[data-direction=down]")).first).to_have_css(
        "color", BLUE
    )
    assert await pixels(page, "down") > 1000  # the style sheet's red, which is up here

    await page.get_by_role("button", name="설정").click()
    await page.get_by_label("언어").select_option(label="English")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.get_by_role("heading", level=1)).to_have_text("BTC")
    await expect(page.locator("#turnover")).to_contain_text("T")
    await expect(page.locator("#change")).to_have_css("color", RED)
    await page.reload()
    await expect(page.get_by_role("button", name="Settings")).to_be_visible()


async def test_numbers_are_those_of_the_place(stand: Stand, open_page: OpenPage) -> None:
    places = {
        "de-DE": ("1.266.567,25", "20.000,123456789012345678"),
        "hi-IN": ("12,66,567.25", "20,000.123456789012345678"),
        "ar-EG": ("١٬٢٦٦٬٥٦٧٫٢٥", "٢٠٬٠٠٠٫١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨"),
    }
    for locale, (price, amount) in places.items():
        page = await open_filled(stand, open_page, locale=locale)
        await expect(page.locator("#price")).to_have_text(price)
        await expect(page.locator("#tape tr").first).to_contain_text(amount)
        await page.close()


async def test_the_colors_and_the_theme_are_chosen_by_keyboard_and_kept(
    stand: Stand, open_page: OpenPage
) -> None:
    page = await open_filled(stand, open_page)
    await expect(page.locator("#change")).to_have_css("color", GREEN)
    await page.get_by_role("button", name="Settings").press("Enter")
    dialog = page.get_by_role("dialog", name="Settings")
    await expect(dialog).to_be_visible()
    await page.get_by_label("Up and down").select_option(label="Red up, blue down")
    await expect(page.locator("#change")).to_have_css("color", RED)
    await page.get_by_label("Up and down").select_option("blue-orange")
    await expect(page.locator("#change")).to_have_css("color", OKABE_BLUE)

    async def is_recolored() -> bool:
        return await pixels(page, "up") == 0

    await eventually(is_recolored, "the chart has no green any more")

    async with page.expect_popup() as popup:
        await page.evaluate("open(location)")
    other = await popup.value
    await expect(other.locator("#summary")).to_contain_text("BTC")
    await page.get_by_label("Theme").select_option("Dark")
    assert await page.evaluate(BACKGROUND) == DARK
    await expect(other.locator("body")).to_have_css("background-color", DARK)
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await page.get_by_role("button", name="Use light theme").click()
    assert await page.evaluate(BACKGROUND) == LIGHT
    await expect(page.get_by_role("button", name="Use dark theme")).to_be_visible()
    await page.reload()
    assert await page.evaluate(BACKGROUND) == LIGHT
    await expect(page.locator("#change")).to_have_css("color", OKABE_BLUE)


async def test_where_the_storage_is_blocked_choices_hold_for_the_visit(
    stand: Stand, open_page: OpenPage
) -> None:
    await stand.feed(walk())
    page = await open_page("about:blank", PHONE)
    await page.add_init_script(BLOCKED_STORAGE)
    await page.goto(f"{stand.url}?coin=BTC")
    await page.get_by_role("button", name="Use dark theme").click()
    assert await page.evaluate(BACKGROUND) == DARK
    await page.get_by_role("button", name="Settings").click()
    await page.get_by_label("Language").select_option("ko")
    await expect(page.get_by_role("button", name="설정")).to_be_visible()
    await expect(page.locator("#summary")).to_contain_text(re.compile("BTC, 최신 1분 캔들"))
    await page.get_by_role("button", name="5분", exact=True).click()
    await expect(page.locator("#summary")).to_contain_text(re.compile("BTC, 최신 5분 캔들"))
    await page.reload()
    await page.get_by_role("button", name="설정").click()
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run().then((result) => result.violations)")
    assert [(it["id"], it["nodes"]) for it in found] == []


async def test_the_form_for_the_key_has_the_language_and_the_theme_too(
    stand: Stand, open_page: OpenPage, complaints: list[str]
) -> None:
    page = await open_page(f"{stand.url}login", PHONE, locale="ko-KR")
    await expect(page).to_have_title("로그인 · Trade Streaming")
    await expect(page.locator("html")).to_have_attribute("lang", "ko")
    await page.get_by_role("button", name="다크 테마로 변경").click()
    assert await page.evaluate(BACKGROUND) == DARK
    await page.get_by_label("키", exact=True).fill("no key")
    await page.get_by_role("button", name="로그인").click()
    await expect(page.get_by_role("alert")).to_contain_text("유효하지 않거나")
    assert complaints.pop().startswith("Failed to load resource")  # the 403
    assert await page.evaluate(BACKGROUND) == DARK
    await expect(page.get_by_label("언어")).to_have_value("ko")
    await page.get_by_label("언어").select_option("en")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run().then((result) => result.violations)")
    assert [(it["id"], it["nodes"]) for it in found] == []
