"""The console's chats as a person uses them."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.console import Console


class Chats:
    """One page of it. Every method waits for its effect."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.page = console.page

    @property
    def box(self) -> Locator:
        """Where a message is written."""
        return self.page.get_by_label("Message", exact=True)

    @property
    def state(self) -> Locator:
        """The state of the chat panel."""
        return self.page.locator("#chat-state")

    @property
    def banner(self) -> Locator:
        """The error banner."""
        return self.page.locator("#chat-banner")

    @property
    def title(self) -> Locator:
        """The title of the open thread."""
        return self.page.locator("#chat-title")

    @property
    def threads(self) -> Locator:
        """The threads of the list."""
        return self.page.locator("#threads .thread")

    @property
    def pages(self) -> Locator:
        """The pages of the gallery."""
        return self.page.locator("#pages .page")

    @property
    def answer(self) -> Locator:
        """The text of the latest answer."""
        return self.answers.last

    @property
    def answers(self) -> Locator:
        """The texts of the answers."""
        return self.page.locator('.message[data-role="assistant"] .message-text')

    @property
    def questions(self) -> Locator:
        """The texts of the person's own messages."""
        return self.page.locator('.message[data-role="user"] .message-text')

    @property
    def stop_button(self) -> Locator:
        """Shown while an answer is given."""
        return self.page.get_by_role("button", name="Stop", exact=True)

    def button(self, name: str) -> Locator:
        """A button by its whole name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def send(self, text: str) -> None:
        """Send a message, and wait until its answer has begun."""
        count = self.answers.count()
        self.box.fill(text)
        self.box.press("Enter")
        expect(self.answers).to_have_count(count + 1)
        expect(self.answer).not_to_be_empty()

    def say(self, text: str) -> str:
        """Send a message and wait for the end of its answer; return that."""
        self.send(text)
        self.wait_over()
        return self.answer.text_content() or ""

    def wait_over(self) -> None:
        """Wait until no answer is being generated."""
        expect(self.page.locator("#send")).to_be_visible()
        expect(self.page.locator(".message[aria-busy]")).to_have_count(0)

    @property
    def calls(self) -> Locator:
        """The tool calls of the open thread."""
        return self.page.locator(".tool-call")

    def use_tools(self) -> str:
        """Let the model call this tab's tools; return the code of its session."""
        self.page.get_by_role("switch", name="Use this tab’s tools").check()
        return self.console.wait_online()

    def texts(self) -> list[str]:
        """Every message's text, in order and to the letter."""
        return self.page.locator(".message-text").evaluate_all("all => all.map((one) => one.textContent)")  # type: ignore[no-any-return]

    def new_thread(self) -> None:
        """Leave the open thread for a new one."""
        self.button("Start new thread").click()
        expect(self.title).to_have_text("New thread")
        expect(self.page.locator(".message")).to_have_count(0)

    def open_thread(self, title: str) -> None:
        """Open the thread that is called so."""
        self.threads.filter(has=self.page.get_by_text(title, exact=True)).click()
        expect(self.title).to_have_text(title)

    def owner(self) -> str:
        """The resource that the page's threads belong to."""
        return str(self.page.evaluate("localStorage.getItem('waypost.resourceId')"))

    def listed(self) -> list[dict[str, Any]]:
        """The threads as the server lists them."""
        url = f"{self.console.url}/api/sessions?resourceId={self.owner()}"
        return list(self.page.request.get(url).json()["sessions"])

    def confirm(self, name: str) -> None:
        """Press a button of the question that has come up."""
        self.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()

    def export(self, folder: Path) -> str:
        """Export the thread; return the file's text."""
        with self.page.expect_download() as download:
            self.button("Export").click()
        assert download.value.suggested_filename.endswith(".md")
        path = folder / "export.md"
        download.value.save_as(path)
        return path.read_text()

    def become(self, resource_id: str) -> None:
        """Show the threads of another resource."""
        self.page.evaluate(f"localStorage.setItem('waypost.resourceId', {json.dumps(resource_id)})")
        self.page.goto("about:blank")
        self.page.goto(f"{self.console.url}/#chat")
