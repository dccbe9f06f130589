"""The README's JavaScript, as it stands, in two pages of a browser: one is the host, the other one calls it."""

import re

from playwright.sync_api import ConsoleMessage, Page

from tests.browser.conftest import OpenConsole
from tests.support.docs import page as text_of
from tools.local.harness.worker import LocalWorker


def run_as_module(page: Page, url: str, script: str) -> ConsoleMessage:
    """Run `script` in a page of its own at the origin of `url`; what it writes to the console first."""
    html = f'<!doctype html><title>A page</title><link rel="icon" href="data:,"><script type="module">{script}</script>'
    page.route(f"{url}/a-page", lambda route: route.fulfill(body=html, content_type="text/html"))
    with page.expect_console_message() as message:
        page.goto(f"{url}/a-page")
    return message.value


def test_the_readmes_guest_calls_the_readmes_host(open_console: OpenConsole, worker: LocalWorker) -> None:
    blocks = re.findall(r"<!-- javascript: \w+ -->\n```js\n(.*?)```", text_of("README.md"), re.DOTALL)
    host, guest = (block.replace("https://your-worker.example", worker.url) for block in blocks)
    tabs = [open_console("docs/").page, open_console("docs/").page]
    code = run_as_module(tabs[0], worker.url, host).text
    assert run_as_module(tabs[1], worker.url, guest.replace("K7Q2M9XA", code)).text == "Hello Ada"
