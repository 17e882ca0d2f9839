"""The chart: how it is drawn, and by whose clocks."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import aiohttp
from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, OpenPage
from tests.browser.pixels import pixels
from tests.browser.site import MINUTE_MS, Candle, table
from tests.browser.stand import Stand
from tests.integration.filled_store import Given
from tests.waiting import eventually

HOUR_MS = 60 * MINUTE_MS
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


def offset_now(zone: tzinfo) -> timedelta:
    found = datetime.now(zone).utcoffset()
    assert found is not None
    return found


async def expect_table(page: Page, stand: Stand, interval: str, zone: tzinfo) -> None:
    """Wait until the table has the candles that REST has by the zone's offset of now."""
    offset = offset_now(zone)
    sign = "-" if offset < timedelta() else "+"
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    query = {"symbol": "BTC", "interval": interval, "timeZone": f"{sign}{hours}:{minutes:02}"}
    form = "%Y-%m-%d" if interval == "1d" else "%Y-%m-%d %H:%M"
    async with (
        aiohttp.ClientSession(raise_for_status=True) as http,
        http.get(f"{stand.url}api/v3/klines", params=query) as answer,
    ):
        rows = await answer.json()
    opened = [datetime.fromtimestamp(row[0] / 1000, zone).strftime(form) for row in rows]
    expected = [Candle.read(at, row[1:6], row[8]) for at, row in zip(opened, rows, strict=True)]

    async def same() -> bool:
        return await table(page) == expected

    await eventually(same, f"the page has the candles of {interval}")


#: The points that begin a day, by the page's module for the marks of the axis.
DAYS = """\
async ([name, times]) => {
  const { ZonedTimes, tickMarkFormatter } = await import("/page/chart/tick_marks.js");
  const { zoneOf } = await import("/page/text/zone.js");
  const zone = zoneOf(name);
  const points = times.map((time) => ({ originalTime: time, timeWeight: 0 }));
  const zoned = new ZonedTimes();
  zoned.zone = zone;
  zoned.fillWeightsForPoints(points, 0);
  const format = tickMarkFormatter("en", zone);
  const days = points.slice(1).filter(({ timeWeight }) => timeWeight >= 50);
  return days.map(({ originalTime }) =>
    [originalTime, format(originalTime, 1), format(originalTime, 2), format(originalTime, 3)]);
}
"""


async def test_days_and_hours_are_those_of_the_reader(stand: Stand, open_page: OpenPage) -> None:
    """New York put its clocks forward on 2026-03-08."""
    end_ms = NOW_MS + 6 * 24 * HOUR_MS
    await stand.feed(walk("BTC", 240, end_ms, HOUR_MS))
    for name in ("Asia/Seoul", "Asia/Kolkata", "America/New_York"):
        page = await open_page(f"{stand.url}?coin=BTC&interval=1d", timezone_id=name)
        await page.get_by_role("button", name="Table").click()
        zone = ZoneInfo(name)
        days = timezone(offset_now(zone))
        await expect_table(page, stand, "1d", days)
        await stand.feed([Given("BTC", end_ms - HOUR_MS // 2, f"50{name.index('/')}.5")])
        await expect_table(page, stand, "1d", days)
        await page.get_by_role("button", name="4h", exact=True).click()
        await expect_table(page, stand, "4h", zone)
        last = datetime.fromtimestamp((end_ms - HOUR_MS // 2) / 1000, zone)
        await expect(page.locator("#tape tr").first).to_contain_text(last.strftime("%H:%M:%S"))

        times = [end_ms // 1000 - 1800 * number for number in range(480, 0, -1)]
        found = await page.evaluate(DAYS, [name, times])
        local = [datetime.fromtimestamp(time, zone) for time in times]
        midnights = [at for at in local[1:] if (at.hour, at.minute) == (0, 0)]
        assert len(midnights) in {9, 10}
        assert found == [
            [at.timestamp(), at.strftime("%b"), str(at.day), "00:00"] for at in midnights
        ]
        await page.close()


async def test_a_chosen_zone_stands_in_the_address(stand: Stand, open_page: OpenPage) -> None:
    await stand.feed(walk("BTC", 5))
    page = await open_page(f"{stand.url}?coin=BTC", PHONE, timezone_id="Asia/Seoul")
    await expect(page.locator("#legend")).to_contain_text("2026-03-04 15:59 UTC+9")
    await expect(page.locator("#legend .time")).to_be_visible()
    await expect(page.locator("#trade-time")).to_have_text("Time (Local)")
    await page.get_by_label("Time zone").select_option("+05:30")
    await expect(page.locator("#legend")).to_contain_text("2026-03-04 12:29 UTC+5:30")
    await expect(page.locator("#summary")).to_contain_text("opened 2026-03-04 12:29 UTC+5:30:")
    await expect(page.locator("#tape tr").first).to_contain_text("12:29:00")
    await expect(page.locator("#trade-time")).to_have_text("Time (UTC+5:30)")
    assert page.url == f"{stand.url}?coin=BTC&zone=%2B05%3A30"
    await page.goto(f"{stand.url}?coin=BTC&zone=America/New_York")
    await expect(page.locator("#legend")).to_contain_text("2026-03-04 01:59 UTC−5")
    await expect(page.get_by_label("Time zone")).to_have_value("America/New_York")
    await expect(page.locator("#trade-time")).to_have_text("Time (New York)")


#: Notes what is written on canvases, which is the axes and their labels: text and height in px.
NOTE_TEXTS = """\
window.written = [];
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
  const at = this.getTransform().transformPoint(new DOMPoint(x, y)).y / devicePixelRatio;
  window.written.push([text, at]);
  return fillText.call(this, text, x, y, ...rest);
};
"""


async def written(page: Page) -> dict[str, float]:
    """Return what has been written since this was last called, and how far down."""
    texts: list[tuple[str, float]] = await page.evaluate("window.written.splice(0)")
    return dict(texts)


async def test_the_badge_has_the_last_price_wherever_the_chart_is(
    stand: Stand, open_page: OpenPage
) -> None:
    """The prices in view end in .37, the last one does not, and is far above them."""
    first_ms = NOW_MS - 400 * MINUTE_MS
    await stand.feed(
        Given("BTC", first_ms + at * MINUTE_MS, f"{100 + at % 7}.37") for at in range(400)
    )
    await stand.feed([Given("BTC", NOW_MS - 1, "2345.68")])
    page = await open_page("about:blank")
    await page.add_init_script(NOTE_TEXTS)
    await page.goto(f"{stand.url}?coin=BTC")
    await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
    latest = page.get_by_role("button", name="Latest", exact=True)
    await expect(latest).to_be_disabled()

    async def badge() -> dict[str, float]:
        """Return what is written, once the badge is."""
        texts = await written(page)
        return texts if "2,345.68" in texts else {}

    await eventually(badge, "the badge is drawn")
    for scale in ("Linear", "Log", "Percent"):
        await page.get_by_label("Price scale").select_option(scale)
        await page.locator("#chart").focus()
        for _ in range(20):
            await page.keyboard.press("ArrowLeft")
        await expect(latest).to_be_enabled()
        await written(page)

        await page.keyboard.press("ArrowLeft")
        texts = await eventually(badge, "the badge is drawn")
        assert 0 < texts["2,345.68"] < 30
        assert not [text for text in texts if text.endswith(".37")]
        await latest.click()
        await expect(latest).to_be_disabled()


async def test_the_running_candle_counts_down_by_the_clock_of_the_server(
    stand: Stand, open_page: OpenPage
) -> None:
    stand.now_ms = NOW_MS + 17_500
    await stand.feed(walk("BTC", 5))
    page = await open_page("about:blank", PHONE)
    await page.add_init_script(NOTE_TEXTS)
    await page.goto(f"{stand.url}?coin=BTC&interval=1h")
    await expect(page.locator("#summary")).to_contain_text("latest 1h candle")
    await stand.feed([Given("BTC", NOW_MS + 17_000, "1005")])

    async def remaining_s() -> int:
        """Return the least; 0 where there is none."""
        found = [re.fullmatch(r"(5[0-9]):([0-5][0-9])", text) for text in await written(page)]
        return min((int(it[1]) * 60 + int(it[2]) for it in found if it), default=0)

    first = await eventually(remaining_s, "the candle counts down")
    assert first <= 59 * 60 + 43

    async def is_less() -> bool:
        return 0 < await remaining_s() < first

    await eventually(is_less, "it counts on")
