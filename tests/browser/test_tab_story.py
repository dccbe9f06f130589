"""The whole story of a chat that uses its tab: the page is reloaded in its middle, and the Worker killed once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.chats import Chats
from tests.browser.conftest import OpenConsole
from tests.browser.watch import Watch
from tests.support.completions import calling, said
from tests.support.model_server import Head, ModelServer
from tools.local.harness.worker import LocalWorker

BOOKING = """
import { Host } from "/waypost.js";
const definition = {
  name: "book_hut",
  description: "Book the hut above the lake.",
  inputSchema: { type: "object", properties: { nights: { type: "integer" } }, required: ["nights"] },
};
const book = ({ nights }) => {
  const booked = [...JSON.parse(sessionStorage.getItem("booked") ?? "[]"), nights];
  sessionStorage.setItem("booked", JSON.stringify(booked));
  return { booking: `H-${booked.length}`, nights };
};
const { connect } = Host.prototype;
Host.prototype.connect = function () {
  this.tool(definition, book);
  return connect.call(this);
};
"""
"""A tool besides the console's own; the tab's storage has each of its runs."""

ASKED = {"question": "How many nights?", "choices": ["One night", "Two nights"]}
ROUTE, HUT = {"text": "Up by the lake", "kind": "idea"}, {"text": "Hut H-1 is booked", "kind": "todo"}
STEPS = ["Let me note the way.", "How long is up to you.", "Then I book it.", "And I note that.", "All is booked."]


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """A model that notes the way, asks for the nights, books, and notes the booking."""
    with ModelServer() as model:
        model.script(
            [Head(), *calling(STEPS[0], add_note=ROUTE)],
            [Head(), *calling(STEPS[1], ask_person=ASKED)],
            [Head(), *calling(STEPS[2], book_hut={"nights": 2})],
            [Head(), *calling(STEPS[3], add_note=HUT)],
            [Head(), *said(STEPS[4])],
        )
        yield model


@pytest.fixture
def modelled(browser: Browser, model: ModelServer) -> Iterator[LocalWorker]:
    """A Worker that asks this model, and is killed."""
    # The paid plan notices within five seconds that an answer has broken off, the free one within fifty.
    with LocalWorker(OPENAI_BASE_URL=model.url, OPENAI_MODEL="scripted", PLAN="paid") as worker:
        yield worker


def test_a_chat_notes_asks_and_books_over_a_reload_and_a_kill_and_each_tool_runs_once(
    open_at: OpenConsole, modelled: LocalWorker, model: ModelServer, watch: Watch
) -> None:
    watch.expects_network_errors = True
    chats = Chats(open_at(modelled.url, "#chat"))
    page, tab = chats.page, chats.console
    offer_booking(page)
    chats.use_tools()
    chats.box.fill("Two of us want to stay at the hut. Book it.")
    chats.box.press("Enter")
    allow = tab.approval.get_by_role("button", name="Allow once")
    allow.click()
    expect(tab.question).to_contain_text(ASKED["question"])

    page.reload()

    tab.question.get_by_role("button", name="Two nights").click()
    expect(tab.approval).to_contain_text("May this chat call book_hut?")
    expect(tab.approval.get_by_label("Arguments")).to_contain_text('"nights": 2')

    modelled.kill()

    allow.click()
    expect(tab.approval).to_be_hidden()
    modelled.restart()
    # The tab delivers what it has done meanwhile; the answer goes on when the person says so.
    chats.button("Go on with this answer").click()
    allow.click()
    chats.wait_over()

    expect(chats.calls.locator(".pill")).to_have_text(["Done"] * 4)
    expect(chats.calls.locator("summary > code")).to_have_text(["add_note", "ask_person", "book_hut", "add_note"])
    expect(chats.answers).to_have_text(STEPS)
    expect(chats.calls.nth(2)).to_contain_text('"booking": "H-1"')
    shown = page.locator(".message-body").last.inner_text()
    page.reload()
    expect(chats.calls.locator(".pill")).to_have_text(["Done"] * 4)
    assert page.locator(".message-body").last.inner_text() == shown
    expect(page.locator(".message")).to_have_count(2)
    expect(page.locator(".message[data-partial]")).to_have_count(0)

    expect(tab.notes.locator("p:first-child")).to_have_text([HUT["text"], ROUTE["text"]])
    assert page.evaluate("sessionStorage.getItem('booked')") == "[2]"
    results = {
        "add_note": [{"notes": 1}, {"notes": 2}],
        "ask_person": ["Two nights"],
        "book_hut": [{"booking": "H-1", "nights": 2}],
    }
    [question, answer] = history(chats)
    assert (question["role"], question["content"]) == ("user", "Two of us want to stay at the hut. Book it.")
    assert (answer["role"], answer["content"], answer.get("partial")) == ("assistant", " ".join(STEPS), None)
    assert kept_results(answer["toolEvents"]) == results
    # The model was asked once for each step, the last time with all of it.
    assert len(model.requests) == len(STEPS)
    assert told_results(model.requests[-1].body["messages"]) == results


def offer_booking(page: Page) -> None:
    """Have the console's page offer the booking tool as well, from now on."""

    def add_script(route: Route) -> None:
        # Module scripts run in the order in which they stand in the page.
        html = route.fetch().text().replace("<head>", '<head><script type="module" src="/booking.js"></script>', 1)
        route.fulfill(content_type="text/html", body=html)

    page.route(lambda url: urlsplit(url).path == "/", add_script)
    page.route("**/booking.js", lambda route: route.fulfill(content_type="text/javascript", body=BOOKING))
    page.reload()


def history(chats: Chats) -> list[dict[str, Any]]:
    """The messages of the one thread, as the API has them."""
    [thread] = chats.listed()
    reply = chats.page.request.get(f"{chats.console.url}/api/conversations/{thread['sessionId']}")
    return list(reply.json()["messages"])


def kept_results(events: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The results that the history has, by tool; each call has one, which stands behind it."""
    calls = {event["id"]: event["name"] for event in events if event["kind"] == "call"}
    results = [event for event in events if event["kind"] == "result"]
    assert [event["id"] for event in results] == list(calls)
    assert not any(event.get("isError") for event in results)
    return by_tool((calls[event["id"]], event["value"]) for event in results)


def told_results(messages: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """The results that the model was given, by tool."""
    calls = {call["id"]: call["function"]["name"] for message in messages for call in message.get("tool_calls", [])}
    tools = [message for message in messages if message["role"] == "tool"]
    return by_tool((calls[message["tool_call_id"]], json.loads(message["content"])) for message in tools)


def by_tool(results: Iterator[tuple[str, Any]]) -> dict[str, list[Any]]:
    """`results` in lists; of what the person answered, the seconds are left out."""
    lists: dict[str, list[Any]] = {}
    for name, value in results:
        lists.setdefault(name, []).append(value["answer"] if name == "ask_person" else value)
    return lists
