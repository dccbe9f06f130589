"""Takes the picture of the README: `npm run screenshots` writes docs/pictures/approval.png.

It shows the console on the real Worker in the light theme, twice: an agent's page that has sent a call, and the tab
that asks its person. Look at the picture before you commit it.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import find_chromium, launch
from tests.browser.console import Console
from tools.local.harness.worker import LocalWorker

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "approval.png"
AGENT = {"width": 420, "height": 640}
TAB = {"width": 540, "height": 640}
"""In CSS pixels. Beside each other they are little wider than the 830 in which GitHub shows a README."""

SCALE = 1.25
"""Device pixels for each CSS pixel: sharp on most screens, and below 200 KB."""

TIMEOUT_MS = 60_000
SETTLED_MS = 1_000
"""The question takes no click in its first half second, and looks so."""

SIDE_BY_SIDE = """<!doctype html>
<style>
  body { margin: 0; padding: 16px; display: flex; gap: 16px; background: #fff; width: max-content; }
  figure { margin: 0; }
  figcaption { font: 600 16px/1.4 sans-serif; padding: 0 2px 8px; color: #222; }
  img { display: block; border: 1px solid #ccc; border-radius: 10px; }
</style>
"""


def take_approval(browser: Browser, url: str) -> bytes:
    """An agent has called `add_note`, and the tab asks its person."""
    tab = open_console(browser, url, TAB)
    code = tab.wait_online()
    agent = open_console(browser, f"{url}/#join=", AGENT)
    agent.join(code)
    agent.call("add_note", text="The stand-up has moved to 10:30.")
    expect(agent.call_card).to_contain_text("Waiting for approval.")
    expect(tab.approval).to_be_visible()
    tab.page.wait_for_timeout(SETTLED_MS)
    agent.call_card.evaluate("card => { card.scrollIntoView({ block: 'end' }); scrollBy(0, 16); }")
    sides = {
        "1. An agent calls a tool of the tab.": agent.page,
        "2. The person in front of the tab approves.": tab.page,
    }
    return beside_each_other(browser, sides)


def open_console(browser: Browser, address: str, viewport: dict[str, int]) -> Console:
    """The console in a browser of its own."""
    context = browser.new_context(
        color_scheme="light",
        reduced_motion="reduce",
        device_scale_factor=SCALE,
        viewport=viewport,  # type: ignore[arg-type]
    )
    context.set_default_timeout(TIMEOUT_MS)
    console = Console(context.new_page(), address, PICTURE.parent)
    console.page.goto(address)
    return console


def beside_each_other(browser: Browser, sides: dict[str, Page]) -> bytes:
    """One picture of what the windows of these pages show, each below its caption."""
    figures = []
    for caption, page in sides.items():
        shot = base64.b64encode(page.screenshot(animations="disabled")).decode()
        width = page.evaluate("innerWidth")
        image = f'<img src="data:image/png;base64,{shot}" width="{width}">'
        figures.append(f"<figure><figcaption>{caption}</figcaption>{image}</figure>")
    page = browser.new_context(device_scale_factor=SCALE).new_page()
    page.set_content(SIDE_BY_SIDE + "".join(figures))
    return page.locator("body").screenshot()


def main() -> int:
    """Take the picture; 1 where there is no Chromium."""
    path = find_chromium()
    if path is None:
        print("Chromium is needed (Debian: apt-get install chromium).", file=sys.stderr)
        return 1
    expect.set_options(timeout=TIMEOUT_MS)
    with LocalWorker() as worker, sync_playwright() as playwright:
        browser = launch(playwright, path)
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_bytes(take_approval(browser, worker.url))
        browser.close()
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
