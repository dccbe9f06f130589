"""Where the person is asked: one place for questions and approvals, in sight wherever they look."""

import re

import httpx
from playwright.sync_api import expect

from tests.browser.audit import faults
from tests.browser.conftest import OpenConsole

ELSEWHERE = """() => {
  window.notified = [];
  document.hasFocus = () => false;
  window.Notification = class extends EventTarget {
    static permission = "default";
    static async requestPermission() { return (this.permission = "granted"); }
    constructor(title, options) { super(); notified.push({ title, ...options, open: this }); }
    close() {}
  };
  window.badges = [];
  navigator.setAppBadge = async (count) => void badges.push(count);
  navigator.clearAppBadge = async () => void badges.push(0);
}"""
"""A person who looks at another window, and what their system shows them."""


def send(api: httpx.Client, code: str, id: str, tool: str, **args: object) -> None:
    """Call a tool of the tab, from a program."""
    api.post("/api/request", json={"code": code, "tool": tool, "args": args, "id": id}).raise_for_status()


def test_questions_and_approvals_wait_in_one_place_that_is_in_sight(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    code = tab.wait_online()
    tab.page.get_by_label("Session code or link").focus()
    tab.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    send(api, code, "q1", "ask_person", question="Which hut shall I book?")
    expect(tab.question).to_be_in_viewport(ratio=1)
    expect(tab.approval).to_contain_text("An agent asks you:")
    expect(tab.page.get_by_role("alert").filter(has_text="Which hut shall I book?")).to_be_attached()
    expect(tab.page).to_have_title(re.compile(r"^\(1\) "))
    expect(tab.page.locator("link[rel=icon]")).to_have_attribute("href", "/console/icon-waiting.svg")
    send(api, code, "r1", "add_note", text="Milk")
    expect(tab.page.locator("#approvals-count")).to_have_text("1 of 2")
    # F8 leads to what waits and back, and Escape back too.
    tab.page.keyboard.press("F8")
    expect(tab.question).to_be_focused()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_label("Session code or link")).to_be_focused()
    # What is typed stays while another one is looked at.
    tab.page.get_by_label("Your answer").fill("The upper")
    tab.approval.get_by_role("button", name="add_note").click()
    expect(tab.approval).to_contain_text("May an agent call add_note?")
    expect(tab.page.locator("#approvals-count")).to_have_text("2 of 2")
    tab.approval.get_by_role("button", name="Refuse", exact=True).click()
    expect(tab.page.get_by_label("Your answer")).to_have_value("The upper")
    assert faults(tab.page) == []
    tab.shoot("waiting-question", full_page=False)
    tab.approval.get_by_role("button", name="Answer").click()
    expect(tab.approval).to_be_hidden()
    expect(tab.page).not_to_have_title(re.compile(r"^\("))
    expect(tab.page.locator("link[rel=icon]")).to_have_attribute("href", "/console/icon.svg")
    expect(tab.entries).to_contain_text(["Refused by the person", "Answered"])


def test_a_person_who_looks_elsewhere_is_notified_if_they_want_that(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    tab.page.context.add_init_script(f"({ELSEWHERE})()")
    tab.page.reload()
    code = tab.wait_online()
    send(api, code, "r1", "add_note", text="Milk")
    expect(tab.approval).to_be_visible()
    assert tab.page.evaluate("[notified.length, badges.at(-1)]") == [0, 1]
    tab.approval.get_by_role("button", name="Notify me").click()
    expect(tab.approval.get_by_role("button", name="Notifications on")).to_have_attribute("aria-pressed", "true")
    send(api, code, "q1", "ask_person", question="Which hut?")
    expect(tab.page.locator("#approvals-count")).to_have_text("1 of 2")
    assert tab.page.evaluate("notified.map(({ body }) => body)") == [
        "What waits for you is shown like this.",
        "An agent asks you: Which hut?",
    ]
    assert tab.page.evaluate("badges.at(-1)") == 2
    tab.page.evaluate("notified[1].open.dispatchEvent(new Event('click'))")
    expect(tab.page.locator("#approval > *")).to_be_focused()
    tab.approval.get_by_role("button", name="Refuse all").click()
    expect(tab.approval).to_be_hidden()
    assert tab.page.evaluate("badges.at(-1)") == 0


def test_at_400_percent_the_buttons_stay_in_sight(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console(viewport={"width": 320, "height": 256})
    code = tab.wait_online()
    send(api, code, "r1", "add_note", text="Milk", tags=["a", "b", "c", "d", "e"])
    for name in ("Allow once", re.compile("^Always allow add_note"), "Refuse"):
        button = tab.approval.get_by_role("button", name=name, exact=isinstance(name, str))
        expect(button).to_be_in_viewport(ratio=1)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 320
