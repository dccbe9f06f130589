"""People at pages of another site that know only WebMCP, in a browser with it, with a polyfill, or with neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.chromium import find_chromium, flags_with
from tests.browser.webmcp_site import Site, serve_site
from tools.local.harness.worker import LocalWorker

NATIVE = "--enable-features=WebMCP"
POLYFILL = '<script src="/polyfill.js"></script>'
KINDS = ("native", "polyfill", "neither")
"""A browser with WebMCP; one without, whose page brings a polyfill; and one without, where `webmcp.js` stands in."""

BADGE = "waypost-webmcp"


@dataclass
class Visit:
    """A person at a page with the tag."""

    page: Page
    site: Site
    early: str

    def goto(self, path: str, **query: str) -> None:
        """Open a page of the site."""
        self.page.goto(f"{self.site.url}{path}?{urlencode({'early': self.early, **query})}")

    @property
    def badge(self) -> Locator:
        """All that the tag adds to the page."""
        return self.page.locator(BADGE)

    def button(self, name: str) -> Locator:
        """A button of the badge."""
        return self.badge.get_by_role("button", name=name)

    def share(self) -> str:
        """Share the page's tools as a person does; return the URL for MCP clients."""
        self.badge.locator(".pill").click()
        self.button("Share this page’s tools").click()
        return self.mcp_url()

    def mcp_url(self) -> str:
        """What the button copies, once the tools are shared."""
        expect(self.badge.get_by_text("Shared", exact=True).first).to_be_visible()
        self.button("Copy MCP URL").click()
        expect(self.button("Copied")).to_be_visible()
        expect(self.button("Copy MCP URL")).to_be_visible()
        return str(self.page.evaluate("navigator.clipboard.readText()"))


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site


@pytest.fixture(scope="session")
def deployment(site: Site) -> Iterator[LocalWorker]:
    """A Worker that lets the pages of `site` call it."""
    with LocalWorker(ALLOWED_ORIGINS=site.url) as worker:
        site.waypost_url = worker.url
        yield worker


@pytest.fixture(scope="session")
def native(browser: Browser) -> Iterator[Browser]:
    """A Chromium whose WebMCP is on."""
    other = browser.browser_type.launch(executable_path=find_chromium(), args=flags_with(NATIVE))
    yield other
    other.close()


Enter = Callable[[str], Visit]


@pytest.fixture
def enter(browser: Browser, native: Browser, deployment: LocalWorker, site: Site) -> Iterator[Enter]:
    """Be a person with a browser of one of the `KINDS`."""
    contexts: list[BrowserContext] = []

    def enter(kind: str) -> Visit:
        chromium = native if kind == "native" else browser
        context = chromium.new_context(viewport={"width": 1100, "height": 800}, reduced_motion="reduce")
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        has_own = page.goto(f"{site.url}/shop?no-tag=") and page.evaluate("'modelContext' in document")
        assert has_own == (kind == "native")
        return Visit(page, site, POLYFILL if kind == "polyfill" else "")

    yield enter
    for context in contexts:
        context.close()
