"""An answer in the console: seen as it comes, stopped, resumed after a reload, shared by two tabs, refused in words."""

import json
import re

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.browser.chats import Chats
from tests.browser.conftest import OpenChats, OpenConsole
from tests.browser.watch import Watch
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker

LONG = " ".join(f"word{number}" for number in range(300))
"""Nine seconds of answer, which begins with the message itself."""

ENDLESS = " ".join(f"word{number}" for number in range(3000))
"""For what must come before the answer's end, however busy the machine is: a minute and a half."""

SHORT = " ".join(f"word{number}" for number in range(100))


def test_an_answer_is_seen_growing_word_by_word(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.page.evaluate("""() => {
      window.lengths = new Set();
      const observer = new MutationObserver(() => {
        const text = document.querySelector('.message[data-role="assistant"] .message-text');
        if (text) window.lengths.add(text.textContent.length);
      });
      observer.observe(document.getElementById("messages"), { subtree: true, childList: true, characterData: true });
    }""")
    answer = chats.say(SHORT)
    assert answer == f'You said: "{SHORT}". That is the first message of yours that I know.'
    assert chats.page.evaluate("window.lengths.size") > 20
    expect(chats.state).to_be_hidden()


def test_the_model_remembers_earlier_messages(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("The hut is full.")
    assert "The hut is full." in chats.say("What now?")
    expect(chats.questions).to_have_text(["The hut is full.", "What now?"])


def test_a_screen_reader_is_given_the_answer_as_a_whole(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.send(ENDLESS)
    message = chats.page.locator('.message[data-role="assistant"]')
    assert message.get_attribute("aria-busy") == "true"
    expect(chats.page.get_by_role("log", name="word0")).to_be_visible()
    expect(chats.page.get_by_role("status").filter(has_text="Answering")).to_be_visible()
    chats.stop_button.click()
    chats.wait_over()
    assert message.get_attribute("aria-busy") is None


def test_stopping_keeps_the_text_so_far_and_marks_it(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.send(ENDLESS)
    expect(chats.answer).to_contain_text("word9")
    chats.stop_button.click()
    chats.wait_over()
    said = chats.answer.text_content() or ""
    assert "word2999" not in said
    marked = chats.page.locator(".message[data-partial]")
    expect(marked).to_contain_text("Stopped")
    chats.console.shoot("chat-stopped")
    chats.page.reload()
    expect(marked).to_contain_text("Incomplete")
    assert chats.answer.text_content() == said
    chats.say("Go on.")
    expect(marked).to_have_count(1)


def test_a_reload_in_the_middle_goes_on_to_the_end(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.send(LONG)
    expect(chats.answer).to_contain_text("word9 ")
    chats.page.reload()
    expect(chats.stop_button).to_be_visible()
    expect(chats.answer).to_contain_text("word9 ")
    assert "word299" not in (chats.answer.text_content() or "")
    chats.wait_over()
    assert chats.texts() == [LONG, f'You said: "{LONG}". That is the first message of yours that I know.']
    expect(chats.page.locator(".message[data-partial]")).to_have_count(0)


def test_a_connection_lost_during_an_answer_resumes(open_chats: OpenChats, watch: Watch) -> None:
    watch.expects_network_errors = True
    chats = open_chats()
    chats.send(LONG)
    expect(chats.answer).to_contain_text("word9 ")
    chats.page.context.set_offline(True)
    chats.page.evaluate("dispatchEvent(new Event('online'))")
    expect(chats.state).to_have_text("Reconnecting")
    chats.console.shoot("chat-reconnecting")
    chats.page.context.set_offline(False)
    chats.wait_over()
    assert chats.texts() == [LONG, f'You said: "{LONG}". That is the first message of yours that I know.']


def test_two_tabs_see_one_answer_and_either_can_stop_it(open_chats: OpenChats) -> None:
    first = open_chats()
    first.say("Hello")
    second = Chats(first.console.another_tab())
    expect(second.answer).to_contain_text("Hello")
    first.send(ENDLESS)
    expect(second.questions.last).to_have_text(ENDLESS)
    expect(second.answer).to_contain_text("word9 ")
    expect(second.stop_button).to_be_visible()
    second.stop_button.click()
    for chats in (first, second):
        chats.wait_over()
        expect(chats.page.locator(".message[data-partial]")).to_contain_text("Stopped")
    assert first.texts() == second.texts()


def test_an_answer_that_starts_between_two_reads_of_the_thread_shows(open_chats: OpenChats, api: httpx.Client) -> None:
    chats = open_chats()
    chats.say("Hello")
    [thread] = chats.listed()
    looks: list[str] = []

    def be_early(route: Route) -> None:
        looks.append(route.request.url)
        if len(looks) == 1:
            route.fulfill(status=204)
        else:
            route.continue_()

    chats.page.route("**/api/chat/*/stream?*", be_early)
    body = {"threadId": thread["threadId"], "resourceId": thread["resourceId"], "message": ENDLESS}
    with api.stream("POST", "/api/chat", json=body) as other:
        assert other.status_code == 200
        chats.page.reload()
        expect(chats.questions.last).to_have_text(ENDLESS)
        expect(chats.answer).to_contain_text("word9 ")
        chats.stop_button.click()
        chats.wait_over()


def test_a_message_sent_during_another_answer_can_interrupt_it(
    open_chats: OpenChats, api: httpx.Client, watch: Watch
) -> None:
    watch.expects_network_errors = True
    chats = open_chats()
    chats.say("Hello")
    [thread] = chats.listed()
    body = {"threadId": thread["threadId"], "resourceId": thread["resourceId"], "message": ENDLESS}
    with api.stream("POST", "/api/chat", json=body) as other:
        assert other.status_code == 200
        chats.box.fill("Me first")
        chats.box.press("Enter")
        expect(chats.banner).to_contain_text("An answer is still being written in this thread.")
        expect(chats.box).to_have_value("Me first")
        # The other's answer is shown as it comes.
        expect(chats.questions.last).to_have_text(ENDLESS)
        expect(chats.answer).to_contain_text("word9 ")
        chats.console.shoot("chat-interrupt")
        chats.button("Interrupt and send").click()
        expect(chats.questions.last).to_have_text("Me first")
        chats.wait_over()
    expect(chats.answer).to_contain_text('You said: "Me first".')
    expect(chats.banner).to_be_hidden()
    expect(chats.box).to_have_value("")
    expect(chats.page.locator(".message[data-partial]")).to_have_count(1)


def test_enter_while_an_answer_comes_offers_to_interrupt_it(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.send(ENDLESS)
    chats.box.fill("Enough")
    chats.box.press("Enter")
    chats.button("Interrupt and send").click()
    expect(chats.questions).to_have_text([ENDLESS, "Enough"])
    chats.wait_over()
    expect(chats.answer).to_contain_text('You said: "Enough".')
    expect(chats.answers).to_have_count(2)


def test_the_offer_to_interrupt_goes_when_there_is_nothing_to_interrupt(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.send(ENDLESS)
    chats.box.fill("Then this")
    chats.box.press("Enter")
    expect(chats.banner).to_be_visible()
    chats.stop_button.click()
    expect(chats.banner).to_be_hidden()
    expect(chats.box).to_have_value("Then this")


def test_the_view_follows_the_answer_unless_the_user_has_scrolled_up(open_chats: OpenChats) -> None:
    chats = open_chats()

    def to_the_end() -> int:
        log = chats.page.get_by_role("log")
        return int(
            log.evaluate("({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight")
        )

    def said() -> int:
        return len(chats.answer.text_content() or "")

    chats.send(" ".join(["word"] * 3000))
    eventually(lambda: said() > 100)
    assert to_the_end() < 30
    chats.box.fill("One\ntwo\nthree\nfour\nfive\nsix")
    chats.box.press("Enter")
    expect(chats.banner).to_be_visible()
    eventually(lambda: to_the_end() < 30)
    chats.page.get_by_role("log").hover()
    chats.page.mouse.wheel(0, -300)
    eventually(lambda: to_the_end() > 250)
    before = said()
    eventually(lambda: said() > before + 150)
    assert to_the_end() > 250


@pytest.mark.parametrize(
    ("status", "problem", "words"),
    [
        (429, {"code": "rate_limited", "detail": "Slowly."}, "Too many requests. Wait 7 s and try again."),
        (503, {"code": "storage_unavailable", "detail": "The store does not answer."}, "The store does not answer."),
        (401, {"code": "token_required", "detail": "No."}, "asks for an app key"),
    ],
)
def test_a_refusal_shows_a_sentence_and_gives_the_message_back(
    open_chats: OpenChats, watch: Watch, status: int, problem: dict[str, str], words: str
) -> None:
    watch.expects_network_errors = True
    chats = open_chats()
    headers = {"Retry-After": "7", "Content-Type": "application/problem+json"}

    def refuse(route: Route) -> None:
        route.fulfill(status=status, headers=headers, json=problem)

    chats.page.route("**/api/chat?*", refuse)
    chats.box.fill("Is anybody there?")
    chats.button("Send").click()
    expect(chats.banner).to_contain_text(words)
    expect(chats.box).to_have_value("Is anybody there?")
    expect(chats.questions).to_have_count(0)
    chats.console.shoot(f"chat-refused-{status}")
    chats.page.unroute("**/api/chat?*")
    chats.button("Send").click()
    expect(chats.answer).to_contain_text("Is anybody there?")
    expect(chats.banner).to_be_hidden()


def test_a_model_that_fails_before_its_first_word_gives_the_message_back(open_chats: OpenChats) -> None:
    chats = open_chats()
    start = {"session_id": "s", "threadId": "t", "resourceId": "r", "generationId": "g1", "messageId": ""}

    def fail(route: Route) -> None:
        asked = route.request.post_data_json
        begun = {**start, "threadId": asked["threadId"], "messageId": asked["messageId"]}
        error = {"code": "model_timed_out", "message": "The model said nothing.", "partial": False}
        frames = [("start", begun), ("error", error), ("done", {"finishReason": "error", "partial": True})]
        body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in frames)
        route.fulfill(status=200, headers={"Content-Type": "text/event-stream"}, body=body)

    chats.page.route("**/api/chat?*", fail)
    chats.box.fill("Is anybody there?")
    chats.button("Send").click()
    expect(chats.banner).to_contain_text("The model said nothing. Your message is back in the box.")
    expect(chats.box).to_have_value("Is anybody there?")
    expect(chats.page.locator(".message")).to_have_count(0)
    chats.page.unroute("**/api/chat?*")
    chats.button("Send").click()
    expect(chats.answer).to_contain_text("Is anybody there?")


def test_an_unreachable_server_loses_no_message(open_chats: OpenChats, watch: Watch) -> None:
    watch.expects_network_errors = True
    chats = open_chats()
    chats.say("Hello")
    chats.page.context.set_offline(True)
    chats.box.fill("Still there?")
    chats.button("Send").click()
    expect(chats.banner).to_contain_text("The server can't be reached.")
    expect(chats.box).to_have_value("Still there?")
    chats.page.context.set_offline(False)
    chats.button("Send").click()
    expect(chats.answer).to_contain_text("Still there?")
    expect(chats.questions).to_have_count(2)


def test_an_app_key_opens_threads_of_which_messages_no_longer_stored_are_marked(
    open_at: OpenConsole, watch: Watch
) -> None:
    watch.expects_network_errors = True
    key = "the-key-of-an-app-made-up-for-this-test"
    with LocalWorker(APP_KEYS=key, THREAD_HISTORY_LIMIT="4") as worker:
        chats = Chats(open_at(worker.url, "#chat"))
        expect(chats.banner).to_contain_text("asks for an app key")
        chats.page.get_by_label("App key").fill(key)
        chats.button("Use this key").click()
        expect(chats.page.locator("#threads-empty")).to_be_visible()
        expect(chats.banner).to_be_hidden()
        for number in range(3):
            chats.say(f"number {number}")
        forgotten = chats.page.locator(".message.forgotten")
        expect(forgotten).to_have_count(2)
        expect(forgotten.first).to_contain_text("number 0")
        chats.page.reload()
        expect(chats.page.locator(".message")).to_have_count(4)
        expect(forgotten).to_have_count(0)


def test_chats_work_without_https_on_a_local_network(open_at: OpenConsole, worker: LocalWorker) -> None:
    chats = Chats(open_at(f"http://waypost.local:{worker.port}", "#chat"))
    assert chats.page.evaluate("isSecureContext") is False
    chats.say("Plain")
    chats.page.reload()
    expect(chats.answer).to_contain_text("Plain")


def test_a_tab_that_only_chats_opens_no_session(open_chats: OpenChats) -> None:
    requests: list[str] = []
    chats = open_chats()
    chats.page.on("request", lambda request: requests.append(f"{request.method} {request.url}"))
    chats.page.reload()
    chats.say("Hello")
    assert not [request for request in requests if re.search(r"POST .*/api/sessions$|/api/stream", request)]
    chats.page.get_by_role("link", name="Session", exact=True).click()
    code = chats.console.wait_online()
    chats.page.get_by_role("link", name="Chat", exact=True).click()
    expect(chats.answer).to_contain_text("Hello")
    expect(chats.page).to_have_title("Hello · Waypost")
    chats.page.go_back()
    expect(chats.page.locator("#code")).to_be_visible()
    expect(chats.page).to_have_title(f"{code} · Waypost")
    assert chats.console.code == code
