"""The page of a trial, in a browser: what its person and its agent see."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS = 120


def try_page(url: str, add: Callable[[str, int], object]) -> None:
    """Use the page at `url`; `add` calls its tool as an agent with a code. Raises `AssertionError`."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        opened: list[str] = []
        page.on(
            "request", lambda request: opened.append(request.method) if request.url.endswith("/api/sessions") else None
        )
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        reach(page, url)
        code = code_of(page)
        assert add(code, 2) == 2
        page.wait_for_selector("b:text('2')")
        page.reload()
        assert code_of(page) == code, "a reload opened another session"
        assert opened.count("POST") == 1, f"{opened.count('POST')} sessions were opened"
        assert errors == [], errors
        browser.close()


def reach(page: Page, url: str) -> None:
    """Open the page as soon as its server is there."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            page.goto(url)
            return
        except PlaywrightError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def code_of(page: Page) -> str:
    """Return the code that the page shows once agents can reach it."""
    page.wait_for_selector("output:text('online')", timeout=START_SECONDS * 1000)
    return page.inner_text("code")
