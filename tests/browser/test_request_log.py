"""The log of the tab's calls: one row each, found again, called again, kept over a reload, and no page that grows."""

import base64
import json

import httpx
from playwright.sync_api import expect

from tests.browser.audit import faults
from tests.browser.conftest import OpenConsole

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_a_call_is_one_row_that_is_filtered_pinned_called_again_and_kept_over_a_reload(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console(permissions=["clipboard-read", "clipboard-write"])
    code = tab.wait_online()
    tab.let_run("add_note")
    for tool, text in (("add_note", "Milk"), ("fly", "away"), ("add_note", "Tea")):
        body = {"code": code, "tool": tool, "args": {"text": text}}
        api.post("/api/request?wait=20", json=body).raise_for_status()
    expect(tab.entries.locator("> details > summary .pill")).to_have_text(["Answered", "Failed", "Answered"])
    expect(tab.page.locator("#traffic-count")).to_have_text("3 calls")
    first = tab.entries.filter(has_text="Milk")
    first.locator("summary").first.click()
    first.get_by_role("button", name="Copy: Answer").click()
    assert json.loads(tab.page.evaluate("navigator.clipboard.readText()")) == {"notes": 1}
    first.get_by_role("button", name="Pin", exact=True).click()
    expect(tab.entries.first).to_contain_text("Milk")
    tab.page.get_by_label("Errors only").check()
    expect(tab.entries.locator("> details > summary b")).to_have_text(["fly"])
    tab.page.get_by_label("Errors only").uncheck()
    tab.page.get_by_label("Filter the calls").fill("TEA")
    expect(tab.entries).to_have_count(1)
    tab.page.get_by_label("Filter the calls").fill("")
    assert faults(tab.page) == []
    tab.shoot("log-of-calls")
    tab.page.reload()
    tab.wait_online()
    expect(tab.entries.locator("> details > summary .pill")).to_have_text(["Answered", "Answered", "Failed"])
    tab.entries.first.locator("summary").first.click()
    tab.entries.first.get_by_role("button", name="Call again").click()
    expect(tab.notes.filter(has_text="Milk")).to_have_count(2)
    # The person has pressed the button: nothing was asked.
    expect(tab.page.locator("#approvals-said")).to_be_empty()


def test_the_page_does_not_grow_with_what_the_log_holds(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    tab.wait_online()
    code = tab.code
    heights = []
    for count in (20, 40):
        for number in range(count - 20, count):
            body = {"code": code, "tool": "fly", "args": {}, "id": f"n{number}"}
            api.post("/api/request", json=body).raise_for_status()
        expect(tab.entries).to_have_count(count)
        heights.append(tab.page.evaluate("document.documentElement.scrollHeight"))
    # The first twenty fill the box of the log, in which the others are scrolled to.
    assert heights[0] == heights[1]


def test_a_result_is_shown_as_what_it_is(open_console: OpenConsole, api: httpx.Client) -> None:
    content = [
        {"type": "text", "text": "Two\nlines"},
        {"type": "image", "mimeType": "image/png", "data": PIXEL},
        {"type": "image", "mimeType": "image/svg+xml", "data": base64.b64encode(b"<svg/>").decode()},
    ]
    tab = open_console("#join=")
    link = tab.page.evaluate(
        """async (content) => {
          const { createSession, Host } = await import("/waypost.js");
          const host = new Host(await createSession());
          host.tool({ name: "show", annotations: { readOnlyHint: true } }, () => ({ content }));
          await host.connect();
          return host.session.link;
        }""",
        content,
    )
    agent = open_console(link.removeprefix(f"{tab.url}/"))
    expect(agent.page.locator("#agent-title")).to_have_text("You are connected to a tab")
    expect(agent.page.locator(".badge")).to_have_text("read-only")
    agent.call("show")
    answer = agent.call_card.get_by_label("Answer")
    expect(answer.locator("pre")).to_have_text("Two\nlines")
    picture = answer.get_by_role("img", name="Picture in the result")
    expect(picture).to_have_count(1)
    expect(picture).to_have_js_property("naturalWidth", 1)
    expect(answer.locator(".json")).to_contain_text('"mimeType": "image/svg+xml"')
