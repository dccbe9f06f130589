"""Every view for those who do not see it as it is drawn, or do not use it with a mouse."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.audit import faults
from tests.browser.axe import findings
from tests.browser.chats import Chats
from tests.browser.conftest import OpenConsole
from tests.browser.steps import PHONE
from tests.support.completions import said
from tests.support.model_server import Head, ModelServer
from tools.local.harness.worker import LocalWorker

ANSWER = """### The gentle way down

Take the **lower path**, see [the map](https://map.example) or `mill`.

##### What to pack

1. A jacket
2. - [x] Water

| Leg | Time |
|-----|-----:|
| Mill | 2 h |

> Snow above 2,300 m.

```js
const way = "down";
```

![The ridge](https://pictures.example/ridge.png)
"""

DEVICES = {
    "dark": {"color_scheme": "dark"},
    "phone": PHONE,
    "forced colours": {"forced_colors": "active"},
}

ZOOMED = {"viewport": {"width": 320, "height": 256}}
"""1280 by 1024 at 400 %: WCAG 2.2, 1.4.10."""

COVERED = """() => {
  const faults = [];
  for (const element of document.querySelectorAll("main :is(button, input, select, textarea, summary, a)")) {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    element.scrollIntoView({ block: "center" });
    const { left, top, width, height } = element.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    const hit = x < innerWidth && y < innerHeight ? document.elementFromPoint(x, y) : null;
    const isHit = hit && (element.contains(hit) || hit.contains(element) || element.labels?.[0]?.contains(hit));
    if (!isHit) faults.push(`${element.outerHTML.slice(0, 100)} at ${x}, ${y} below ${hit?.outerHTML.slice(0, 60)}`);
  }
  return faults;
}"""


@pytest.fixture(scope="module")
def scripted() -> Iterator[LocalWorker]:
    """A Worker whose model answers with Markdown."""
    with ModelServer() as model, LocalWorker(OPENAI_BASE_URL=model.url, OPENAI_MODEL="a-model") as worker:
        model.script(*([Head(), *said(ANSWER)] for _ in range(50)))
        yield worker


def check(page: Page, view: str) -> None:
    """Find nothing, and one heading of the first level."""
    assert (view, findings(page)) == (view, [])
    assert (view, faults(page)) == (view, [])
    expect(page.get_by_role("heading", level=1)).to_have_count(1)


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_axe_finds_nothing_in_any_view(open_at: OpenConsole, scripted: LocalWorker, device: dict[str, Any]) -> None:
    tab = open_at(scripted.url, **device)
    tab.join(tab.wait_online())
    tab.call("add_note", text="The hut is open until Sunday.", tags=["hut"])
    tab.expect_answer('"notes": 1')
    check(tab.page, "session")
    chats = Chats(open_at(scripted.url, "#chat", **device))
    check(chats.page, "an empty chat")
    chats.say("How do we get **down**?")
    check(chats.page, "a chat")
    question = chats.page.locator('.message[data-role="user"]')
    question.hover()
    if device is PHONE:
        question.get_by_role("button", name="Actions: You").click()
    question.get_by_role("button", name="Edit").click()
    check(chats.page, "an edited message")
    chats.page.keyboard.press("Escape")
    if device is PHONE:
        for name in ("Pages", "Threads"):
            chats.button(name).click()
            check(chats.page, f"the drawer of {name}")
            chats.button("Close").click()
        chats.button("Actions for this thread").click()
    chats.button("Delete").click()
    check(chats.page, "a question before something is deleted")


def test_at_400_per_cent_every_control_of_the_chat_can_be_reached(open_at: OpenConsole, scripted: LocalWorker) -> None:
    chats = Chats(open_at(scripted.url, "#chat", **ZOOMED))
    chats.say("How do we get down?")
    chats.button("Actions for this thread").click()
    assert chats.page.evaluate("document.documentElement.scrollWidth") <= 320
    assert chats.page.evaluate(COVERED) == []
    chats.console.shoot("chat-zoomed")


def test_with_the_keyboard_a_chat_is_read_edited_and_answered_again(
    open_at: OpenConsole, scripted: LocalWorker
) -> None:
    chats = Chats(open_at(scripted.url, "#chat"))
    page = chats.page
    chats.say("How do we get down?")
    focused = page.locator(":focus")
    walked: list[str] = []
    # Backwards from the message box: the last answer, and what can be done with it.
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        walked.append(focused.get_attribute("aria-label") or focused.inner_text())
        if walked[-1].startswith("Edit"):
            break
    names = [name.partition(":")[0] for name in walked]
    for name in ("Delete", "Fork from here", "Try again", "Copy", "Code, js", "Table", "the map", "Edit"):
        assert any(name in walked for walked in names), (name, names)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your message")).to_be_focused()
    page.keyboard.press("Escape")
    expect(focused).to_have_text("Edit")
    page.keyboard.press("Enter")
    page.keyboard.type(" Fast.")
    page.keyboard.press("Enter")
    expect(chats.questions).to_have_text(["How do we get down? Fast."])
    expect(page.locator(".earlier-answer")).to_have_count(1)
    chats.wait_over()
    expect(chats.box).to_be_focused()
