"""The voice agent's memory belongs to a tab: kept over a reload, gone with the tab, cleared on request."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenConsole
from tools.local.harness.worker_project import ProjectWorker, copy_project

CLOCK = Path(__file__).parent / "clock_project" / "entry.py"

HOUR_SECONDS = 3600


def ask(page: Page, question: str) -> dict[str, Any]:
    """Ask from within the page, with its own id."""
    script = "async (question) => (await import('/waypost.js')).voice(question)"
    return page.evaluate(script, question)  # type: ignore[no-any-return]


def session_id(page: Page) -> str:
    """The page's own id."""
    return str(page.evaluate("async () => (await import('/waypost.js')).getSessionId()"))


@pytest.fixture
def page(open_console: OpenConsole) -> Page:
    """A page of the Worker's origin that does nothing by itself."""
    page: Page = open_console("#join=").page
    return page


def test_a_follow_up_question_is_answered_from_the_history(page: Page) -> None:
    first = ask(page, "My name is Ada.")
    assert first["sessionId"] == session_id(page)
    assert first["messageCount"] == 2
    second = ask(page, "What is my name?")
    assert "My name is Ada." in second["response"]
    assert second["messageCount"] == 4


def test_a_reload_goes_on_with_the_conversation(page: Page) -> None:
    before = ask(page, "My name is Ada.")
    page.reload()
    after = ask(page, "What is my name?")
    assert after["sessionId"] == before["sessionId"]
    assert "My name is Ada." in after["response"]


def test_a_new_tab_is_a_fresh_conversation_and_leaves_the_other_alone(page: Page) -> None:
    ask(page, "My name is Ada.")
    tab = page.context.new_page()
    tab.goto(page.url)
    assert session_id(tab) != session_id(page)
    assert "Ada" not in ask(tab, "What is my name?")["response"]
    assert "Ada" in ask(page, "What is my name?")["response"]


def test_clearing_the_id_is_a_fresh_conversation(page: Page) -> None:
    ask(page, "My name is Ada.")
    page.evaluate("async () => (await import('/waypost.js')).clearSessionId()")
    reply = ask(page, "What is my name?")
    assert "Ada" not in reply["response"]
    assert reply["messageCount"] == 2


def test_of_fifteen_spoken_questions_the_last_ten_messages_are_kept(page: Page, api: httpx.Client) -> None:
    for number in range(1, 16):
        reply = ask(page, f"question {number};")
    assert reply["messageCount"] == 10
    messages = api.get(f"/api/conversations/{session_id(page)}").json()["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 5
    assert [message["content"] for message in messages[::2]] == [f"question {number};" for number in range(11, 16)]
    assert "question 11;" in reply["response"]


def test_the_id_is_a_random_one_on_plain_http_too(open_at: OpenConsole, page: Page) -> None:
    port = page.evaluate("location.port")
    other = open_at(f"http://waypost.local:{port}", "#join=").page
    assert other.evaluate("crypto.randomUUID") is None
    assert len(session_id(other)) == 36
    ask(other, "My name is Ada.")
    assert "Ada" in ask(other, "What is my name?")["response"]


def test_a_page_without_storage_keeps_its_conversation_until_it_is_left(page: Page) -> None:
    page.add_init_script("Object.defineProperty(window, 'sessionStorage', { get() { throw new Error('no'); } });")
    page.reload()
    ask(page, "My name is Ada.")
    assert "Ada" in ask(page, "What is my name?")["response"]
    page.reload()
    assert "Ada" not in ask(page, "What is my name?")["response"]


@pytest.fixture
def moved(browser: object, tmp_path: Path) -> Iterator[ProjectWorker]:
    """A Worker whose clock can be set ahead, so that an hour can pass."""
    folder = copy_project(tmp_path / "project")
    copy(CLOCK, folder / "src" / "entry.py")
    with ProjectWorker(folder) as worker:
        yield worker


def test_a_conversation_expires_an_hour_after_its_last_question(open_at: OpenConsole, moved: ProjectWorker) -> None:
    page = open_at(moved.url, "#join=").page
    expect(page.locator("#agent")).to_be_visible()

    def pass_time(seconds: int) -> None:
        assert httpx.put(f"{moved.url}/clock/{seconds}", timeout=120, trust_env=False).status_code == 200

    ask(page, "My name is Ada.")
    pass_time(HOUR_SECONDS - 300)
    assert "Ada" in ask(page, "What is my name?")["response"]
    # Every question renews it: only now an hour without one has passed.
    pass_time(HOUR_SECONDS - 300)
    assert "Ada" in ask(page, "And now?")["response"]
    pass_time(HOUR_SECONDS + 1)
    reply = ask(page, "And now?")
    assert "Ada" not in reply["response"]
    assert reply["messageCount"] == 2
