"""Threads in the console over time: renamed, archived, read back to their beginning, cleaned up, taken along."""

import json
from pathlib import Path

import httpx
from playwright.sync_api import Route, expect

from tests.browser.audit import faults
from tests.browser.chats import Chats
from tests.browser.conftest import OpenChats
from tests.browser.watch import Watch


def test_a_thread_is_renamed_in_place_and_archived_in_all_tabs(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("Pack the bags")
    other = Chats(chats.console.another_tab())
    expect(other.title).to_have_text("Pack the bags")
    page = chats.page
    page.locator("#threads a").press("F2")
    name = page.get_by_label("New name of Pack the bags")
    expect(name).to_be_focused()
    name.fill("Never mind")
    name.press("Escape")
    more = page.get_by_role("button", name="Actions for Pack the bags")
    expect(more).to_be_focused()
    more.press("Enter")
    page.get_by_role("button", name="Rename Pack the bags").press("Enter")
    name.fill("Packing list")
    name.press("Enter")
    for tab in (chats, other):
        expect(tab.title).to_have_text("Packing list")
        expect(tab.threads).to_contain_text("Packing list")
    [thread] = chats.listed()
    assert thread["title"] == "Packing list"
    page.get_by_role("button", name="Actions for Packing list").click()
    assert faults(page) == []
    page.get_by_role("button", name="Archive Packing list").click()
    for tab in (chats, other):
        expect(tab.threads).to_have_count(0)
        expect(tab.page.locator("#archived-note")).to_be_visible()
    expect(chats.button("Start new thread")).to_be_focused()
    chats.button("Archived").click()
    expect(chats.threads).to_contain_text("Packing list")
    page.reload()
    chats.button("Archived").click()
    expect(chats.threads).to_contain_text("Packing list")
    page.goto(f"{chats.console.url}/#chat={thread['threadId']}")
    expect(chats.title).to_have_text("Packing list")
    chats.button("Unarchive").click()
    expect(chats.threads).to_have_count(0)
    chats.button("In use").click()
    expect(chats.threads).to_contain_text("Packing list")


def test_a_thread_is_found_by_its_title_wherever_it_is_and_renamed_above_its_messages(
    open_chats: OpenChats, api: httpx.Client, watch: Watch
) -> None:
    # At the end, for a thread that does not exist.
    watch.expects_network_errors = True
    chats = open_chats()
    page, owner = chats.page, chats.owner()
    expect(page.get_by_label("Find threads")).to_be_hidden()
    for number in range(32):
        title = {0: "Résumé of the trip", 1: "The trip home"}.get(number, f"Thread {number}")
        body = {"threadId": f"found-{number}", "resourceId": owner, "title": title}
        api.post("/api/threads", json=body).raise_for_status()
    api.patch("/api/threads/found-1", json={"resourceId": owner, "archived": True}).raise_for_status()
    page.reload()
    expect(chats.threads).to_have_count(30)
    box = page.get_by_label("Find threads")
    box.fill("TRIP")
    # One of them is archived, the other one is older than what the list shows.
    expect(chats.threads).to_have_count(2)
    expect(chats.threads.last).to_contain_text(", archived")
    box.fill("resume trip")
    expect(chats.threads).to_have_count(1)
    assert faults(page) == []
    chats.threads.click()
    expect(chats.title).to_have_text("Résumé of the trip")
    chats.button("Rename").click()
    page.get_by_label("New name of Résumé of the trip").fill("Report")
    page.keyboard.press("Enter")
    expect(chats.title).to_have_text("Report")
    expect(chats.button("Rename")).to_be_focused()
    expect(page.get_by_text("No thread has such a title.")).to_be_visible()
    box.fill("")
    expect(chats.threads).to_have_count(31)
    page.goto(f"{chats.console.url}/#chat=unknown")
    expect(chats.title).to_have_text("Thread")
    for name in ("Rename", "Fork", "Export", "Delete"):
        expect(chats.button(name)).to_be_disabled()


def test_earlier_messages_come_page_by_page_and_what_is_read_stays_in_its_place(
    open_chats: OpenChats, api: httpx.Client
) -> None:
    chats = open_chats()
    page = chats.page
    thread = {"threadId": "long", "resourceId": chats.owner(), "title": "Long"}
    session_id = api.post("/api/threads", json=thread).raise_for_status().json()["session"]["sessionId"]
    for start in range(0, 220, 55):
        messages = [{"id": f"m{n}", "role": "user", "content": f"Number {n}"} for n in range(start, start + 55)]
        api.post(f"/api/conversations/{session_id}/messages", json={"messages": messages}).raise_for_status()
    page.goto(f"{chats.console.url}/#chat=long")
    expect(chats.questions.last).to_have_text("Number 219")
    expect(chats.questions).to_have_count(50)
    chats.button("Earlier messages").focus()
    read = page.locator('[data-id="m172"]')
    place = read.bounding_box()
    assert place is not None
    chats.button("Earlier messages").press("Enter")
    expect(chats.questions).to_have_count(100)
    moved = read.bounding_box()
    assert moved is not None
    assert abs(moved["y"] - place["y"]) < 1
    expect(page.locator("#talk-cut")).to_be_hidden()
    for count in (150, 200):
        chats.button("Earlier messages").press("Enter")
        expect(chats.questions).to_have_count(count)
    expect(page.locator('[data-id="m20"]')).to_be_focused()
    expect(page.get_by_text("Older messages are no longer kept.", exact=True)).to_be_visible()
    assert chats.texts() == [f"Number {n}" for n in range(20, 220)]
    # What comes from elsewhere leaves the earlier messages where they are.
    new = {"messages": [{"id": "x", "role": "user", "content": "New"}]}
    api.post(f"/api/conversations/{session_id}/messages", json=new).raise_for_status()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(chats.questions.last).to_have_text("New")
    assert chats.texts() == [*(f"Number {n}" for n in range(20, 220)), "New"]


def test_a_deleted_message_is_gone_in_all_tabs_and_for_the_model(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("One")
    chats.say("A secret")
    chats.say("Three")
    other = Chats(chats.console.another_tab())
    expect(other.questions).to_have_count(3)
    message = chats.page.locator('.message[data-role="user"]').nth(1)
    message.hover()
    message.get_by_role("button", name="Delete").click()
    chats.confirm("Delete message")
    for tab in (chats, other):
        expect(tab.questions).to_have_text(["One", "Three"])
    assert "A secret" not in chats.say("What do you know?")
    chats.page.reload()
    expect(chats.questions).to_have_text(["One", "Three", "What do you know?"])


def test_all_threads_are_exported_into_one_file_and_deleted_after_a_question(
    open_chats: OpenChats, tmp_path: Path
) -> None:
    chats = open_chats()
    chats.say("First")
    chats.new_thread()
    chats.say("Second")
    chats.page.get_by_text("All threads of this browser", exact=True).click()
    with chats.page.expect_download() as download:
        chats.button("Export all").click()
    download.value.save_as(tmp_path / "all.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["thread", "conversation", "thread", "conversation", "end"]
    assert "Second" in json.dumps(lines)
    chats.button("Delete all").click()
    chats.confirm("Keep it")
    expect(chats.threads).to_have_count(2)
    chats.button("Delete all").click()
    chats.confirm("Delete all threads")
    expect(chats.threads).to_have_count(0)
    expect(chats.title).to_have_text("New thread")
    assert chats.listed() == []


def test_reasoning_shows_its_last_words_while_the_model_thinks_and_folds_up_then(
    open_chats: OpenChats, watch: Watch
) -> None:
    watch.expects_network_errors = True
    chats = open_chats()
    thought = "Which way?\nThe ridge is out."

    def event(kind: str, ident: str = "", **data: object) -> str:
        return f"event: {kind}\n{f'id: {ident}' if ident else ':'}\ndata: {json.dumps(data)}\n\n"

    def think(route: Route) -> None:
        asked = route.request.post_data_json
        ids = {"threadId": asked["threadId"], "resourceId": asked["resourceId"], "messageId": asked["messageId"]}
        start = event("start", session_id="s1", generationId="g1", **ids)
        body = start + event("reasoning", f"g1.0r{len(thought)}", text=thought)
        route.fulfill(content_type="text/event-stream", body=body)

    done = {"generationId": "g1", "messageId": "g1", "finishReason": "stop", "partial": False, "messageCount": 2}
    said = event("delta", f"g1.15r{len(thought)}", text="Take the valley") + event("done", **done)
    chats.page.route("**/api/chat?*", think)
    chats.page.route("**/api/chat/*/stream?*", lambda route: route.fulfill(status=503))
    chats.box.fill("Where to?")
    chats.box.press("Enter")
    reasoning = chats.page.locator('.message[data-role="assistant"] .reasoning')
    expect(reasoning.locator("summary")).to_have_text("ThinkingThe ridge is out.")
    expect(reasoning.locator(".reasoning-text")).to_be_hidden()
    assert faults(chats.page) == []
    chats.page.route("**/api/chat/*/stream?*", lambda route: route.fulfill(content_type="text/event-stream", body=said))
    expect(chats.answer).to_have_text("Take the valley")
    expect(reasoning.locator("summary")).to_have_text("Reasoning")
    reasoning.locator("summary").click()
    expect(reasoning.locator(".reasoning-text")).to_have_text(thought)
