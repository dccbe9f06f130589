"""The view of chats itself: for keyboards, small screens, both themes, and strings that mean harm."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
from playwright.sync_api import expect

from tests.browser.audit import both_themes, faults
from tests.browser.chats import Chats
from tests.browser.conftest import OpenChats
from tests.browser.hostile import AS_MARKDOWN, HOSTILE
from tests.browser.steps import PHONE, walk_to
from tools.local.harness.worker import LocalWorker

LONG = " ".join(f"word{number}" for number in range(1000))
"""Half a minute of answer: more than a test needs."""


def fill_with_life(chats: Chats) -> None:
    """Bring about most of what the view can show."""
    chats.say("Where do we sleep on the first night?")
    chats.say("I would rather walk five hours than seven, and my knees ask for the **gentle** way down.\n\n- `a`\n- b")
    is_phone = chats.button("Pages").is_visible()
    if is_phone:
        chats.button("Pages").click()
    chats.button("Add a sample page").click()
    expect(chats.pages).to_have_count(1)
    if is_phone:
        assert faults(chats.page) == []
        chats.button("Close").click()
        chats.button("Actions for this thread").click()
    chats.send(LONG)
    chats.stop_button.click()
    chats.wait_over()
    chats.button("Fork").click()
    expect(chats.page.locator("#origin")).to_be_visible()
    expect(chats.questions).to_have_count(3)
    chats.send(LONG)
    chats.box.fill("And now?")
    chats.box.press("Enter")
    expect(chats.banner).to_be_visible()


def test_both_themes_of_the_chats_are_legible_and_every_control_has_a_name(open_chats: OpenChats) -> None:
    chats = open_chats()
    fill_with_life(chats)
    for theme in both_themes(chats.page):
        chats.console.shoot(f"chat-{theme}")
        assert (theme, faults(chats.page)) == (theme, [])
    chats.stop_button.click()
    chats.wait_over()
    for theme in both_themes(chats.page):
        for hue in (32, 140, 240, 320):
            chats.page.evaluate("hue => document.documentElement.style.setProperty('--hue', hue)", hue)
            assert (theme, hue, faults(chats.page)) == (theme, hue, [])
    chats.button("Delete").click()
    for theme in both_themes(chats.page):
        assert (theme, faults(chats.page)) == (theme, [])


def test_a_phone_shows_all_of_the_chats_without_scrolling_sideways(open_chats: OpenChats) -> None:
    chats = open_chats(**PHONE)
    fill_with_life(chats)
    chats.page.evaluate("scrollTo(0, 0)")
    chats.console.shoot("chat-phone")
    assert chats.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert faults(chats.page) == []
    chats.stop_button.click()
    chats.wait_over()
    chats.button("Threads").tap()
    expect(chats.threads).to_have_count(2)
    chats.page.keyboard.press("Escape")
    expect(chats.button("Threads")).to_be_focused()
    chats.button("Threads").tap()
    chats.threads.last.tap()
    expect(chats.page.get_by_role("dialog")).to_have_count(0)
    expect(chats.title).to_have_text("Where do we sleep on the first night?")
    expect(chats.answers).to_have_count(3)
    chats.say("W" * 300)
    chats.box.fill("a\n" * 40)
    assert chats.page.evaluate("document.documentElement.scrollWidth") <= 360
    # The button is on the screen without scrolling, however much is written.
    button = chats.button("Send").bounding_box()
    assert button
    assert button["y"] + button["height"] <= 740


def test_a_chat_works_with_the_keyboard_alone(open_chats: OpenChats) -> None:
    chats = open_chats()
    expect(chats.box).to_be_focused()
    chats.page.keyboard.type("Typed")
    chats.page.keyboard.press("Shift+Enter")
    chats.page.keyboard.type("in two lines")
    chats.page.keyboard.press("Enter")
    expect(chats.questions).to_have_count(1)
    assert chats.texts()[0] == "Typed\nin two lines"
    chats.wait_over()
    expect(chats.box).to_be_focused()
    walk_to(chats.page, "#put-sample")
    chats.page.keyboard.press("Enter")
    expect(chats.pages).to_have_count(1)
    chats.page.evaluate("document.activeElement.blur()")
    walk_to(chats.page, ".message-actions .fork")
    chats.page.keyboard.press("Enter")
    expect(chats.page.locator("#origin")).to_be_visible()
    walk_to(chats.page, "#delete")
    chats.page.keyboard.press("Enter")
    chats.page.keyboard.press("Tab")
    chats.page.keyboard.press("Enter")
    expect(chats.threads).to_have_count(1)


def test_the_skip_link_leads_to_the_message_box(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.page.get_by_role("link", name="Skip to the message box").focus()
    chats.page.keyboard.press("Enter")
    expect(chats.box).to_be_focused()
    expect(chats.page.locator("#chat-view")).to_be_visible()


def test_thirty_hostile_strings_show_as_text_everywhere(open_chats: OpenChats, worker: LocalWorker) -> None:
    assert len(HOSTILE) == 30
    chats = open_chats()
    owner = chats.owner()

    def begin(number: int) -> None:
        with httpx.Client(base_url=worker.url, timeout=120, trust_env=False) as api:
            text = HOSTILE[number]
            name = {"threadId": f"hostile-{number}", "resourceId": owner}
            body = {**name, "message": text, "metadata": {"title": text}}
            assert api.post("/api/chat", json=body).status_code == 200
            session = api.post("/api/sessions/metadata", json=name).json()["session"]
            page = {"html": "<p>A page", "title": one_line(text), "sessionId": session["sessionId"]}
            assert api.put(f"/api/pages/hostile-{number}", json=page).status_code == 201

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(begin, range(len(HOSTILE))))
    chats.page.reload()
    expect(chats.threads).to_have_count(len(HOSTILE))
    titles = chats.page.locator("#threads .thread-title")
    assert sorted(texts(chats, "#threads .thread-title")) == sorted(HOSTILE)
    for number in range(len(HOSTILE)):
        text = str(titles.nth(number).text_content())
        chats.threads.nth(number).click()
        expect(chats.title).to_have_js_property("textContent", text)
        expect(chats.questions).to_have_js_property("textContent", text)
        assert AS_MARKDOWN.get(text, text) in chats.texts()[1]
        expect(chats.page.locator(".page-title")).to_have_js_property("textContent", one_line(text))
    chats.button("Fork").click()
    expect(chats.page.locator("#origin")).to_be_visible()
    chats.console.shoot("chat-hostile")
    assert chats.page.evaluate("window.pwned") is None
    assert chats.page.locator("#chat-view :is(img, script, svg, style, base)").count() == 0


def one_line(text: str) -> str:
    """`text` as a page's title may be: without control characters."""
    return re.sub(r"[\x00-\x1f]", " ", text)


def texts(chats: Chats, selector: str) -> list[str]:
    """The texts of all that `selector` finds, to the letter."""
    return chats.page.locator(selector).evaluate_all("all => all.map((one) => one.textContent)")  # type: ignore[no-any-return]
