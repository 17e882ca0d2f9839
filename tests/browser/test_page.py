"""The live page in a real browser, before real programs."""

import base64
import itertools
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.browser.site import MINUTE_MS, Candle, Site, Trade, table
from tests.conftest import Cluster, StartProgram
from tests.programs import ROOT
from tests.waiting import eventually, in_time

MARKUP = "<img src=x onerror=alert(1)>"
AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
SAMPLE = ROOT / "trading_app/sample/coinbase_btcusd_trades_2023-09-05.csv.gz"
SAMPLE_TRADES = 5882
SAMPLE_END_MS = 1_693_933_199_000
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

#: Counts the pixels of a picture that have a color, or nearly so.
COUNT_PIXELS = """\
async ([png, color]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (color.every((value, channel) => Math.abs(data[at + channel] - value) < 8)) count++;
  }
  return count;
}
"""


@pytest.fixture
def site(cluster: Cluster, start: StartProgram, tmp_path: Path) -> Site:
    """Start both programs."""
    return Site(cluster, start, tmp_path)


def now() -> int:
    return int(time.time() * 1000)


def walk(coin: str, minutes: int, start: int = 1000, end: int | None = None) -> Iterator[Trade]:
    """Make three trades in each of the last minutes, up and down in turns."""
    last = (end or now()) // MINUTE_MS * MINUTE_MS
    for minute in range(minutes):
        opened = last - (minutes - 1 - minute) * MINUTE_MS
        price = start + (minute * 7919) % 97
        step = 20 if minute % 2 else -20
        for number in range(3):
            yield Trade(coin, opened + number, f"{price + number * step}.5", f"0.{minute % 7 + 1}")


def color(name: str) -> list[int]:
    """Return a color of the light style sheet."""
    style = (ROOT / "chart_app/web/page/styles/base.css").read_text()
    found = re.search(rf"--{name}: light-dark\(#(\w{{6}}),", style)
    assert found
    return list(bytes.fromhex(found[1]))


async def pixels(page: Page, name: str) -> int:
    """Count the pixels of the chart, as one sees it, in a color."""
    png = base64.b64encode(await page.locator("#chart").screenshot()).decode()
    count: int = await page.evaluate(COUNT_PIXELS, [png, color(name)])
    return count


async def expect_candles(page: Page, expected: list[Candle]) -> None:
    """Wait until the page's table has these candles and no others."""

    async def same() -> bool:
        return await table(page) == expected

    await eventually(same, f"the page has {len(expected)} candles")


async def expect_live(page: Page) -> None:
    await expect(page.locator("#connection")).to_have_text("Live")


async def test_replayed_candles_are_drawn(site: Site, open_page: OpenPage) -> None:
    await site.replay(walk("BTC", 60))
    page = await open_page(site.url)
    await expect(page.get_by_role("heading", level=1)).to_have_text("BTC")
    await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
    # A wick alone would be some hundred pixels.
    assert await pixels(page, "up") > 1000
    assert await pixels(page, "down") > 1000

    await page.get_by_role("button", name="Table").click()
    expected = await site.candles("BTC")
    assert len(expected) == 60
    await expect_candles(page, expected)


async def test_a_posted_trade_moves_the_page_within_a_second(
    site: Site, open_page: OpenPage
) -> None:
    await site.post(*walk("BTC", 5))
    page = await open_page(site.url)
    await expect(page.locator("#price")).not_to_be_empty()
    before = await page.locator("#chart").screenshot()
    prices = itertools.count(4321)

    async def attempt() -> float:
        price = next(prices)
        await site.post(Trade("BTC", now(), f"{price}.25", "0.125"))
        begin = time.monotonic()
        await expect(page.locator("#price")).to_have_text(f"{price:,}.25")
        newest = page.locator("#tape tr").first
        await expect(newest).to_contain_text(f"{price:,}.25")
        duration = time.monotonic() - begin
        await expect(newest).to_contain_text("0.125")
        return duration

    await in_time(1, attempt)
    assert await page.locator("#chart").screenshot() != before


async def test_an_empty_page_becomes_a_chart_by_itself(site: Site, open_page: OpenPage) -> None:
    page = await open_page(site.url)
    await expect(page.get_by_text("No trades yet")).to_be_visible()
    await expect(page.get_by_text("curl localhost:3000")).to_be_visible()
    await site.post(Trade("PEPE", now(), "0.00000152", "5000000"))
    await expect(page.locator("#price")).to_have_text("0.00000152")
    await expect(page.get_by_text("No trades yet")).to_be_hidden()
    assert await pixels(page, "up") > 0

    await site.post(Trade("BTC", now(), "91234.5"))  # and a coin more
    await expect(page.locator("#coin-rows [data-coin=BTC]")).to_contain_text("91,234.5")


async def test_a_restart_of_chart_app_leaves_no_hole_and_no_double(
    site: Site, open_page: OpenPage, complaints: list[str]
) -> None:
    end = now() - 10 * MINUTE_MS
    await site.replay(walk("BTC", 30, end=end))
    page = await open_page(site.url)
    await page.get_by_role("button", name="Table").click()
    await expect_candles(page, await site.candles("BTC"))

    site.chart.stop()
    await expect(page.locator("#connection")).to_have_text("Reconnecting")
    late = Trade("BTC", end - 20 * MINUTE_MS, "1234.5")
    await site.post(*walk("BTC", 5, end=end + 7 * MINUTE_MS), late)
    site.chart.start().wait_ready()
    await expect_live(page)
    await site.post(Trade("BTC", end + 8 * MINUTE_MS, "1111.5"))

    async def all_are_there() -> bool:
        return sum(candle.trades for candle in await site.candles("BTC")) == 30 * 3 + 5 * 3 + 2

    await eventually(all_are_there, "all trades are stored")
    expected = await site.candles("BTC")
    assert len(expected) == 30 + 5 + 1
    await expect_candles(page, expected)
    await page.get_by_role("button", name="Table").click()
    assert await pixels(page, "up") > 1000

    # While the server is away, the browser itself complains.
    complaints[:] = [it for it in complaints if not re.search(r"WebSocket|ERR_", it)]


async def test_a_server_that_says_nothing_is_noticed(site: Site, open_page: OpenPage) -> None:
    await site.post(*walk("BTC", 2))
    page = await open_page(site.url)
    await expect_live(page)
    site.chart.signal(signal.SIGSTOP)
    await expect(page.locator("#connection")).to_have_text("No answer", timeout=20_000)
    site.chart.signal(signal.SIGCONT)
    await expect_live(page)


async def test_coin_and_interval_change_with_the_address(site: Site, open_page: OpenPage) -> None:
    await site.replay([*walk("BTC", 90), *walk("ETH", 30, start=200)])
    page = await open_page(f"{site.url}?coin=BTC&interval=1m")
    await expect(page.locator("#summary")).to_contain_text("BTC, latest 1m candle")

    await page.get_by_role("link", name="ETH").click()
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 1m candle")
    await page.get_by_role("button", name="15m", exact=True).click()
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 15m candle")
    assert page.url == f"{site.url}?coin=ETH&interval=15m"
    await page.get_by_role("button", name="Table").click()
    await expect_candles(page, await site.candles("ETH", "15m"))

    await page.go_back()
    await page.go_back()
    await expect(page.locator("#summary")).to_contain_text("BTC, latest 1m candle")
    await expect_candles(page, await site.candles("BTC"))
    await page.goto(f"{site.url}?coin=eth&interval=1h")
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 1h candle")
    await page.goto(f"{site.url}?coin=SOL&interval=1h")
    await expect(page.get_by_text("There are no trades of SOL yet.")).to_be_visible()


async def test_older_candles_load_on_the_way_to_the_left(site: Site, open_page: OpenPage) -> None:
    await site.replay(walk("BTC", 1500))
    page = await open_page(site.url)
    await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
    chart = page.locator("#chart")
    await chart.focus()
    for _ in range(100):
        await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("button", name="Latest", exact=True)).to_be_enabled()
    await page.get_by_role("button", name="Table").click()
    await expect(page.locator("#table tbody tr")).to_have_count(1500)
    held = await table(page)
    assert len({candle.opened for candle in held}) == 1500
    assert held[-1000:] == await site.candles("BTC")

    await page.get_by_role("button", name="Table").click()
    await chart.focus()
    await page.keyboard.press("End")
    await expect(page.get_by_role("button", name="Latest", exact=True)).to_be_disabled()


async def test_a_name_of_markup_is_text(site: Site, open_page: OpenPage) -> None:
    awkward = 'A/b @x "q" 中文'
    await site.post(*walk(MARKUP, 2), *walk(awkward, 3))
    page = await open_page(site.url)
    await page.get_by_role("link", name=MARKUP).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    await expect(page.locator("#summary")).to_contain_text(f"{MARKUP}, latest 1m candle")
    assert await page.locator("img[src=x]").count() == 0

    await page.get_by_role("link", name=awkward).click()
    await expect(page.locator("#summary")).to_contain_text(f"{awkward}, latest 1m candle")
    await site.post(Trade(awkward, now(), "77.5"))
    await expect(page.locator("#price")).to_have_text("77.5")
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text(awkward)


async def test_a_late_trade_redraws_its_candle(site: Site, open_page: OpenPage) -> None:
    end = now()
    await site.replay(walk("BTC", 10, end=end))
    page = await open_page(site.url)
    await page.get_by_role("button", name="Table").click()
    await expect_candles(page, await site.candles("BTC"))
    price = await page.locator("#price").text_content()
    assert price

    minute = (end // MINUTE_MS - 4) * MINUTE_MS
    await site.post(Trade("BTC", minute + 1000, "3000.5"))  # amends a candle
    await expect(page.get_by_role("cell", name="3,000.5").first).to_be_visible()
    await site.post(Trade("BTC", minute - 30 * MINUTE_MS, "2000.5"))  # makes one
    await expect(page.get_by_role("cell", name="2,000.5").first).to_be_visible()
    expected = await site.candles("BTC")
    assert len(expected) == 11
    await expect_candles(page, expected)
    await expect(page.locator("#price")).to_have_text(price)

    await page.get_by_role("button", name="Table").click()
    await expect(page.locator("#table")).to_be_hidden()
    assert await pixels(page, "up") > 100


async def test_trades_of_the_past_hour_arrive_after_one_of_now(
    site: Site, open_page: OpenPage
) -> None:
    """As the README has it: the first trade, then ``make demo``."""
    end = now()
    await site.post(Trade("BTC", end, "1000.5"))
    page = await open_page(site.url)
    await page.get_by_role("button", name="Table").click()
    await expect_candles(page, await site.candles("BTC"))
    for minutes in (60, 59, 58):
        await site.post(Trade("BTC", end - minutes * MINUTE_MS, f"2000.{minutes}"))
        await expect(page.get_by_role("cell", name=f"2,000.{minutes}").first).to_be_visible()
    await expect_candles(page, await site.candles("BTC"))
    await page.get_by_role("button", name="Table").click()
    await expect(page.locator("#table")).to_be_hidden()
    assert await pixels(page, "up") > 100


async def test_it_is_used_by_keyboard_and_remembers_the_theme(
    site: Site, open_page: OpenPage
) -> None:
    await site.post(*walk("BTC", 5), *walk("ETH", 2))
    page = await open_page(site.url)
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


async def test_axe_finds_no_fault(site: Site, open_page: OpenPage) -> None:
    await site.post(*walk("BTC", 5), *walk(MARKUP, 2))
    found = []
    for scheme in ("light", "dark"):
        for viewport in (DESKTOP, PHONE):
            page = await open_page(site.url, viewport=viewport, scheme=scheme)
            await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
            await page.evaluate(AXE.read_text())
            for view in ("chart", "table"):
                if view == "table":
                    await page.get_by_role("button", name="Table").click()
                violations = await page.evaluate("axe.run().then((result) => result.violations)")
                found += [(scheme, viewport, view, it["id"], it["nodes"]) for it in violations]
            await page.close()
    assert found == []


async def test_pictures_for_the_readme(site: Site, open_page: OpenPage, screenshots: Path) -> None:
    await site.replay_file(SAMPLE, SAMPLE_TRADES)
    for coin, prices in OTHERS.items():
        trades = [Trade(coin, SAMPLE_END_MS - 3 + at, it) for at, it in enumerate(prices)]
        await site.post(*trades)
    for name, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
        page = await open_page(f"{site.url}?coin=BTC-USD&interval=1m", viewport=viewport)
        await expect(page.locator("#summary")).to_contain_text("latest 1m candle")
        await expect_live(page)
        picture = await page.screenshot(path=screenshots / f"{name}.png")
        assert len(picture) > 10_000
        await page.close()


async def test_voided_trades_leave_the_page_and_come_back(site: Site, open_page: OpenPage) -> None:
    end = now() - 10 * MINUTE_MS
    await site.replay([*walk("BTC", 10, end=end), *walk("ETH", 3, start=500, end=end)])
    page = await open_page(f"{site.url}?coin=BTC")
    await page.get_by_role("button", name="Table").click()
    right = await site.candles("BTC")
    await expect_candles(page, right)
    price = await page.locator("#price").text_content()
    assert price
    begin = end // MINUTE_MS * MINUTE_MS + MINUTE_MS
    for number in range(3):
        await site.post(Trade("BTC", begin + number * MINUTE_MS, f"{1000002 - number}.5"))
    await expect(page.locator("#price")).to_have_text("1,000,000.5")
    wrong = await site.candles("BTC")
    await expect_candles(page, wrong)

    async def run(*options: str) -> float:
        await site.run("void", *options, "--why", "a test")
        return time.monotonic()

    chosen = ("--coin", "BTC", "--from", str(begin), "--to", str(begin + 3 * MINUTE_MS))
    numbers = itertools.count(1)

    async def attempt() -> float:
        done = await run(*chosen)
        await expect(page.locator("#table tbody tr")).to_have_count(len(right))
        await expect(page.locator("#price")).to_have_text(price)
        await expect(page.locator("#tape tr").first).not_to_contain_text("1,000,000.5")
        duration = time.monotonic() - done
        await expect_candles(page, right)
        await expect(page.locator("#tape tr")).to_have_count(30)
        await expect(page.locator("#coin-rows [data-coin=BTC]")).to_contain_text(price)

        await run("--undo", str(next(numbers)))
        next(numbers)  # the undo's
        await expect(page.locator("#price")).to_have_text("1,000,000.5")
        await expect(page.locator("#tape tr").first).to_contain_text("1,000,000.5")
        await expect_candles(page, wrong)
        return duration

    await in_time(1, attempt)
    await page.get_by_role("button", name="Table").click()
    assert await pixels(page, "up") > 100


async def test_a_coin_leaves_the_page_with_its_last_trade(site: Site, open_page: OpenPage) -> None:
    await site.replay([*walk("BTC", 10), *walk("ETH", 3, start=500)])
    page = await open_page(f"{site.url}?coin=ETH")
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 1m candle")
    await site.run("void", "--coin", "ETH", "--from", "0", "--to", "9000-01-01", "--why", "a test")
    await expect(page.get_by_text("There are no trades of ETH yet.")).to_be_visible()
    await expect(page.get_by_role("link", name="ETH")).to_have_count(0)
    await site.post(Trade("ETH", now(), "77.5"))
    await expect(page.locator("#summary")).to_contain_text("ETH, latest 1m candle")
    await expect(page.locator("#price")).to_have_text("77.5")
    await site.run("void", "--undo", "1", "--why", "a test")
    await page.get_by_role("button", name="Table").click()
    await expect_candles(page, await site.candles("ETH"))
