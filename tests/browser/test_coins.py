"""The list of coins: chosen, searched, sorted and starred by mouse, keyboard and touch."""

import asyncio
import json
from collections.abc import Callable, Iterator

from playwright.async_api import Locator, Page, Route, ViewportSize, WebSocketRoute, expect

from tests.browser.conftest import PHONE, PHONE_ON_ITS_SIDE, OpenPage
from tests.browser.stand import Stand
from tests.browser.test_chart import NOW_MS
from tests.browser.test_truth import LIST
from tests.integration.filled_store import Given
from tests.waiting import PATIENCE_S, eventually

LONG = "X" * 64

#: Of an element, whether it is wholly in view in the list, below the heads of its columns.
IS_IN_VIEW = """\
(row) => {
  const list = document.getElementById("coins").getBoundingClientRect();
  const head = document.querySelector("#coins .columns").getBoundingClientRect();
  const { top, bottom } = row.getBoundingClientRect();
  return top >= head.bottom - 1 && bottom <= list.bottom + 1;
}
"""
#: How long each of a few draws of the list takes, in ms, until it is laid out: the least of three.
DRAW_TIMES = """\
() => {
  const draw = (column) => {
    const begin = performance.now();
    document.querySelector(`[data-sort=${column}]`).click();
    document.body.getBoundingClientRect();
    return performance.now() - begin;
  };
  const rounds = [1, 2, 3].map(() => ["turnover", "price", "price", "coin"].map(draw));
  return rounds[0].map((_, number) => Math.min(...rounds.map((times) => times[number])));
}
"""


def coins(*figures: tuple[str, str, str, str]) -> Iterator[Given]:
    """Make two trades of each coin: its name, the first price, the last price and the amount."""
    for name, first, last, amount in figures:
        yield Given(name, NOW_MS - 2000, first, amount)
        yield Given(name, NOW_MS - 1000, last, amount)


def numbered(count: int) -> Iterator[Given]:
    """Make coins C0, C1 …, of which each has the higher price and the smaller turnover."""
    yield from coins(*((f"C{it}", "1", str(it + 1), "1") for it in range(count)))


def row(page: Page, coin: str) -> Locator:
    return page.locator(f'#coin-rows [data-coin="{coin}"]')


async def shown(page: Page) -> list[str]:
    """Return the coins in the list, from the top."""
    names: list[str] = await page.evaluate(
        "[...document.querySelectorAll('#coin-rows .row')].map((row) => row.dataset.coin)"
    )
    return names


async def open_chart(page: Page, coin: str) -> None:
    await expect(page.locator("#summary")).to_contain_text(f"{coin}, latest 1m candle")
    await expect(page.locator("#coins")).to_have_attribute("aria-busy", "false")


async def test_the_chosen_coin_is_in_view_and_the_keyboard_finds_another(
    stand: Stand, open_page: OpenPage
) -> None:
    stand.now_ms = NOW_MS
    await stand.feed(numbered(500))
    page = await open_page(f"{stand.url}?coin=C250")
    chosen = page.locator("#coin-rows .row:has([aria-current])")
    search = page.locator("#search")
    await open_chart(page, "C250")
    await expect(chosen).to_have_attribute("data-coin", "C250")
    assert await chosen.evaluate(IS_IN_VIEW)
    assert len(await shown(page)) < 30  # the others are not in the document
    await expect(page.locator("#coins")).to_have_attribute("aria-rowcount", "501")
    await expect(chosen).to_have_attribute("aria-rowindex", "252")

    await page.keyboard.press("/")
    await page.keyboard.type(" c49")
    await expect(page.locator("#found-coins")).to_have_text("Coins found: 11. Enter shows C49.")
    await page.keyboard.press("Enter")
    await open_chart(page, "C49")
    await page.keyboard.press("ArrowDown")
    await expect(row(page, "C49").get_by_role("link")).to_be_focused()
    await page.keyboard.press("End")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await open_chart(page, "C498")
    await page.keyboard.press("Escape")
    await expect(search).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(search).to_have_value("")
    await expect(chosen).to_have_attribute("data-coin", "C498")
    assert await chosen.evaluate(IS_IN_VIEW)

    await page.keyboard.type("nowhere")
    await expect(page.locator("#no-coins")).to_have_text("No coin is called so.")
    await page.keyboard.press("Enter")
    await expect(page.locator("#coin")).to_have_text("C498")
    await page.go_back()
    await page.go_back()
    await search.fill("")
    await expect(chosen).to_have_attribute("data-coin", "C250")
    assert await chosen.evaluate(IS_IN_VIEW)


async def test_each_column_sorts_both_ways(stand: Stand, open_page: OpenPage) -> None:
    stand.now_ms = NOW_MS
    figures = [
        ("A10", "10", "9", "4"),
        ("A9", "100", "150", "1"),
        ("LOW", "0.0000012", "0.0000012", "9000000000"),
    ]
    await stand.feed(coins(*figures))
    page = await open_page(f"{stand.url}?coin=A9")
    await open_chart(page, "A9")
    assert await row(page, "A9").locator("[role=gridcell]").all_text_contents() == [
        "",
        "150",
        "▲ +50.00%",
        "250",
    ]
    assert await shown(page) == ["A9", "A10", "LOW"]  # numbers in names count
    head = page.locator("#coins [role=columnheader]")
    expected = {
        "Last price": ["A9", "A10", "LOW"],
        "24 h": ["A9", "LOW", "A10"],
        "Turnover": ["LOW", "A9", "A10"],
        "Coin": ["A9", "A10", "LOW"],
    }
    for name, order in expected.items():
        column = head.filter(has=page.get_by_role("button", name=name, exact=True))
        await column.get_by_role("button").focus()
        await page.keyboard.press("Enter")
        first = "ascending" if name == "Coin" else "descending"
        await expect(column).to_have_attribute("aria-sort", first)
        assert await shown(page) == order
        await page.keyboard.press("Space")
        turned = "descending" if name == "Coin" else "ascending"
        await expect(column).to_have_attribute("aria-sort", turned)
        assert await shown(page) == order[::-1]
        await expect(page.locator("#coins [aria-sort$=ending]")).to_have_count(1)

    await page.reload()
    await open_chart(page, "A9")
    assert await shown(page) == ["LOW", "A10", "A9"]


async def test_favorites_are_kept_and_shown_alone(stand: Stand, open_page: OpenPage) -> None:
    stand.now_ms = NOW_MS
    await stand.feed(numbered(5))
    page = await open_page(f"{stand.url}?coin=C0")
    await open_chart(page, "C0")
    star = row(page, "C1").get_by_role("button", name="Favorite: C1")
    await star.click()
    await expect(star).to_have_attribute("aria-pressed", "true")
    await row(page, "C3").get_by_role("link").focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Enter")
    await expect(page.locator("#coin")).to_have_text("C0")  # a star is not a choice
    only = page.get_by_role("button", name="Only favorites")
    await only.click()
    assert await shown(page) == ["C1", "C3"]
    await page.reload()
    await open_chart(page, "C0")
    await expect(only).to_have_attribute("aria-pressed", "true")
    assert await shown(page) == ["C1", "C3"]

    await row(page, "C1").get_by_role("button").click()
    await row(page, "C3").get_by_role("button").click()
    await page.mouse.move(1, 1)
    await expect(page.get_by_text("No favorites yet.")).to_be_visible()
    await only.click()
    await expect(page.locator("#coin-rows .row")).to_have_count(5)


async def test_the_last_chart_is_opened_again_but_a_link_wins(
    stand: Stand, open_page: OpenPage, complaints: list[str]
) -> None:
    await stand.feed(numbered(3))
    page = await open_page(stand.url)
    await row(page, "C2").get_by_role("link").click()
    await page.get_by_role("button", name="1h", exact=True).click()
    await page.goto(stand.url)
    await expect(page.locator("#summary")).to_contain_text("C2, latest 1h candle")
    assert page.url == f"{stand.url}?coin=C2&interval=1h"
    await page.goto(f"{stand.url}?coin=C1")
    await open_chart(page, "C1")
    await page.goto(stand.url)
    await open_chart(page, "C1")

    # Whatever stands in the storage, the page works.
    for kept in ("?coin=GONE&interval=7m", 7, {"coin": "C1"}):
        values = {
            "address": kept,
            "favorites": [kept, "C2", *(f"F{it}" for it in range(5000))],
            "coinOrder": {"column": "constructor", "isDescending": True},
            "onlyFavorites": "yes",
        }
        await page.evaluate(
            "(values) => Object.entries(values).forEach(([name, value]) =>"
            " localStorage.setItem(name, value))",
            {name: json.dumps(value) for name, value in values.items()},
        )
        await page.goto(stand.url)
        await open_chart(page, "C0")
        assert await shown(page) == ["C0", "C1", "C2"]
    await row(page, "C2").get_by_role("button").click()
    assert await page.evaluate("JSON.parse(localStorage.getItem('favorites')).length") == 1000
    complaints[:] = [it for it in complaints if "400" not in it]  # the coin that is gone


async def test_rows_stay_under_the_pointer(stand: Stand, open_page: OpenPage) -> None:
    await stand.feed(numbered(4))
    page = await open_page(f"{stand.url}?coin=C0")
    await open_chart(page, "C0")
    await page.locator("#coins").get_by_role("button", name="Last price").click()
    assert await shown(page) == ["C3", "C2", "C1", "C0"]
    await row(page, "C2").hover()
    await stand.feed([Given("C0", NOW_MS, "9.5")])
    await expect(row(page, "C0")).to_contain_text("9.5")
    assert await shown(page) == ["C3", "C2", "C1", "C0"]
    await page.mouse.move(1, 1)
    await expect(page.locator("#coin-rows .row").first).to_have_attribute("data-coin", "C0")
    assert await shown(page) == ["C0", "C3", "C2", "C1"]


async def test_long_prices_and_names_stay_on_one_line(stand: Stand, open_page: OpenPage) -> None:
    stand.now_ms = NOW_MS
    price = "1234567890123.45"
    figures = [("BIG", price, price, "1"), ("SMALL", "0.000001234567", "0.000001234567", "1")]
    await stand.feed(coins(*figures, (LONG, "1", "1", "1")))
    page = await open_page(f"{stand.url}?coin={LONG}")
    await open_chart(page, LONG)
    for width in (1440, 1024, 390, 320):
        await page.set_viewport_size(ViewportSize(width=width, height=800))
        big = row(page, "BIG").locator(".number").first
        assert await big.text_content() == "1.235T"
        assert await big.get_attribute("title") == "1,234,567,890,123.45"
        assert await row(page, "SMALL").locator(".number").first.text_content() == "0.000001234567"
        for coin, _, _, _ in figures:
            for cell in await row(page, coin).locator(".number").all():
                assert await cell.evaluate("(cell) => cell.scrollWidth <= cell.clientWidth")
                assert await cell.evaluate("(cell) => cell.clientHeight") < 25
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_a_trade_before_the_list_is_followed_is_in_it(
    stand: Stand, open_page: OpenPage
) -> None:
    stand.now_ms = NOW_MS
    await stand.feed(Given(coin, NOW_MS, "1") for coin in ("BTC", "ETH"))
    held: list[Callable[[], None]] = []

    def hold_back(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            if "!miniTicker@arr" in str(message):
                held.append(lambda: server.send(message))
            else:
                server.send(message)

        socket.on_message(pass_on)

    page = await open_page("about:blank")
    await page.route_web_socket("**/stream", hold_back)
    await page.goto(f"{stand.url}?coin=BTC")

    async def is_held() -> bool:
        return bool(held)

    await eventually(is_held, "the page asks for the stream of all coins")
    await stand.feed([Given("ETH", NOW_MS, "2")])
    await stand.wait_for_tickers()
    for send in held:
        send()
    # Once a minute the list is read anew anyway.
    await expect(row(page, "ETH").locator(".change")).to_contain_text("100", timeout=30_000)


async def test_a_list_that_comes_after_a_trade_does_not_undo_it(
    stand: Stand, open_page: OpenPage
) -> None:
    stand.now_ms = NOW_MS
    await stand.feed(Given(coin, NOW_MS, "1") for coin in ("BTC", "ETH"))
    fetched, is_late, told = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold_back(route: Route) -> None:
        response = await route.fetch()
        fetched.set()
        await is_late.wait()
        await route.fulfill(response=response)

    def note(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            socket.send(message)
            if "!miniTicker@arr" in str(message):
                told.set()

        server.on_message(pass_on)

    page = await open_page("about:blank")
    await page.route_web_socket("**/stream", note)
    await page.route(LIST, hold_back)
    await page.goto(f"{stand.url}?coin=BTC")
    await asyncio.wait_for(fetched.wait(), PATIENCE_S)
    told.clear()
    await stand.feed(Given(coin, NOW_MS, "2") for coin in ("BTC", "ETH"))
    await asyncio.wait_for(told.wait(), PATIENCE_S)
    is_late.set()
    for coin in ("BTC", "ETH"):
        await expect(row(page, coin).locator(".change")).to_contain_text("100", timeout=30_000)


async def test_ten_thousand_coins_are_drawn_at_once(stand: Stand, open_page: OpenPage) -> None:
    await stand.feed(numbered(1))
    page = await open_page(stand.url)
    await open_chart(page, "C0")

    async def multiply(route: Route) -> None:
        response = await route.fetch()
        (item,) = await response.json()
        items = [
            {**item, "symbol": f"C{number}", "lastPrice": str(number * 7919 % 9973)}
            for number in range(10_000)
        ]
        await route.fulfill(response=response, json=items)

    await page.route(LIST, multiply)
    await page.reload()
    await open_chart(page, "C0")
    await expect(page.locator("#coins")).to_have_attribute("aria-rowcount", "10001")
    assert max(await page.evaluate(DRAW_TIMES)) < 1000  # it is some 10 ms
    assert len(await shown(page)) < 30
    await page.evaluate("document.getElementById('coins').scrollTop = 1e9")
    await expect(row(page, "C0")).to_be_visible()


async def test_on_a_phone_a_tapped_coin_shows_its_chart(stand: Stand, open_page: OpenPage) -> None:
    stand.now_ms = NOW_MS
    await stand.feed(numbered(30))
    for viewport in (PHONE, PHONE_ON_ITS_SIDE):
        page = await open_page(f"{stand.url}?coin=C3", viewport=viewport, has_touch=True)
        await open_chart(page, "C3")
        chart = page.locator("#chart")
        await row(page, "C4").get_by_role("link").tap()
        await open_chart(page, "C4")
        await expect(chart).to_be_in_viewport(ratio=0.99)
        await expect(chart).to_be_focused()
        box = await chart.bounding_box()
        assert box
        assert box["height"] >= 240
        for target in await page.locator(
            "#coins button, #coins .row, #only-favorites, #search"
        ).all():
            box = await target.bounding_box()
            assert box
            assert box["height"] >= 40
        await page.close()
