"""A browser for all tests, which fails a test for whatever its pages complain of.

It belongs to an event loop: one for all of these tests, and for the fixtures that they await.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

from dev import npm
from tests.browser import chromium
from tests.browser.stand import Stand
from tests.programs import ROOT
from tests.waiting import PATIENCE_S

HERE = Path(__file__).parent

DESKTOP = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)
PHONE_ON_ITS_SIDE = ViewportSize(width=844, height=390)

REPORT_VIOLATIONS = """\
addEventListener("securitypolicyviolation", (event) =>
  console.error(`forbidden by the page's policy: ${event.violatedDirective} ${event.blockedURI}`))
"""

expect.set_options(timeout=PATIENCE_S * 1000)

OpenPage = Callable[..., Awaitable[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that stand here on one event loop."""
    on_one_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(on_one_loop, append=False)


@pytest.fixture(scope="session")
def packages() -> None:
    """Install what the page loads, as ``make run`` does, and what its tests need."""
    npm.install(ROOT / "chart_app/web/page")
    npm.install(chromium.FOLDER)
    npm.install(chromium.FONTS)


@pytest.fixture
def complaints() -> list[str]:
    """Return the list of errors of all pages; the test fails for those left in it."""
    return []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(packages: None) -> AsyncIterator[Browser]:
    """Return a browser, whose start takes as long as many a test."""
    del packages
    async with async_playwright() as playwright:
        browser = await chromium.launch(playwright, *chromium.FEW_THREADS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, complaints: list[str]) -> AsyncIterator[OpenPage]:
    """Return a function that opens an address in a new window, of a reader as ``context`` says."""

    async def open_page(
        url: str,
        viewport: ViewportSize = DESKTOP,
        scheme: Literal["light", "dark"] = "light",
        **context: Any,
    ) -> Page:
        context = {"locale": "en-US", "timezone_id": "UTC", **context}
        page = await browser.new_page(viewport=viewport, color_scheme=scheme, **context)
        await page.add_init_script(REPORT_VIOLATIONS)
        page.on("console", _note_error)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        await page.goto(url)
        return page

    def _note_error(message: ConsoleMessage) -> None:
        # /readyz is 503, rightly, where Kafka was stopped for seconds, as machines of others are.
        is_unready = message.location["url"].endswith("/readyz") and "503" in message.text
        if message.type == "error" and not is_unready:
            complaints.append(message.text)

    yield open_page
    for context in browser.contexts:
        await context.close()
    assert complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def stand(packages: None, tmp_path: Path) -> AsyncIterator[Stand]:
    """Return what serves a page over a store of its own."""
    del packages
    async with Stand(tmp_path) as stand:
        yield stand


@pytest.fixture
def screenshots() -> Path:
    """Return the folder that ``SCREENSHOTS`` names, else ``build/screenshots``."""
    folder = Path(os.environ.get("SCREENSHOTS") or ROOT / "build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
