"""The tab's panel for MCP clients: its URL and the setup of each client."""

import base64
import json
import re
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.browser.audit import both_themes, faults
from tests.browser.conftest import OpenConsole
from tests.browser.steps import PHONE, open_encrypted

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def panel(page: Page) -> Locator:
    """The panel."""
    return page.get_by_role("tabpanel", name="MCP client")


def commands(page: Page) -> Locator:
    """The commands to paste."""
    return panel(page).locator(".snippet")


def test_mcp_clients_reach_the_tab_at_the_url_on_the_page(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console(permissions=["clipboard-read", "clipboard-write"])
    tab.wait_online()
    panel(tab.page).get_by_role("button", name="Copy URL").click()
    url = tab.page.evaluate("navigator.clipboard.readText()")
    assert url == tab.page.locator("#mcp-url").text_content() == f"{tab.url}/mcp/{tab.address}"
    assert api.post(url, json=PING, headers=ACCEPT).json() == {"jsonrpc": "2.0", "id": 1, "result": {}}
    panel(tab.page).get_by_role("button", name=re.compile("^Copy: Run in a terminal")).click()
    command = f"claude mcp add --transport http waypost {url}"
    assert tab.page.evaluate("navigator.clipboard.readText()") == command


def test_each_client_is_chosen_with_the_keyboard_and_remembered(open_console: OpenConsole) -> None:
    tab = open_console()
    tab.wait_online()
    address = tab.address
    select = panel(tab.page).get_by_label("Client")
    names = select.locator("option").all_text_contents()
    assert len(names) == len(set(names)) == 8
    select.focus()
    for name in names[1:]:
        tab.page.keyboard.press("ArrowDown")
        expect(select.locator("option:checked")).to_have_text(name)
        # Claude's connectors come from elsewhere: they can't reach this machine.
        here = f"/mcp/{address}" if "Claude Desktop" not in name else f"cloudflared tunnel --url {tab.url}"
        expect(commands(tab.page).first).to_contain_text(here)
        tab.shoot(f"mcp-{select.input_value()}")
    select.select_option("Cursor")
    link = panel(tab.page).get_by_role("link", name="Add to Cursor").get_attribute("href") or ""
    [config] = parse_qs(urlsplit(link).query)["config"]
    assert json.loads(base64.b64decode(config)) == {"url": f"{tab.url}/mcp/{address}"}
    tab.page.reload()
    tab.wait_online()
    expect(select.locator("option:checked")).to_have_text("Cursor")


def test_an_encrypted_session_says_that_mcp_clients_can_not_use_it(open_console: OpenConsole) -> None:
    tab = open_console()
    open_encrypted(tab)
    expect(panel(tab.page)).to_contain_text("MCP clients can’t use an encrypted session")
    expect(tab.page.locator("#mcp-url")).to_be_hidden()
    expect(commands(tab.page)).to_have_count(0)
    tab.page.get_by_role("switch", name="Encrypt the next session").uncheck()
    tab.page.get_by_role("button", name="New session").click()
    expect(tab.page.locator("#mcp-url")).to_be_visible()
    expect(panel(tab.page)).not_to_contain_text("encrypted", use_inner_text=True)
    tab.wait_online()
    expect(tab.page.locator("#mcp-url")).to_have_text(f"{tab.url}/mcp/{tab.address}")
    tab.page.get_by_role("button", name="End session").click()
    expect(tab.page.locator("#mcp-url")).to_be_hidden()
    expect(panel(tab.page)).to_contain_text("This session is over.")


def test_the_panel_is_legible_in_both_themes(open_console: OpenConsole) -> None:
    tab = open_console()
    tab.wait_online()
    panel(tab.page).get_by_label("Client").select_option("VS Code")
    for theme in both_themes(tab.page):
        tab.shoot(f"mcp-panel-{theme}")
        assert (theme, faults(tab.page)) == (theme, [])


def test_the_panel_fits_on_a_phone(open_console: OpenConsole) -> None:
    tab = open_console(**PHONE)
    tab.wait_online()
    for name in panel(tab.page).locator("option").all_text_contents():
        panel(tab.page).get_by_label("Client").select_option(name)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360, name
    panel(tab.page).get_by_label("Client").select_option("Cursor")
    tab.shoot("mcp-phone")
