"""A chat that uses the tools of its own tab: what it calls, what it asks for, and what came of it."""

import json
import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.audit import faults
from tests.browser.chats import Chats
from tests.browser.conftest import OpenChats, OpenConsole
from tests.browser.hostile import HOSTILE
from tests.browser.scripted import ScriptedAnswer, script
from tests.browser.steps import PHONE, open_encrypted, walk_to
from tests.browser.watch import Watch

NOTE = {"text": "The hut above the lake is open until Sunday.", "tags": ["route", "hut"]}
ASKED = {"question": "Shall I book it?", "choices": ["Yes, two nights", "No"]}
REFUSED = {"code": "refused", "message": "The person at the tab has refused this call."}
UNKNOWN = {"code": "unknown_tool", "message": "There is no such tool."}


def ask(chats: Chats, text: str) -> ScriptedAnswer:
    """Send a message whose answer the test says; only where `script` is on."""
    chats.box.fill(text)
    chats.box.press("Enter")
    expect(chats.page.locator(".message[aria-busy]")).to_have_count(1)
    return ScriptedAnswer(chats.page)


@pytest.fixture
def open_scripted(open_chats: OpenChats) -> OpenChats:
    """Open chats whose answers the test says itself."""

    def open_scripted(**options: object) -> Chats:
        chats = open_chats(**options)
        script(chats.page.context)
        chats.page.reload()
        return chats

    return open_scripted


def test_a_chat_uses_the_tab_over_a_reload_and_ends_with_the_right_history(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.use_tools()
    chats.box.fill(f"/add_note {json.dumps(NOTE)}\nthen\n/ask_person {json.dumps(ASKED)}")
    chats.box.press("Enter")
    expect(chats.console.approval.get_by_label("Arguments")).to_contain_text(NOTE["text"])
    expect(chats.console.approval).to_contain_text("May this chat call add_note?")
    expect(chats.calls).to_contain_text("Waiting for you")
    chats.page.reload()
    # The approval was not given yet: it is asked for again.
    chats.console.approval.get_by_role("button", name="Allow once").click()
    expect(chats.console.notes).to_contain_text(NOTE["text"])
    expect(chats.console.question).to_contain_text("Shall I book it?")
    chats.page.reload()
    expect(chats.calls.first).to_contain_text('{ "notes": 1 }')
    expect(chats.calls.last).to_contain_text("Waiting for you")
    chats.console.question.get_by_role("button", name="Yes, two nights").click()
    chats.wait_over()
    told = chats.page.locator(".message-body").nth(1).inner_text()
    chats.page.reload()
    expect(chats.calls.last).to_contain_text('"answer": "Yes, two nights"')
    assert chats.page.locator(".message-body").nth(1).inner_text() == told
    expect(chats.calls).to_contain_text(["add_note", "ask_person"])
    expect(chats.answers).to_contain_text(["I call add_note.", "I call ask_person.", "Yes, two nights"])
    assert not any(text.startswith(" ") for text in chats.answers.all_text_contents())
    expect(chats.console.notes).to_have_count(1)
    expect(chats.page.locator(".message")).to_have_count(2)
    expect(chats.page.locator(".message[data-partial]")).to_have_count(0)
    chats.console.shoot("tools-story")


def test_stopping_an_answer_takes_back_what_the_tab_asks(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.use_tools()
    chats.box.fill(f"/ask_person {json.dumps(ASKED)}\n/add_note {json.dumps(NOTE)}")
    chats.box.press("Enter")
    expect(chats.console.question).to_be_visible()
    expect(chats.console.approval).to_be_visible()
    chats.stop_button.click()
    expect(chats.console.question).to_have_count(0)
    expect(chats.console.approval).to_be_hidden()
    chats.wait_over()
    expect(chats.calls).to_contain_text(["Stopped", "Stopped"])
    expect(chats.console.notes).to_have_count(0)
    chats.page.reload()
    expect(chats.calls).to_contain_text(["Stopped", "Stopped"])


def test_calls_stand_in_the_conversation_with_what_came_of_them(open_scripted: OpenChats) -> None:
    chats = open_scripted()
    code = chats.use_tools()
    answer = ask(chats, "Plan the weekend.")
    assert chats.page.evaluate("script.asked[0].session") == {"code": code}
    answer.think("First the note.")
    answer.say("I note it and ask.")
    answer.call("c1", "add_note", NOTE)
    answer.call("c2", HOSTILE[0], {"text": list(HOSTILE), "hidden": "a\u202eb"})
    answer.report("c1", {"progress": 1, "total": 4, "message": "A quarter."})
    expect(chats.page.get_by_role("status").filter(has_text=f"Calling {HOSTILE[0]}")).to_be_visible()
    expect(chats.calls.first).to_contain_text("A quarter.")
    expect(chats.page.get_by_role("progressbar")).to_have_js_property("value", 0.25)
    answer.give("c1", {"notes": 1})
    answer.give("c2", UNKNOWN, is_error=True)
    answer.say("Now the colour.")
    answer.call("c3", "set_accent", {"color": "moss"}, 1)
    answer.give("c3", REFUSED, is_error=True)
    answer.call("c4", "ask_person", {}, 1)
    answer.end("stopped")
    outcomes = ["Done", "Failed", "Refused", "No result"]
    expect(chats.calls.locator(".pill")).to_have_text(outcomes)
    expect(chats.calls.nth(1)).to_contain_text("There is no such tool.")
    expect(chats.calls.nth(2)).to_contain_text("it did not run")
    first = chats.calls.first
    first.locator("summary").focus()
    chats.page.keyboard.press("Enter")
    expect(first.get_by_label("Arguments")).to_contain_text('"hut"')
    expect(first.get_by_label("Result")).to_contain_text('"notes": 1')
    chats.calls.nth(1).locator("summary").click()
    expect(chats.calls.nth(1).get_by_label("Arguments")).to_contain_text(r"a\u{202e}b")
    assert chats.page.evaluate("window.pwned") is None
    assert chats.page.locator("#messages :is(img, script, svg, style, a)").count() == 0
    assert chats.texts()[1:] == ["I note it and ask.", "Now the colour."]
    assert faults(chats.page) == []
    chats.console.shoot("tools-outcomes")
    # What the history has shows the same.
    shown = chats.page.locator(".message").last.inner_text()
    answer.keep("I note it and ask.Now the colour.", "First the note.")
    chats.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(first.get_by_label("Result")).to_be_visible()
    assert chats.page.locator(".message").last.inner_text() == shown


def test_an_answer_that_fails_after_a_call_goes_on_under_the_same_question(open_scripted: OpenChats) -> None:
    chats = open_scripted()
    chats.use_tools()
    answer = ask(chats, "Note it.")
    answer.call("c1", "add_note", NOTE)
    answer.give("c1", {"notes": 1})
    answer.fail("rate_limited", "Too many questions.")
    expect(chats.page.locator(".message[data-partial]")).to_contain_text("Too many questions.")
    go_on = chats.button("Go on with this answer")
    expect(go_on).to_be_visible()
    # So it is after it was read from the history, which does not say why it ended.
    answer.keep("", "")
    chats.new_thread()
    chats.open_thread("Note it.")
    expect(chats.page.locator(".message[data-partial]")).to_contain_text("Incomplete")
    chats.page.evaluate("script.history = []")
    go_on.click()
    expect(chats.stop_button).to_be_visible()
    first, second = chats.page.evaluate("script.asked")
    assert [second[name] for name in ("message", "messageId", "session")] == [
        first[name] for name in ("message", "messageId", "session")
    ]
    answer = ScriptedAnswer(chats.page)
    answer.say("Noted.")
    answer.keep("Noted.", "")
    answer.end()
    expect(chats.answer).to_have_text("Noted.")
    expect(go_on).to_have_count(0)


def test_on_a_phone_what_the_tab_asks_stands_above_the_message_box(open_scripted: OpenChats, api: httpx.Client) -> None:
    chats = open_scripted(**PHONE, color_scheme="dark")
    code = chats.use_tools()
    answer = ask(chats, "Note it.")
    answer.say("I note it.")
    chats.button("Threads").tap()
    expect(chats.page.get_by_role("dialog", name="Threads")).to_be_visible()
    answer.call("c1", "add_note", NOTE)
    api.post("/api/request", json={"code": code, "tool": "add_note", "args": NOTE, "id": "c1"}).raise_for_status()
    # What waits for the person is not left behind a drawer.
    expect(chats.page.get_by_role("dialog")).to_have_count(0)
    allow = chats.console.approval.get_by_role("button", name="Allow once")
    expect(allow).to_be_enabled()
    expect(chats.calls).to_contain_text("Waiting for you")
    expect(chats.state).to_have_text("Waiting for you")
    chats.console.shoot("tools-phone", full_page=False)
    assert faults(chats.page) == []
    assert chats.page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = [chats.console.approval.bounding_box(), chats.box.bounding_box(), chats.stop_button.bounding_box()]
    edges = [edge for box in boxes if box for edge in (box["y"], box["y"] + box["height"])]
    assert edges == sorted(edges)
    assert edges[-1] <= 740
    expect(chats.console.approval).to_be_in_viewport(ratio=1)
    allow.click()
    expect(chats.state).to_have_text("Calling add_note")
    expect(chats.console.notes).to_have_count(1)
    chats.page.get_by_role("link", name="Session", exact=True).click()
    expect(chats.page.locator("#session-view #stage .note")).to_be_visible()


def test_the_tools_are_switched_and_approved_with_the_keyboard(open_scripted: OpenChats, api: httpx.Client) -> None:
    chats = open_scripted()
    walk_to(chats.page, "#use-tools")
    chats.page.keyboard.press("Space")
    code = chats.console.wait_online()
    answer = ask(chats, "Note it.")
    answer.call("c1", "add_note", {"text": "Another note"})
    api.post("/api/request", json={"code": code, "tool": "add_note", "args": NOTE, "id": "c1"}).raise_for_status()
    expect(chats.page.get_by_role("alert").filter(has_text="An agent asks to call add_note.")).to_be_attached()
    # Its arguments are not those that the chat shows.
    expect(chats.console.approval).to_contain_text("May an agent call add_note?")
    expect(chats.box).to_be_focused()
    expect(chats.console.approval.get_by_role("button", name="Allow once")).to_be_enabled()
    chats.page.evaluate("document.activeElement.blur()")
    walk_to(chats.page, "#approval .primary")
    chats.page.keyboard.press("Enter")
    expect(chats.console.notes).to_have_count(1)


def test_a_server_that_wants_a_token_besides_the_code_gets_one_once(open_scripted: OpenChats, watch: Watch) -> None:
    # A thread whose answers a script says is not on the server, where the page looks for it when it is loaded again.
    watch.expects_network_errors = True
    chats = open_scripted()
    code = chats.use_tools()
    chats.page.evaluate("script.refusal = { code: 'token_required', detail: 'A code alone is not enough here.' }")
    answer = ask(chats, "Note it.")
    answer.say("Noted.")
    answer.end()
    sessions = chats.page.evaluate("script.asked.map(({ session }) => session)")
    assert sessions[0] == {"code": code}
    assert sessions[1:] == [{"token": sessions[1]["token"]}]
    chats.page.reload()
    ask(chats, "And again.")
    assert chats.page.evaluate("script.asked[0].session") == sessions[1]
    expect(chats.banner).to_be_hidden()


def test_an_encrypted_session_is_closed_to_the_model(open_console: OpenConsole) -> None:
    tab = open_console()
    open_encrypted(tab)
    tab.page.get_by_role("link", name="Chat", exact=True).click()
    expect(tab.page.get_by_role("switch", name="Use this tab’s tools")).to_be_disabled()
    expect(tab.page.locator("#tools-note")).to_contain_text(re.compile("^Not in an encrypted session"))
