"""What is done with a message in the console: answered once more, edited, copied."""

import json

from playwright.sync_api import Locator, Route, expect

from tests.browser.audit import faults
from tests.browser.chats import Chats
from tests.browser.conftest import OpenChats
from tests.browser.steps import PHONE


def act(message: Locator, name: str) -> None:
    """Press a button of a message."""
    message.hover()
    message.get_by_role("button", name=name).click()


def edit(chats: Chats, number: int, text: str) -> None:
    """Give one of the person's own messages another text, and send it."""
    act(chats.page.locator('.message[data-role="user"]').nth(number), "Edit")
    box = chats.page.get_by_label("Your message")
    expect(box).to_be_focused()
    assert faults(chats.page) == []
    box.fill(text)
    box.press("Enter")


def test_answers_are_replaced_and_nothing_before_the_last_one_is_lost(open_chats: OpenChats) -> None:
    chats = open_chats(permissions=["clipboard-read", "clipboard-write"])
    page = chats.page
    chats.say("First **question**")
    answer = page.locator('.message[data-role="assistant"]')
    old = answer.get_attribute("data-id")
    act(answer, "Try again")
    expect(page.locator(".earlier-answer")).to_have_count(1)
    chats.wait_over()
    expect(answer).to_have_count(1)
    assert answer.get_attribute("data-id") != old
    edit(chats, 0, "Edited")
    expect(page.locator(".earlier-answer")).to_have_count(2)
    expect(answer.locator("> .message-body")).to_contain_text("Edited")
    chats.wait_over()
    page.get_by_text("Earlier answer", exact=True).first.click()
    expect(page.locator(".earlier-answer").first).to_contain_text("First question")
    act(answer, "Copy:")
    assert page.evaluate("navigator.clipboard.readText()").startswith('You said: "Edited"')
    assert faults(page) == []
    chats.say("Second")
    edit(chats, 0, "Elsewhere")
    expect(chats.title).to_have_text("Elsewhere")
    expect(chats.questions).to_have_text(["Elsewhere"])
    chats.wait_over()
    page.go_back()
    expect(chats.questions).to_have_text(["Edited", "Second"])
    chats.say("Third")
    edit(chats, 1, "Another second")
    expect(chats.title).to_have_text("First question (2)")
    expect(chats.questions).to_have_text(["Edited", "Another second"])
    chats.wait_over()
    chats.open_thread("First question")
    expect(chats.questions).to_have_text(["Edited", "Second", "Third"])
    page.reload()
    expect(chats.questions).to_have_text(["Edited", "Second", "Third"])
    expect(page.locator(".message")).to_have_count(6)


def test_on_a_phone_the_actions_of_a_message_open_and_escape_leaves_an_edited_message_as_it_was(
    open_chats: OpenChats,
) -> None:
    chats = open_chats(**PHONE)
    page = chats.page
    chats.say("Hello")
    question = page.locator('.message[data-role="user"]')
    expect(question.get_by_role("button", name="Edit")).to_be_hidden()
    question.get_by_role("button", name="Actions: You").tap()
    question.get_by_role("button", name="Edit").tap()
    page.get_by_label("Your message").fill("Something else")
    page.keyboard.press("Escape")
    expect(chats.questions).to_have_text(["Hello"])
    expect(chats.questions).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_an_answer_that_fails_before_its_first_word_replaces_nothing(open_chats: OpenChats) -> None:
    chats = open_chats()
    answer = chats.say("Hello")
    session_id = chats.listed()[0]["sessionId"]

    def fail(route: Route) -> None:
        asked = route.request.post_data_json
        ids = {"threadId": asked["id"], "resourceId": asked["resourceId"], "messageId": asked["messageId"]}
        events = {
            "start": {"session_id": session_id, "generationId": "g", **ids},
            "error": {"code": "model_failed", "message": "The model is away.", "partial": False},
            "done": {
                "generationId": "g",
                "messageId": "g",
                "finishReason": "error",
                "partial": False,
                "messageCount": 2,
            },
        }
        body = "".join(f"event: {kind}\ndata: {json.dumps(data)}\n\n" for kind, data in events.items())
        route.fulfill(content_type="text/event-stream", body=body)

    chats.page.route("**/api/chat?*", fail)
    edit(chats, 0, "Something else")
    expect(chats.banner).to_have_text("The model is away.")
    expect(chats.questions).to_have_text(["Hello"])
    expect(chats.answers).to_have_text([answer])
    expect(chats.page.locator(".earlier-answer")).to_have_count(0)
