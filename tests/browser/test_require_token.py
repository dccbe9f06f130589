"""MCP clients where a code is not enough: the console and the badge show what a client needs besides it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.agent import Agent
from tests.browser.conftest import OpenConsole
from tests.browser.watch import Watch
from tests.browser.webmcp_site import Site
from tests.browser.webmcp_visits import Enter, Visit
from tools.local.harness.worker import LocalWorker

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream"}
NO_STORAGE = """<script>
  Object.defineProperty(window, "localStorage", { get() { throw new DOMException("Blocked", "SecurityError"); } });
</script>"""
"""A browser that keeps nothing for a site, and so no address either."""


@pytest.fixture(scope="module")
def strict(browser: Browser, site: Site) -> Iterator[LocalWorker]:
    """A Worker where a code only joins and reads."""
    with LocalWorker(ALLOWED_ORIGINS=site.url, REQUIRE_TOKEN="on") as worker:
        yield worker


@pytest.fixture(scope="module")
def once(browser: Browser, site: Site) -> Iterator[LocalWorker]:
    """A Worker where a code lets one guest join, and there are no addresses."""
    with LocalWorker(ALLOWED_ORIGINS=site.url, REQUIRE_TOKEN="once") as worker:
        yield worker


@pytest.fixture(scope="module")
def deployment(strict: LocalWorker) -> LocalWorker:
    """These visits name their Worker; no other one is needed."""
    return strict


def panel(page: Page) -> Locator:
    """The console's panel for MCP clients."""
    return page.locator("#mcp")


def test_where_a_code_is_not_enough_the_address_is(open_at: OpenConsole, strict: LocalWorker) -> None:
    tab = open_at(strict.url)
    tab.wait_online()
    expect(panel(tab.page)).not_to_contain_text("token", use_inner_text=True)
    url = tab.page.locator("#mcp-url").text_content() or ""
    assert httpx.post(url, json=PING, headers=ACCEPT, timeout=120, trust_env=False).json()["result"] == {}


def test_where_a_code_admits_one_guest_a_token_is_made_and_sent_in_a_header(
    open_at: OpenConsole, once: LocalWorker, watch: Watch
) -> None:
    # The page asks whether the code is enough: the answer is an error.
    watch.expects_network_errors = True
    tab = open_at(once.url)
    tab.wait_online()
    expect(panel(tab.page)).to_contain_text("a client needs a token besides the session code")
    commands = panel(tab.page).locator(".snippet")
    expect(commands).to_have_text(re.compile(r"/mcp \\\n.*Bearer GUEST_TOKEN"))
    panel(tab.page).get_by_role("button", name="Create a token").click()
    expect(panel(tab.page).get_by_role("button", name="Create a token")).to_be_hidden()
    expect(panel(tab.page).get_by_label("Client")).to_be_focused()
    found = re.search(r'--header "Authorization: (Bearer \S+)"$', commands.text_content() or "")
    assert found
    headers = {**ACCEPT, "Authorization": found[1]}
    reply = httpx.post(f"{once.url}/mcp", json=PING, headers=headers, timeout=120, trust_env=False)
    assert reply.json()["result"] == {}
    tab.shoot("mcp-with-a-token")
    panel(tab.page).get_by_label("Client").select_option("Claude Desktop, claude.ai")
    expect(panel(tab.page)).to_contain_text("connectors can’t send one")
    expect(commands).to_have_count(0)


def test_the_badge_gets_a_token_where_a_code_admits_one_guest(enter: Enter, once: LocalWorker) -> None:
    verify_token(enter("native"), once)


def test_the_badge_gets_a_token_where_a_code_is_not_enough_and_the_browser_keeps_no_address(
    enter: Enter, strict: LocalWorker
) -> None:
    verify_token(enter("native"), strict, early=NO_STORAGE)


def verify_token(visit: Visit, worker: LocalWorker, **query: str) -> None:
    """Share the page with `worker` and get a token there; an agent must be able to use it."""
    visit.goto("/shop", server=worker.url, **query)
    visit.badge.locator(".pill").click()
    visit.button("Share this page’s tools").click()
    visit.button("Get a token").click()
    visit.button("Copy token").click()
    expect(visit.button("Copied")).to_be_visible()
    token = visit.page.evaluate("navigator.clipboard.readText()")
    expect(visit.button("Copied")).to_have_count(0)
    url = visit.mcp_url()
    assert url == f"{worker.url}/mcp"
    with Agent(url, token) as agent:
        assert "Sencha" in agent.text("find_tea", word="sen")
