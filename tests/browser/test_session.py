"""The session's life as people see it: extended, ended, unknown, without its tab."""

import json
import re

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import OpenConsole
from tests.browser.watch import Watch


def test_the_end_of_a_session_is_shown_and_the_client_does_not_come_back(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    code = tab.wait_online()
    tab.page.get_by_role("button", name="End session").click()
    expect(tab.state).to_have_text("Ended")
    expect(tab.banner).to_contain_text("This session has ended.")
    tab.shoot("session-ended")
    requests: list[str] = []
    tab.page.on("request", lambda request: requests.append(request.url))
    tab.page.evaluate("document.dispatchEvent(new Event('visibilitychange')); dispatchEvent(new Event('online'))")
    assert api.get(f"/api/sessions/{code}").status_code == 410
    assert requests == []
    tab.page.get_by_role("button", name="New session").click()
    assert tab.wait_online() != code
    expect(tab.banner).to_be_hidden()


def test_a_new_session_replaces_one_that_is_running(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    with tab.page.expect_response(lambda response: response.request.method == "DELETE"):
        tab.page.get_by_role("button", name="New session").click()
    expect(tab.page.locator("#code")).not_to_have_text(f"{code[:4]}-{code[4:]}")
    new = tab.wait_online()
    assert api.get(f"/api/sessions/{code}").status_code == 410
    assert api.get(f"/api/sessions/{new}").json()["hostOnline"] is True
    assert tab.page.evaluate("sessionStorage.getItem('waypost.session')")
    expect(tab.page.locator("#life-note")).not_to_contain_text("extended at")


def test_a_new_session_that_the_server_refuses_leaves_the_old_one_as_it_is(
    open_console: OpenConsole, api: httpx.Client, watch: Watch
) -> None:
    watch.expects_network_errors = True
    tab = open_console(permissions=["clipboard-read", "clipboard-write"])
    code = tab.wait_online()
    problem = {"code": "unavailable", "title": "No", "detail": "The storage rests.", "status": 503}
    refused = "**/api/sessions"
    tab.page.route(
        refused,
        lambda route: route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(problem)),
    )
    tab.page.get_by_role("button", name="Start new session").click()
    expect(tab.banner).to_contain_text("Could not open a new session. The storage rests. This session goes on.")
    expect(tab.state).to_have_text("Online")
    assert tab.code == code
    tab.page.get_by_role("button", name="Copy code").click()
    expect(tab.page.locator("#copy-code")).to_have_text("Copied")
    assert tab.page.evaluate("navigator.clipboard.readText()") == f"{code[:4]}-{code[4:]}"
    assert api.get(f"/api/sessions/{code}").json()["hostOnline"] is True
    tab.page.unroute(refused)
    tab.page.get_by_role("button", name="Start new session").click()
    expect(tab.page.locator("#code")).not_to_have_text(f"{code[:4]}-{code[4:]}")
    expect(tab.banner).to_be_hidden()


def test_a_session_that_was_used_asks_before_it_ends(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    body = {"code": code, "tool": "add_note", "args": {"text": "Milk"}}
    api.post("/api/request", json=body).raise_for_status()
    expect(tab.approval).to_be_visible()
    tab.page.get_by_role("button", name="End session").click()
    expect(tab.page.get_by_role("dialog")).to_contain_text("One call is open, and will be cancelled.")
    tab.confirm("Keep it")
    expect(tab.state).to_have_text("Online")
    tab.page.get_by_role("button", name="End session").click()
    tab.confirm("End it")
    expect(tab.state).to_have_text("Ended")
    expect(tab.approval).to_be_hidden()
    expect(tab.entries).to_contain_text("Interrupted")
    expect(tab.page.locator("#renew")).to_have_class(re.compile("primary"))


def test_a_session_ended_elsewhere_shows_as_ended(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    api.delete(f"/api/sessions/{code}", headers={"Authorization": f"Bearer {tab.host_token()}"}).raise_for_status()
    expect(tab.state).to_have_text("Ended")
    assert tab.page.evaluate("sessionStorage.getItem('waypost.session')") is None


def test_the_agent_sees_that_the_session_has_ended(open_console: OpenConsole, api: httpx.Client, watch: Watch) -> None:
    watch.expects_network_errors = True
    tab = open_console()
    code = tab.wait_online()
    agent = open_console("#join=")
    agent.join(code)
    api.delete(f"/api/sessions/{code}", headers={"Authorization": f"Bearer {tab.host_token()}"}).raise_for_status()
    agent.page.evaluate("dispatchEvent(new Event('online'))")
    expect(agent.page.locator("#agent-banner")).to_contain_text("This session has ended.")
    expect(agent.page.locator("#joined")).to_be_hidden()


def test_the_time_left_counts_down_and_an_extension_shows(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    left = tab.page.locator("#life-left")
    expect(left).to_have_text(re.compile(r"^(10:00|9:\d\d) left$"))
    first = left.text_content() or ""
    expect(left).not_to_have_text(first)
    api.post(f"/api/sessions/{code}/extend", headers={"Authorization": f"Bearer {tab.host_token()}"}).raise_for_status()
    expect(tab.page.locator("#life-note")).to_contain_text("extended at")


def test_an_unknown_code_shows_an_error(open_console: OpenConsole, watch: Watch) -> None:
    watch.expects_network_errors = True
    agent = open_console("#join=00000000")
    expect(agent.page.locator("#agent-banner")).to_contain_text("No open session has this code.")
    expect(agent.page.get_by_label("Session code or link")).to_be_focused()
    agent.shoot("code-unknown")


def test_a_disconnected_tab_shows_as_offline(open_console: OpenConsole, api: httpx.Client) -> None:
    session = api.post("/api/sessions", json={}).json()
    agent = open_console(f"#join={session['code']}")
    expect(agent.page.locator("#presence")).to_have_text("Tab offline")
    expect(agent.page.locator("#agent-banner")).to_contain_text("has not been online yet")
    expect(agent.page.locator("#tools-empty")).to_be_visible()
    agent.shoot("tab-offline")


def test_a_code_in_lower_case_with_a_hyphen_is_accepted(open_console: OpenConsole) -> None:
    code = open_console().wait_online()
    agent = open_console("#join=")
    agent.join(f"{code[:4]}-{code[4:]}".lower())
    assert agent.page.get_by_label("Session code or link").input_value() == f"{code[:4]}-{code[4:]}"
