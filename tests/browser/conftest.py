"""Fixtures of the browser tests: a Worker, a browser, and pages whose errors fail the test."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chats import Chats
from tests.browser.chromium import find_chromium, launch
from tests.browser.console import Console
from tests.browser.watch import Watch
from tools.local.harness.worker import LocalWorker

HERE = Path(__file__).parent
ARTIFACTS = HERE.parent / "artifacts"
PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "main")
LONGEST_FIRST = ("test_chat.py", "test_resilience.py", "test_threads.py", "test_chat_page.py", "test_page_isolation.py")
"""Files are run side by side: with the longest ones at the end, the others would be waited for."""

# Waits end when their condition holds; this is for a machine that is busy with something else.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
    order = {HERE / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        reason = "no Chromium found: install one (Debian: apt-get install chromium)"
        if os.environ.get("WAYPOST_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = launch(playwright, path)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def worker(browser: Browser) -> Iterator[LocalWorker]:
    """The Worker that most tests of a process share; after the browser, since without one there is nothing to do."""
    with LocalWorker() as worker:
        yield worker
        ARTIFACTS.mkdir(exist_ok=True)
        (ARTIFACTS / f"browser-worker-{PROCESS}.log").write_text(worker.log_text())


@pytest.fixture
def own_worker(browser: Browser) -> Iterator[LocalWorker]:
    """A Worker that a test may kill."""
    with LocalWorker() as worker:
        yield worker


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Sees what every page of the test does; fails it for an error or a request to another host."""
    watch = Watch()
    yield watch
    watch.verify()


OpenConsole = Callable[..., Console]


@pytest.fixture
def open_at(browser: Browser, watch: Watch) -> Iterator[OpenConsole]:
    """Open the console of a Worker in a context of its own (another person's browser)."""
    contexts = []

    def open_at(url: str, hash: str = "", **options: object) -> Console:
        # Without motion, a colour read or a picture taken at any moment is the final one.
        usual = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
        context = browser.new_context(**{**usual, **options})  # type: ignore[arg-type]
        context.set_default_timeout(40_000)
        contexts.append(context)
        watch.follow(context, url)
        console = Console(context.new_page(), url, ARTIFACTS)
        console.page.goto(f"{url}/{hash}")
        return console

    yield open_at
    for context in contexts:
        context.close()


@pytest.fixture
def open_console(open_at: OpenConsole, worker: LocalWorker) -> OpenConsole:
    """Open the console of the shared Worker."""
    return lambda hash="", **options: open_at(worker.url, hash, **options)


OpenChats = Callable[..., Chats]


@pytest.fixture
def open_chats(open_console: OpenConsole) -> OpenChats:
    """Open the chats of the shared Worker's console."""
    return lambda hash="#chat", **options: Chats(open_console(hash, **options))


@pytest.fixture
def api(worker: LocalWorker) -> Iterator[httpx.Client]:
    """An HTTP client without a browser."""
    with httpx.Client(base_url=worker.url, timeout=40, trust_env=False) as client:
        yield client
