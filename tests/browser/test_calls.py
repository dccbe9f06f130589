"""Calls from an agent to a tab, both in browsers, and from a program without one."""

import json
import re
import shlex
import subprocess

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenConsole
from tools.local.harness.worker import LocalWorker


def test_a_call_from_the_agents_panel_reaches_the_tab_and_its_answer_shows(open_console: OpenConsole) -> None:
    tab = open_console()
    code = tab.wait_online()
    tab.let_run("add_note")
    agent = open_console("#join=")
    agent.join(code)
    agent.call("add_note", text="The left fork is closed.", kind="warning", tags=["route"], pinned=True)
    agent.expect_answer('"notes": 1')
    expect(tab.notes).to_contain_text("The left fork is closed.")
    expect(tab.notes).to_contain_text("pinned · warning")
    expect(tab.notes.locator(".tag")).to_have_text("route")
    expect(tab.line("in")).to_contain_text("The left fork is closed.")
    expect(tab.line("out")).to_contain_text('"notes": 1')
    tab.shoot("tab-after-a-call")
    agent.shoot("agent-after-a-call")


def test_the_link_and_the_qr_code_lead_an_agent_to_the_tab(open_console: OpenConsole) -> None:
    tab = open_console()
    code = tab.wait_online()
    link = tab.page.locator("#qr").get_attribute("href")
    assert link == f"{tab.url}/#join={code}"
    expect(tab.page.get_by_role("img", name="QR code")).to_be_visible()
    # At localhost, it leads to where `make dev` says that phones find it, or the page says that they can't.
    hint = tab.page.locator("#qr-hint")
    expect(hint).to_contain_text("Only this computer can open this.")
    tab.page.route("**/network.json", lambda route: route.fulfill(json={"url": "http://192.0.2.7:8787"}))
    tab.page.reload()
    tab.wait_online()
    expect(hint).to_contain_text("Phones in your network can scan this: it opens 192.0.2.7:8787")
    assert tab.link == f"http://192.0.2.7:8787/#join={code}"
    agent = open_console(f"#join={code}")
    expect(agent.page.locator("#tools input")).to_have_count(3)
    expect(agent.page.locator("#presence")).to_have_text("Tab online")
    assert agent.page.get_by_label("Session code or link").input_value() == f"{code[:4]}-{code[4:]}"
    expect(agent.page.locator("#tab")).to_be_hidden()


def test_it_works_without_https_on_a_local_network(open_at: OpenConsole, worker: LocalWorker) -> None:
    tab = open_at(f"http://waypost.local:{worker.port}")
    tab.wait_online()
    assert tab.page.evaluate("isSecureContext") is False
    tab.page.get_by_role("button", name="Use this tab’s code").click()
    tab.call("add_note", text="No lock, no key")
    tab.expect_answer('"notes": 1')


def test_the_agent_paints_the_page(open_console: OpenConsole) -> None:
    tab = open_console()
    tab.wait_online()
    tab.page.get_by_role("button", name="Use this tab’s code").click()
    tab.call("set_accent", color="heather")
    tab.expect_answer('"hue": 320')
    assert tab.page.evaluate("document.documentElement.style.getPropertyValue('--hue')") == "320"


def test_a_program_without_a_browser_reaches_the_tab(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    tab.let_run("add_note")
    body = {"code": code, "tool": "add_note", "args": {"text": "Hello from a program"}}
    reply = api.post("/api/request?wait=20", json=body)
    assert reply.status_code == 200
    assert reply.json()["result"] == {"notes": 1}
    expect(tab.notes).to_contain_text("Hello from a program")


def test_the_command_on_the_page_works_when_pasted_into_a_shell(open_console: OpenConsole) -> None:
    tab = open_console()
    tab.wait_online()
    tab.let_run("add_note")
    command = tab.page.locator("#curl").text_content() or ""
    try:
        done = subprocess.run(shlex.split(command.replace("\\\n", "")), capture_output=True, timeout=120, check=True)
    except FileNotFoundError:
        pytest.skip("no curl on this machine")
    assert json.loads(done.stdout)["result"] == {"notes": 1}
    expect(tab.notes).to_contain_text("Hello, tab")


def test_progress_shows_while_a_person_takes_their_time(open_console: OpenConsole) -> None:
    tab = open_console()
    agent = open_console("#join=")
    agent.join(tab.wait_online())
    agent.call("ask_person", question="Which hut?")
    expect(agent.call_card).to_contain_text("The question is on the page.")
    tab.page.get_by_label("Your answer").fill("The upper one")
    expect(agent.call_card).to_contain_text("The person is typing.")
    agent.shoot("agent-sees-progress")
    tab.shoot("tab-asks-a-question")
    tab.page.get_by_role("button", name="Answer").click()
    agent.expect_answer("The upper one")
    expect(tab.line("out", "progress")).to_have_count(2)


def test_a_call_goes_on_after_a_reload_of_the_agents_page(open_console: OpenConsole) -> None:
    tab = open_console()
    agent = open_console(f"#join={tab.wait_online()}")
    agent.call("ask_person", question="Which hut?")
    expect(agent.call_card).to_contain_text("The question is on the page.")
    agent.page.reload()
    expect(agent.call_card.locator(".pill")).to_have_text("Waiting")
    expect(agent.page.locator('#tools input[value="ask_person"]')).to_be_checked()
    tab.page.get_by_label("Your answer").fill("The upper one")
    tab.page.get_by_role("button", name="Answer").click()
    agent.expect_answer("The upper one")
    expect(tab.entries).to_have_count(1)
    agent.page.reload()
    expect(agent.page.locator("#tools input").first).to_be_visible()
    expect(agent.page.locator(".call-card")).to_have_count(0)


def test_choices_are_answered_with_one_click(open_console: OpenConsole) -> None:
    tab = open_console()
    tab.wait_online()
    tab.page.get_by_role("button", name="Use this tab’s code").click()
    tab.call("ask_person", question="Tea?", choices=["Yes", "No, coffee"])
    tab.question.get_by_role("button", name="No, coffee").click()
    tab.expect_answer('"answer": "No, coffee"')


def test_an_exception_in_a_handler_becomes_an_error_answer(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    tab.let_run("add_note")
    reply = api.post("/api/request?wait=20", json={"code": code, "tool": "add_note", "args": {}})
    assert reply.json()["error"] == {"code": "tool_error", "message": "text must be a non-empty string."}
    tab.page.get_by_role("button", name="Use this tab’s code").click()
    tab.call("ask_person", question="May I?")
    tab.page.get_by_role("button", name="Decline").click()
    expect(tab.call_card.locator(".pill")).to_have_text(re.compile("^Error after"))
    tab.expect_answer("The person declined to answer.")
    expect(tab.line("out", "error")).to_have_count(2)
    tab.shoot("error-answers")


def test_a_call_to_an_unknown_tool_is_answered_with_an_error(open_console: OpenConsole, api: httpx.Client) -> None:
    code = open_console().wait_online()
    reply = api.post("/api/request?wait=20", json={"code": code, "tool": "fly", "args": {}})
    assert reply.json()["error"]["code"] == "unknown_tool"


def test_cancelling_reaches_the_handler(open_console: OpenConsole) -> None:
    tab = open_console()
    agent = open_console("#join=")
    agent.join(tab.wait_online())
    agent.call("ask_person", question="Still there?")
    expect(tab.question).to_be_visible()
    agent.page.get_by_role("button", name="Cancel ask_person").click()
    expect(tab.question).to_have_count(0)
    expect(agent.call_card.locator(".pill")).to_have_text(re.compile("^Cancelled"))
    expect(tab.line("in", "cancelled")).to_have_count(1)
    # Nothing but the progress went out: a cancelled handler sends no answer.
    expect(tab.line("out")).to_have_count(1)
