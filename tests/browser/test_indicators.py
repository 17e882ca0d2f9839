"""The indicators: their values, computed here by themselves, and what is seen of them."""

import base64
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from playwright.async_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, PHONE_ON_ITS_SIDE, OpenPage
from tests.browser.pixels import FIND_BOX, Box, color, pixels
from tests.browser.site import MINUTE_MS
from tests.browser.stand import Stand
from tests.browser.test_chart import NOW_MS
from tests.browser.test_page import AXE
from tests.integration.filled_store import Given

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
#: Late in a day, in UTC.
END_MS = NOW_MS - NOW_MS % DAY_MS + 20 * HOUR_MS
ALL = "sma-20,ema-9,bb-20-2.5,vwap,rsi-14,macd-12-26-9"
NO_VALUE = "–"
SHOW_LEGENDS = """\
(visibility) => {
  for (const legend of document.querySelectorAll(".legend")) legend.style.visibility = visibility;
}
"""


class Bar(NamedTuple):
    """A candle of three trades."""

    opened: int
    prices: tuple[float, ...]
    amounts: tuple[float, ...]

    @property
    def close(self) -> float:
        """Return the last price."""
        return self.prices[-1]

    def trades(self, coin: str) -> Iterator[Given]:
        """Give what the candle is made of."""
        for at, (price, amount) in enumerate(zip(self.prices, self.amounts, strict=True)):
            yield Given(coin, self.opened + at, f"{price:.2f}", f"{amount:.2f}")


def bars(count: int, end_ms: int = END_MS, base: int = 1000) -> list[Bar]:
    """Make candles, of which no two have the same close."""
    made = []
    for number in range(count):
        price = base + number * 7919 % 2003 / 10 + 30 * math.sin(number / 9)
        prices = (price, round(price + number % 7, 2), round(price - number % 5 - number / 1e3, 2))
        amounts = (1.5, 0.25 + number % 3, 2)
        made.append(Bar(end_ms - (count - number) * MINUTE_MS, prices, amounts))
    return made


def merged(parts: Sequence[Bar]) -> Bar:
    """Make one candle of several."""
    prices = tuple(price for bar in parts for price in bar.prices)
    return Bar(parts[0].opened, prices, tuple(it for bar in parts for it in bar.amounts))


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def smoothed(values: Sequence[float], length: int, weight: float) -> list[float]:
    """Average exponentially, from the mean of the first values on."""
    averages = [mean(values[:length])]
    for value in values[length:]:
        averages.append(weight * value + (1 - weight) * averages[-1])
    return averages


def ema(values: Sequence[float], length: int) -> list[float]:
    return smoothed(values, length, 2 / (length + 1))


def vwap(shown: Sequence[Bar], ahead_ms: int = 0) -> float:
    """Weigh the typical prices of the newest day, by clocks that are ahead of UTC."""
    days = [(bar.opened + ahead_ms) // DAY_MS for bar in shown]
    day = [bar for bar, number in zip(shown, days, strict=True) if number == days[-1]]
    volumes = [sum(bar.amounts) for bar in day]
    typical = [(max(bar.prices) + min(bar.prices) + bar.close) / 3 for bar in day]
    weighted = [one * other for one, other in zip(volumes, typical, strict=True)]
    return math.fsum(weighted) / math.fsum(volumes)


def legend(shown: Sequence[Bar]) -> list[str]:
    """Return what the legends of :data:`ALL` say of the last of some candles."""
    closes = [bar.close for bar in shown]
    last = closes[-20:]
    deviation = math.sqrt(mean([(close - mean(last)) ** 2 for close in last]))
    changes = [after - before for before, after in itertools.pairwise(closes)]
    rise = smoothed([max(change, 0) for change in changes], 14, 1 / 14)[-1]
    fall = smoothed([max(-change, 0) for change in changes], 14, 1 / 14)[-1]
    slow = ema(closes, 26)
    macd = [one - other for one, other in zip(ema(closes, 12)[14:], slow, strict=True)]
    signal = ema(macd, 9)[-1]
    values = {
        "SMA 20": [mean(last)],
        "EMA 9": [ema(closes, 9)[-1]],
        "BB 20 2.5": [mean(last), *(mean(last) + sign * 2.5 * deviation for sign in (1, -1))],
        "VWAP": [vwap(shown)],
        "RSI 14": [100 - 100 / (1 + rise / fall)],
        "MACD 12 26 9": [macd[-1] - signal, macd[-1], signal],
    }
    return [" ".join([name, *map("{:,.2f}".format, found)]) for name, found in values.items()]


async def expect_legend(page: Page, expected: list[str]) -> None:
    """Wait until the legends say so: first those over the candles, then those of the panes."""
    over = page.locator("#study-legend .study")
    below = page.locator(".pane-legend .study")
    await expect(over).to_have_text(expected[: await over.count()])
    await expect(below).to_have_text(expected[await over.count() :])


async def height_of(page: Page, name: str) -> int:
    """Return how high what a pane has in a color is, in px."""
    await page.evaluate(SHOW_LEGENDS, "hidden")
    png = await page.locator("td:has(> .pane-legend)").screenshot()
    found = await page.evaluate(FIND_BOX, [base64.b64encode(png).decode(), color(name), 0])
    return Box(*found).bottom - Box(*found).top


async def pane_heights(page: Page) -> list[float]:
    """Return how high the panes below the candles are, in px."""
    heights = "(legends) => legends.map(({ parentElement }) => parentElement.offsetHeight)"
    found: list[float] = await page.locator(".pane-legend").evaluate_all(heights)
    return found


async def test_values_are_those_of_the_candle_under_the_pointer_and_follow_each_trade(
    stand: Stand, open_page: OpenPage
) -> None:
    stand.now_ms = END_MS + MINUTE_MS
    shown = bars(150)
    await stand.feed(trade for bar in shown for trade in bar.trades("BTC"))
    page = await open_page(f"{stand.url}?coin=BTC&studies={ALL}")
    await expect_legend(page, legend(shown))
    await page.evaluate(SHOW_LEGENDS, "hidden")
    for number in range(1, 7):
        assert await pixels(page, f"study-{number}") > 30
    await page.evaluate(SHOW_LEGENDS, "visible")

    closed = page.locator("#legend .figure", has_text="C").last
    for x in (200, 500):
        await page.locator("#chart").hover(position={"x": x, "y": 200})
        text = (await closed.inner_text()).removeprefix("C").strip().replace(",", "")
        index = [f"{bar.close:.2f}" for bar in shown].index(text)
        assert index < len(shown) - 1
        await expect_legend(page, legend(shown[: index + 1]))
    await page.mouse.move(0, 0)
    await expect_legend(page, legend(shown))

    # A trade in the newest candle, one that begins another, and a late one in an older candle.
    for opened, bar in (
        (shown[-1].opened, shown[-1]),
        (END_MS, None),
        (shown[90].opened, shown[90]),
    ):
        prices = (*(bar.prices if bar else ()), 1234.56)
        amounts = (*(bar.amounts if bar else ()), 3)
        changed = Bar(opened, prices, amounts)
        await stand.feed([Given("BTC", opened + 30_000, "1234.56", "3")])
        shown = sorted([*(it for it in shown if it.opened != opened), changed])
        await expect_legend(page, legend(shown))


async def test_lines_stay_at_their_prices_on_every_scale_and_in_every_style(
    stand: Stand, open_page: OpenPage
) -> None:
    shown = bars(150)
    await stand.feed(trade for bar in shown for trade in bar.trades("BTC"))
    # Of one candle the average is its close, so the one line covers the other.
    page = await open_page(f"{stand.url}?coin=BTC&style=line&studies=sma-1,rsi-14")
    await expect_legend(page, [f"SMA 1 {shown[-1].close:,.2f}", legend(shown)[4]])
    heights = []
    for scale in ("Linear", "Log", "Percent"):
        await page.get_by_label("Price scale").select_option(scale)
        await page.get_by_label("Chart style").select_option("Area")
        await page.get_by_label("Chart style").select_option("Line")
        assert await pixels(page, "study-1") > 1000
        assert await pixels(page, "accent") < 1500  # its badge, and what shows beside the other
        await page.reload()
        await expect_legend(page, [f"SMA 1 {shown[-1].close:,.2f}", legend(shown)[4]])
        heights.append(await height_of(page, "study-2"))
    assert max(heights) < 1.2 * min(heights)  # RSI has a scale of its own


async def test_they_are_chosen_by_keyboard_and_a_link_shows_the_same(
    stand: Stand, open_page: OpenPage
) -> None:
    shown = bars(150)
    await stand.feed(trade for bar in shown for trade in bar.trades("BTC"))
    page = await open_page(f"{stand.url}?coin=BTC")
    await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
    over, below = page.locator("#study-legend .name"), page.locator(".pane-legend .name")
    await page.get_by_role("button", name="Indicators").press("Enter")
    for kind in ("SMA", "Bollinger", "MACD", "RSI"):
        await page.get_by_role("checkbox", name=kind).first.press("Space")
    await expect(over).to_have_text(["SMA 20", "BB 20 2"])
    await expect(below).to_have_text(["MACD 12 26 9", "RSI 14"])
    assert page.url.endswith("?coin=BTC&studies=sma-20,bb-20-2,macd-12-26-9,rsi-14")

    # Another of the kind is offered at once; a number that cannot be becomes the nearest.
    await page.get_by_role("checkbox", name="SMA").nth(1).press("Space")
    length = page.get_by_role("spinbutton", name="Length").nth(1)
    await length.fill("99999")
    await length.press("Enter")
    await expect(length).to_have_value("500")
    await page.get_by_role("spinbutton", name="Fast").fill("1")
    await page.get_by_role("checkbox", name="Bollinger").first.press("Space")
    await expect(over).to_have_text(["SMA 20", "SMA 500"])
    await expect(below).to_have_text(["MACD 1 26 9", "RSI 14"])
    assert page.url.endswith("studies=sma-20,macd-1-26-9,rsi-14,sma-500")
    await page.evaluate(AXE.read_text())
    assert await page.evaluate("axe.run().then(({ violations }) => violations)") == []
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Indicators")).to_be_focused()

    link = page.url
    texts = await page.locator(".study").all_inner_texts()
    other = await open_page(link)
    await expect(other.locator(".study")).to_have_text(texts)
    assert NO_VALUE in texts[-1]  # there are no 500 candles


async def test_nothing_in_a_link_harms(stand: Stand, open_page: OpenPage) -> None:
    shown = bars(30)
    await stand.feed(trade for bar in shown for trade in bar.trades("BTC"))
    hostile = "<img src=x onerror=alert(1)>,sma-1e9,sma--1,constructor-1,bb-2-99," + "rsi-0," * 9999
    page = await open_page(f"{stand.url}?coin=BTC&studies=ema-9,{hostile[:6000]}")
    await expect_legend(page, [f"EMA 9 {ema([bar.close for bar in shown], 9)[-1]:,.2f}"])


async def test_panes_can_be_used_on_a_phone(stand: Stand, open_page: OpenPage) -> None:
    shown = bars(150)
    await stand.feed(trade for bar in shown for trade in bar.trades("BTC"))
    for viewport in (DESKTOP, PHONE, PHONE_ON_ITS_SIDE):
        page = await open_page(f"{stand.url}?coin=BTC&studies={ALL}", viewport, has_touch=True)
        await expect_legend(page, legend(shown))
        heights = await pane_heights(page)
        assert len(heights) == 2
        assert min(heights) > 60, viewport
        await page.get_by_role("button", name="Indicators").tap()
        await page.get_by_role("checkbox", name="RSI").first.tap()
        await expect(page.locator(".pane-legend")).to_have_text(legend(shown)[5])
        assert min(await pane_heights(page)) > 60
        await page.get_by_role("checkbox", name="MACD").tap()
        await expect(page.locator(".pane-legend")).to_have_count(0)
        await page.close()


async def test_older_candles_are_computed_in_and_each_coin_and_interval_has_its_own(
    stand: Stand, open_page: OpenPage
) -> None:
    shown = bars(1500)  # more than a page, and more than the day has
    other = bars(40, base=50)
    await stand.feed(trade for bar in shown for trade in bar.trades("BTC"))
    await stand.feed(trade for bar in other for trade in bar.trades("ETH"))
    page = await open_page(f"{stand.url}?coin=BTC&studies=sma-20,vwap")
    await expect_legend(page, [legend(shown)[0], f"VWAP {vwap(shown):,.2f}"])
    await page.get_by_role("link", name="ETH").click()
    await expect_legend(page, [legend(other)[0], f"VWAP {vwap(other):,.2f}"])
    await page.get_by_role("button", name="30m").click()
    halves = [merged(other[:10]), merged(other[10:])]
    await expect_legend(page, [f"SMA 20 {NO_VALUE}", f"VWAP {vwap(halves):,.2f}"])

    page = await open_page(f"{stand.url}?coin=BTC&studies=vwap", timezone_id="Asia/Seoul")
    await expect_legend(page, [f"VWAP {vwap(shown, 9 * HOUR_MS):,.2f}"])
