"""Calls that wait for the person in front of the tab: asked, shown as text, allowed, refused, taken back."""

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.audit import faults
from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.browser.hostile import HOSTILE, INVISIBLE, VISIBLE
from tests.browser.steps import PHONE, open_encrypted

ALLOW = re.compile("^Allow once")
ALWAYS = re.compile("^Always allow")


def ask(api: httpx.Client, code: str, id: str, tool: str = "add_note", **args: Any) -> None:
    """Call a tool of the tab, from a program."""
    body = {"code": code, "tool": tool, "args": args, "id": id}
    api.post("/api/request", json=body).raise_for_status()


def answer(api: httpx.Client, code: str, id: str, tool: str = "add_note", **args: Any) -> dict[str, Any]:
    """The outcome of the call."""
    body = {"code": code, "tool": tool, "args": args, "id": id}
    reply: dict[str, Any] = api.post("/api/request?wait=20", json=body).json()
    return {name: reply[name] for name in ("result", "error") if name in reply}


def test_a_call_from_elsewhere_waits_until_it_is_allowed_and_the_next_one_is_asked_about_again(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    code = tab.wait_online()
    agent = open_console("#join=")
    agent.join(code)
    agent.call("add_note", text="From afar")
    expect(tab.approval).to_contain_text("May an agent call add_note?")
    expect(tab.approval.get_by_label("Arguments")).to_contain_text('"text": "From afar"')
    expect(agent.call_card).to_contain_text("Waiting for approval.")
    expect(tab.page).to_have_title(re.compile(r"^\(1\) "))
    expect(tab.notes).to_have_count(0)
    tab.shoot("approval")
    tab.approval.get_by_role("button", name=ALLOW).click()
    agent.expect_answer('"notes": 1')
    expect(tab.approval).to_be_hidden()
    expect(tab.page).not_to_have_title(re.compile(r"^\("))
    ask(api, code, "again", text="Once more")
    expect(tab.approval).to_be_visible()


def test_a_refused_call_is_answered_with_an_error_that_says_so(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    ask(api, code, "r1", text="No")
    tab.approval.get_by_role("button", name="Refuse", exact=True).click()
    assert answer(api, code, "r1", text="No")["error"]["code"] == "refused"
    expect(tab.notes).to_have_count(0)
    expect(tab.entries).to_contain_text("Refused by the person")
    expect(tab.line("out", "refused")).to_have_count(1)
    expect(tab.line("out", "error")).to_have_count(0)


def test_always_allow_lasts_over_a_reload_until_the_tools_switch_is_turned(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    code = tab.wait_online()
    switch = tab.page.get_by_role("switch", name="Ask first before add_note is called")
    expect(switch).to_be_checked()
    ask(api, code, "r1", text="First")
    tab.approval.get_by_role("button", name=ALWAYS).click()
    expect(tab.notes).to_have_count(1)
    expect(switch).not_to_be_checked()
    tab.page.reload()
    tab.wait_online()
    expect(switch).not_to_be_checked()
    assert answer(api, code, "r2", text="Second") == {"result": {"notes": 2}}
    ask(api, code, "r3", "set_accent", color="moss")
    expect(tab.approval).to_contain_text("set_accent")
    tab.approval.get_by_role("button", name="Refuse", exact=True).click()
    switch.check()
    ask(api, code, "r4", text="Third")
    expect(tab.approval).to_contain_text("add_note")


def test_a_waiting_call_is_asked_about_again_after_a_reload_and_runs_once(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    code = tab.wait_online()
    ask(api, code, "r1", text="Patient")
    expect(tab.approval).to_be_visible()
    expect(tab.approval).not_to_contain_text("Asked again")
    tab.page.reload()
    tab.wait_online()
    expect(tab.approval).to_contain_text("Asked again")
    tab.approval.get_by_role("button", name=ALLOW).click()
    assert answer(api, code, "r1", text="Patient") == {"result": {"notes": 1}}
    expect(tab.notes).to_have_count(1)


def test_cancelling_a_call_closes_its_question(open_console: OpenConsole) -> None:
    tab = open_console()
    agent = open_console("#join=")
    agent.join(tab.wait_online())
    agent.call("add_note", text="Never mind")
    expect(tab.approval).to_be_visible()
    agent.page.get_by_role("button", name="Cancel add_note").click()
    expect(tab.approval).to_be_hidden()
    expect(tab.page.locator("#toasts")).to_contain_text("add_note no longer needs a decision")
    expect(tab.notes).to_have_count(0)


def test_several_calls_queue_up_and_can_be_refused_together(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    for number in range(6):
        ask(api, code, f"r{number}", text=f"Number {number}")
    expect(tab.approval).to_contain_text("1 of 6")
    expect(tab.approval.get_by_label("Arguments")).to_contain_text("Number 0")
    expect(tab.approval.get_by_role("list", name="What else waits").locator("li")).to_have_text(
        [re.compile("Number 1"), re.compile("Number 2"), re.compile("Number 3"), "and 2 more"]
    )
    tab.approval.get_by_role("button", name=ALLOW).click()
    expect(tab.approval.get_by_label("Arguments")).to_contain_text("Number 1")
    tab.approval.get_by_role("button", name="Refuse all").click()
    expect(tab.approval).to_be_hidden()
    expect(tab.line("out", "refused")).to_have_count(5)
    expect(tab.notes).to_have_count(1)


def test_a_call_from_the_tabs_own_page_needs_no_approval(open_console: OpenConsole) -> None:
    tab = open_console()
    tab.wait_online()
    tab.page.get_by_role("button", name="Use this tab’s code").click()
    tab.call("add_note", text="Mine")
    tab.expect_answer('"notes": 1')
    # No question came and went either: the live region announced none.
    expect(tab.page.locator("#approvals-said")).to_be_empty()
    expect(tab.line("out", "progress")).to_have_count(0)


def call_seen_by_another_host(tab: Console, api: httpx.Client) -> str:
    """Have the person call a tool of a session that an attacker hosts; return the id that the attacker sees."""
    session = api.post("/api/sessions", json={}).raise_for_status().json()
    host = {"Authorization": f"Bearer {session['hostToken']}"}
    tools = [{"name": "weather", "inputSchema": {"type": "object", "additionalProperties": False}}]
    api.put(f"/api/sessions/{session['code']}/tools", headers=host, json={"tools": tools}).raise_for_status()
    tab.join(session["code"])
    tab.call("weather")
    query: dict[str, str | int] = {"code": session["code"], "wait": 20}
    messages = api.get("/api/poll", params=query, headers=host).raise_for_status().json()["messages"]
    return str(messages[0]["data"]["id"])


@pytest.mark.parametrize("id", [None, "control"])
def test_a_call_under_the_id_of_the_persons_own_call_elsewhere_is_asked_about(
    open_console: OpenConsole, api: httpx.Client, id: str | None
) -> None:
    tab = open_console()
    code = tab.wait_online()
    seen = call_seen_by_another_host(tab, api)
    ask(api, code, id or seen, text="Forged")
    expect(tab.approval.get_by_label("Arguments")).to_contain_text("Forged")
    expect(tab.notes).to_have_count(0)


def test_a_call_of_the_tabs_own_page_with_arguments_that_were_changed_on_the_way_is_asked_about(
    open_console: OpenConsole,
) -> None:
    tab = open_console()
    tab.wait_online()

    def forge(route: Route) -> None:
        body = route.request.post_data_json
        body["args"]["text"] = "Forged"
        route.continue_(post_data=json.dumps(body))

    tab.page.route("**/api/request?**", forge)
    tab.page.get_by_role("button", name="Use this tab’s code").click()
    tab.call("add_note", text="Mine")
    expect(tab.approval.get_by_label("Arguments")).to_contain_text("Forged")
    expect(tab.notes).to_have_count(0)


def test_the_question_takes_no_focus_is_announced_and_is_answered_with_the_keyboard(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    code = tab.wait_online()
    field = tab.page.get_by_label("Session code or link")
    field.press_sequentially("AB")
    for number in range(2):
        ask(api, code, f"r{number}", text=f"Number {number}")
    expect(tab.page.get_by_role("alert").filter(has_text="2 waiting for you")).to_contain_text("add_note")
    expect(field).to_be_focused()
    field.press_sequentially("CD")
    assert field.input_value() == "ABCD"
    allow = tab.approval.get_by_role("button", name=ALLOW)
    tab.page.locator("#skip-approvals").focus()
    tab.page.keyboard.press("Enter")
    walk(tab.page, "#approval .primary")
    # The key that allows one must not allow the next one.
    tab.page.keyboard.press("Enter")
    expect(tab.approval.get_by_label("Arguments")).to_contain_text("Number 1")
    expect(tab.page.locator(".approval")).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(allow).to_be_enabled()
    walk(tab.page, "#approval .primary")
    tab.page.keyboard.press("Enter")
    expect(tab.notes).to_have_count(2)
    expect(tab.approval).to_be_hidden()
    expect(tab.page.locator("#skip-approvals")).to_be_hidden()


def walk(page: Page, selector: str) -> None:
    """Press Tab until `selector` has the focus."""
    expect(page.locator(selector)).to_be_enabled()
    for _ in range(12):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab never reaches {selector}")


def test_a_question_ignores_a_click_meant_for_the_previous_card(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    for number in range(2):
        ask(api, code, f"r{number}", text=f"Number {number}")
    expect(tab.approval).to_contain_text("1 of 2")
    tab.approval.get_by_role("button", name=ALLOW).dblclick()
    expect(tab.approval.get_by_label("Arguments")).to_contain_text("Number 1")
    expect(tab.approval).to_be_visible()
    expect(tab.notes).to_have_count(1)


def test_arguments_show_as_text_in_full_on_request_and_without_hidden_characters(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    code = tab.wait_online()
    ask(api, code, "r1", text="Ok \u202egnihton\u202c \u2066x\u200b\u00ad", tags=list(HOSTILE))
    shown = tab.approval.get_by_label("Arguments")
    expect(shown).to_contain_text(r"Ok \u{202e}gnihton\u{202c} \u{2066}x\u{200b}\u{ad}")
    expect(shown).not_to_contain_text("WWWW")
    tab.approval.get_by_role("button", name=re.compile("^Show all")).click()
    expect(shown).to_contain_text("W" * 90)
    expect(shown).to_contain_text("<img src=x onerror=window.pwned=1>")
    tab.shoot("approval-hostile")
    tab.approval.get_by_role("button", name="Show less").click()
    expect(shown).not_to_contain_text("WWWW")
    assert tab.page.evaluate("window.pwned") is None
    assert tab.page.locator("#approvals :is(img, script, style, svg, a)").count() == 0


@pytest.mark.parametrize("kind", INVISIBLE)
def test_arguments_that_cannot_be_seen_are_written_out(open_console: OpenConsole, api: httpx.Client, kind: str) -> None:
    tab = open_console()
    code = tab.wait_online()
    hidden = INVISIBLE[kind]
    ask(api, code, "r1", text=f"Buy milk{hidden}", tags=[VISIBLE])
    shown = tab.approval.get_by_label("Arguments")
    expect(shown).to_contain_text("Buy milk" + "".join(f"\\u{{{ord(each):x}}}" for each in hidden))
    expect(shown).to_contain_text(VISIBLE)
    tab.shoot(f"approval-invisible-{kind.replace(' ', '-')}", full_page=False)


def test_the_question_about_an_encrypted_call_shows_its_decrypted_arguments(open_console: OpenConsole) -> None:
    tab = open_console()
    link = open_encrypted(tab)
    phone = open_console(link.removeprefix(f"{tab.url}/"), **PHONE)
    phone.call("add_note", text="Between us")
    expect(tab.approval.get_by_label("Arguments")).to_contain_text("Between us")
    expect(phone.call_card).to_contain_text("Waiting for approval.")
    tab.approval.get_by_role("button", name="Refuse", exact=True).click()
    expect(phone.call_card).to_contain_text("Refused by the person")


def test_a_question_is_seen_while_chatting(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    tab.page.get_by_role("link", name="Chat").click()
    ask(api, code, "r1", text="Knock")
    expect(tab.approval).to_be_visible()
    expect(tab.page).to_have_title(re.compile(r"^\(1\) "))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_question_is_legible_in_both_themes(open_console: OpenConsole, api: httpx.Client, theme: str) -> None:
    tab = open_console(color_scheme=theme)
    code = tab.wait_online()
    ask(api, code, "r1", text="The hut above the lake is open until Sunday.", tags=["route", "hut"])
    ask(api, code, "r2", "set_accent", color="moss")
    expect(tab.approval).to_contain_text("1 of 2")
    expect(tab.approval.get_by_role("button", name=ALLOW)).to_be_enabled()
    tab.shoot(f"approval-{theme}", full_page=False)
    assert faults(tab.page) == []


def test_a_question_fits_on_a_phone(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console(**PHONE)
    code = tab.wait_online()
    ask(api, code, "r1", text="W" * 300, tags=["w" * 40] * 12)
    ask(api, code, "r2", "set_accent", color="W" * 90)
    expect(tab.approval).to_contain_text("1 of 2")
    expect(tab.approval.get_by_role("button", name=ALWAYS).locator("code")).to_have_text("add_note")
    expect(tab.approval.get_by_role("button", name=ALWAYS).locator("code")).to_be_visible()
    tab.shoot("approval-phone", full_page=False)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    box = tab.approval.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    tab.approval.get_by_role("button", name="Refuse all").click()
    expect(tab.approval).to_be_hidden()
