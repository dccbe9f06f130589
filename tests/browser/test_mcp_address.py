"""The browser's MCP address in the console: kept over reloads, new sessions and tabs, and renewed by its person."""

import json
import re
from typing import Any

import httpx
from playwright.sync_api import expect

from tests.browser.audit import faults
from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.browser.steps import open_encrypted

HEADERS = {"Accept": "application/json", "MCP-Protocol-Version": "2025-11-25"}
AWAY = -31001


def ask(api: httpx.Client, url: str, method: str, **params: Any) -> Any:
    """The message that answers a client configured with `url`."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return api.post(url, json=body, headers=HEADERS).json()


def note(api: httpx.Client, tab: Console, url: str, text: str) -> None:
    """A call by `url` must reach `tab`."""
    tab.let_run("add_note")
    result = ask(api, url, "tools/call", name="add_note", arguments={"text": text})["result"]
    assert not result.get("isError"), result
    expect(tab.notes.filter(has_text=text)).to_have_count(1)


def url_of(tab: Console) -> str:
    return tab.page.locator("#mcp-url").text_content() or ""


def test_a_client_configured_once_reaches_the_tab_after_a_reload_and_in_each_new_session(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    codes = {tab.wait_online()}
    url = url_of(tab)
    note(api, tab, url, "before")
    tab.page.reload()
    codes.add(tab.wait_online())
    assert url_of(tab) == url
    note(api, tab, url, "after a reload")
    for number in range(3):
        code = tab.code
        tab.page.get_by_role("button", name="Start new session").click()
        tab.confirm("Start it")
        expect(tab.page.locator("#code")).not_to_have_attribute("aria-label", " ".join(code))
        codes.add(tab.wait_online())
        assert url_of(tab) == url
        note(api, tab, url, f"in session {number}")
    assert len(codes) == 4


def test_while_no_tab_is_open_a_call_says_what_to_open(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    tab.wait_online()
    url = url_of(tab)
    tab.page.get_by_role("button", name="End session").click()
    expect(tab.state).to_have_text("Ended")
    assert ask(api, url, "initialize", protocolVersion="2025-11-25")["result"]["serverInfo"]["name"] == "waypost"
    error = ask(api, url, "tools/call", name="add_note", arguments={"text": "x"})["error"]
    assert (error["code"], error["data"]["open"]) == (AWAY, f"{tab.url}/")
    tab.page.get_by_role("button", name="Start new session").click()
    tab.wait_online()
    note(api, tab, url, "open again")


def test_a_person_renews_the_address_and_the_old_one_leads_nowhere(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    tab.wait_online()
    old = url_of(tab)
    renew = tab.page.get_by_role("button", name="Renew address")
    dialog = tab.page.get_by_role("dialog", name="Renew this browser’s MCP address?")
    renew.click()
    expect(dialog).to_contain_text("lose access to this browser for good")
    dialog.get_by_role("button", name="Keep it").click()
    assert url_of(tab) == old
    renew.click()
    dialog.get_by_role("button", name="Renew address").click()
    expect(tab.page.get_by_text("The address is new.")).to_be_visible()
    new = url_of(tab)
    assert re.fullmatch(rf"{tab.url}/mcp/[0-9a-z]{{32}}", new)
    assert new != old
    expect(tab.page.locator("#mcp-steps .snippet").first).to_contain_text(new)
    assert ask(api, old, "ping")["error"]["data"] == {"code": "address_withdrawn"}
    note(api, tab, new, "by the new address")
    tab.page.reload()
    tab.wait_online()
    assert url_of(tab) == new
    assert faults(tab.page) == []


def test_the_newest_tab_has_the_address_and_the_older_one_gets_it_back(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    older = open_console()
    older.wait_online()
    url = url_of(older)
    newer = older.another_tab()
    newer.wait_online()
    assert url_of(newer) == url
    note(api, newer, url, "to the newer one")
    older.page.bring_to_front()
    with older.page.expect_response(re.compile("/address$")) as claimed:
        newer.page.close()
    assert claimed.value.ok
    note(api, older, url, "to the older one")


def test_a_tab_that_is_reloaded_keeps_the_address_from_the_older_one(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    older = open_console()
    older.wait_online()
    newer = older.another_tab()
    newer.wait_online()
    with newer.page.expect_response(re.compile("/address$")) as claimed:
        newer.page.reload()
    assert claimed.value.ok
    newer.wait_online()
    note(api, newer, url_of(newer), "still to the newer one")


def test_a_tab_says_when_another_one_has_renewed_the_address(open_console: OpenConsole, api: httpx.Client) -> None:
    older = open_console()
    code = older.wait_online()
    newer = older.another_tab()
    newer.wait_online()
    newer.page.get_by_role("button", name="Renew address").click()
    newer.page.get_by_role("dialog").get_by_role("button", name="Renew address").click()
    expect(newer.page.get_by_text("The address is new.")).to_be_visible()
    expect(older.page.get_by_text("Another tab has renewed this browser’s MCP address")).to_be_visible()
    assert url_of(older) == f"{older.url}/mcp/{code}"
    expect(older.page.get_by_role("button", name="Renew address")).to_be_hidden()


def test_an_encrypted_session_takes_no_address_and_the_next_one_has_it_again(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    tab.wait_online()
    url = url_of(tab)
    open_encrypted(tab)
    assert ask(api, url, "tools/call", name="add_note")["error"]["code"] == AWAY
    tab.page.get_by_role("switch", name="Encrypt the next session").uncheck()
    tab.page.get_by_role("button", name="Start new session").click()
    expect(tab.page.locator("#tab-lock")).to_be_hidden()
    expect(tab.page.locator("#mcp-url")).to_have_text(url)
    tab.wait_online()
    note(api, tab, url, "not encrypted")


def test_the_secret_of_the_address_is_nowhere_but_in_its_storage(open_console: OpenConsole) -> None:
    tab = open_console()
    seen: list[str] = []
    tab.page.on("response", lambda response: seen.append(f"{response.url} {response.all_headers()}"))
    tab.page.on("request", lambda request: seen.append(request.url))
    tab.wait_online()
    tab.page.reload()
    tab.wait_online()
    [secret] = tab.page.evaluate("Object.entries(localStorage).filter(([key]) => /address/.test(key)).map((e) => e[1])")
    places = tab.page.evaluate(
        "[JSON.stringify(sessionStorage), document.documentElement.outerHTML, document.cookie, location.href]"
    )
    assert len(secret) == 43
    assert secret not in json.dumps([*places, *seen])
