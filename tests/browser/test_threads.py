"""Threads in the console: listed, opened, forked, deleted, exported."""

from pathlib import Path

import httpx
from playwright.sync_api import Route, expect

from tests.browser.chats import Chats
from tests.browser.conftest import OpenChats
from tests.browser.watch import Watch


def test_threads_are_listed_most_recently_used_first(open_chats: OpenChats) -> None:
    chats = open_chats()
    expect(chats.page.locator("#threads-empty")).to_be_visible()
    chats.say("First thread")
    chats.new_thread()
    chats.say("Second thread")
    titles = chats.page.locator("#threads .thread-title")
    expect(titles).to_have_text(["Second thread", "First thread"])
    expect(chats.page.locator('.thread[aria-current="true"]')).to_contain_text("Second thread")
    chats.open_thread("First thread")
    expect(chats.questions).to_have_text(["First thread"])
    chats.say("Used again")
    expect(titles).to_have_text(["First thread", "Second thread"])
    chats.page.reload()
    expect(titles).to_have_text(["First thread", "Second thread"])
    expect(chats.questions).to_have_text(["First thread", "Used again"])
    expect(chats.title).to_have_text("First thread")


def test_the_browsers_back_button_leads_through_the_threads(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("One")
    chats.new_thread()
    chats.say("Two")
    chats.page.go_back()
    expect(chats.title).to_have_text("One")
    expect(chats.questions).to_have_text(["One"])
    chats.page.go_forward()
    expect(chats.questions).to_have_text(["Two"])


def test_leaving_a_thread_lets_its_answer_go_on(open_chats: OpenChats) -> None:
    chats = open_chats()
    text = " ".join(f"word{number}" for number in range(80))
    chats.send(text)
    chats.new_thread()
    expect(chats.stop_button).to_be_hidden()
    chats.say("Meanwhile")
    chats.page.go_back()
    expect(chats.answer).to_contain_text("word79")
    chats.wait_over()
    expect(chats.questions).to_have_text([text])


def test_leaving_a_thread_immediately_still_sends_the_message(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("First")
    chats.box.fill("Second")
    chats.page.evaluate("""() => {
      document.getElementById("composer").requestSubmit();
      document.getElementById("new-thread").click();
    }""")
    expect(chats.title).to_have_text("New thread")
    chats.page.go_back()
    expect(chats.questions).to_have_text(["First", "Second"])
    expect(chats.answer).to_contain_text("Second")


def test_returning_to_a_thread_before_its_message_has_arrived_shows_the_answer(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("First")
    chats.box.fill("Second")
    held: list[Route] = []
    chats.page.route("**/api/chat?*", lambda route: held.append(route))
    with chats.page.expect_request("**/api/chat?*"):
        chats.button("Send").click()
    chats.button("Start new thread").click()
    expect(chats.title).to_have_text("New thread")
    chats.page.go_back()
    expect(chats.questions).to_have_text(["First"])
    held[0].continue_()
    expect(chats.questions).to_have_text(["First", "Second"])
    expect(chats.answer).to_contain_text("Second")


def test_an_unsent_message_is_reported_and_given_back_also_after_leaving_its_thread(
    open_chats: OpenChats, watch: Watch
) -> None:
    watch.expects_network_errors = True
    chats = open_chats()
    chats.say("First")
    chats.box.fill("Second")
    held: list[Route] = []
    chats.page.route("**/api/chat?*", lambda route: held.append(route))
    with chats.page.expect_request("**/api/chat?*"):
        chats.button("Send").click()
    chats.button("Start new thread").click()
    expect(chats.title).to_have_text("New thread")
    held[0].abort()
    expect(chats.banner).to_contain_text("The server can't be reached.")
    expect(chats.box).to_have_value("Second")
    expect(chats.page.locator(".message")).to_have_count(0)


def test_more_threads_than_a_page_holds_are_fetched_on_request(open_chats: OpenChats, api: httpx.Client) -> None:
    chats = open_chats()
    chats.say("The newest")
    owner = chats.owner()
    for number in range(31):
        body = {"message": "x", "threadId": f"t{number:02}", "resourceId": owner, "metadata": {"title": f"T{number}"}}
        with api.stream("POST", "/api/chat", json=body) as answer:
            assert answer.status_code == 200
    chats.page.reload()
    expect(chats.threads).to_have_count(30)
    chats.button("Show older threads").click()
    expect(chats.threads).to_have_count(32)
    expect(chats.button("Show older threads")).to_be_hidden()
    expect(chats.threads.last).to_contain_text("The newest")


def test_a_fork_of_a_whole_thread_is_independent(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("Which way?")
    chats.button("Fork").click()
    expect(chats.title).to_have_text("Which way? (2)")
    expect(chats.questions).to_have_text(["Which way?"])
    expect(chats.page.locator("#origin")).to_have_text("Fork of Which way?")
    expect(chats.threads.first).to_contain_text("fork of Which way?")
    assert "Which way?" in chats.say("Left")
    chats.console.shoot("chat-fork")
    chats.page.get_by_role("link", name="Which way?", exact=True).click()
    expect(chats.title).to_have_text("Which way?")
    expect(chats.questions).to_have_text(["Which way?"])
    expect(chats.page.locator("#origin")).to_be_hidden()
    assert "Left" not in chats.say("Right")
    chats.open_thread("Which way? (2)")
    chats.page.reload()
    expect(chats.questions).to_have_text(["Which way?", "Left"])
    expect(chats.page.locator("#origin")).to_have_text("Fork of Which way?")


def test_a_fork_from_a_message_has_nothing_after_it(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("One")
    chats.say("Two")
    chats.say("Three")
    before = chats.texts()
    message = chats.page.locator('.message[data-role="user"]').nth(1)
    message.hover()
    message.get_by_role("button", name="Fork from here").click()
    expect(chats.title).to_have_text("One (2)")
    expect(chats.questions).to_have_text(["One", "Two"])
    assert chats.texts() == before[:3]
    answer = chats.say("Another three")
    assert "Two" in answer
    assert '"Three"' not in answer
    chats.open_thread("One")
    expect(chats.page.locator(".message")).to_have_count(6)
    assert chats.texts() == before


def test_deleting_asks_first_and_leaves_forks_alive(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("To be deleted")
    chats.button("Fork").click()
    expect(chats.title).to_have_text("To be deleted (2)")
    chats.open_thread("To be deleted")
    chats.button("Delete").click()
    expect(chats.page.get_by_role("dialog")).to_contain_text("Delete “To be deleted”?")
    chats.console.shoot("chat-delete")
    chats.confirm("Keep it")
    expect(chats.threads).to_have_count(2)
    chats.button("Delete").click()
    chats.page.keyboard.press("Escape")
    expect(chats.threads).to_have_count(2)
    chats.button("Delete").click()
    chats.confirm("Delete thread")
    expect(chats.threads).to_have_count(1)
    expect(chats.title).to_have_text("New thread")
    assert [thread["metadata"]["title"] for thread in chats.listed()] == ["To be deleted (2)"]
    chats.open_thread("To be deleted (2)")
    expect(chats.questions).to_have_text(["To be deleted"])
    assert "To be deleted" in chats.say("Still there?")


def test_a_thread_deleted_in_another_tab_is_closed(open_chats: OpenChats, watch: Watch) -> None:
    # Either tab may be looking at the thread when it goes.
    watch.expects_network_errors = True
    chats = open_chats()
    chats.say("Shared")
    other = Chats(chats.console.another_tab())
    other.button("Delete").click()
    other.confirm("Delete thread")
    expect(chats.banner).to_contain_text("deleted in another tab")
    expect(chats.title).to_have_text("New thread")
    expect(chats.threads).to_have_count(0)


def test_the_export_is_a_markdown_file_of_the_whole_thread(open_chats: OpenChats, tmp_path: Path) -> None:
    chats = open_chats()
    chats.say("# Not a heading of the file")
    chats.say("Zwölf 🥾, 日本語")
    text = chats.export(tmp_path)
    for said in chats.texts():
        assert said in text
    assert text.index("Zwölf 🥾, 日本語") > text.index("Not a heading of the file")


def test_a_thread_whose_messages_have_expired_says_so(open_chats: OpenChats, api: httpx.Client) -> None:
    chats = open_chats()
    chats.say("Soon forgotten")
    [thread] = chats.listed()
    assert api.delete(f"/api/conversations/{thread['sessionId']}").status_code == 204
    chats.page.reload()
    expect(chats.page.locator("#talk-hint")).to_contain_text("The server has no messages of this thread")
    assert "Soon forgotten" not in chats.say("Who am I?")
