"""The console as a person uses it."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect


class Console:
    """One page of it. Every method waits for its effect."""

    def __init__(self, page: Page, url: str, artifacts: Path) -> None:
        self.page = page
        self.url = url
        self._artifacts = artifacts

    def another_tab(self) -> "Console":
        """A new tab of the same browser, at the same address."""
        tab = Console(self.page.context.new_page(), self.url, self._artifacts)
        tab.page.goto(self.page.url)
        return tab

    @property
    def state(self) -> Locator:
        """The connection's state."""
        return self.page.locator("#tab-state")

    @property
    def banner(self) -> Locator:
        """The banner of the tab's panel."""
        return self.page.locator("#tab-banner")

    @property
    def question(self) -> Locator:
        """The questions that the person is asked."""
        return self.page.locator(".question")

    @property
    def notes(self) -> Locator:
        """The notes on the board."""
        return self.page.locator(".note")

    @property
    def call_card(self) -> Locator:
        """The agent's latest call."""
        return self.page.locator(".call-card").first

    def line(self, direction: str, flag: str = "") -> Locator:
        """What the log's entries hold: lines `in`, `out` or `note`, with a flag if one is given."""
        lines = self.page.locator(f".line[data-direction={direction}]")
        return lines.filter(has=self.page.locator(f'[data-flag="{flag}"]')) if flag else lines

    def wait_online(self) -> str:
        """Wait until the tab is connected; return its code."""
        expect(self.state).to_have_text("Online")
        return self.code

    @property
    def code(self) -> str:
        """The session's code, which the page shows with hyphens, and of an encrypted session not at all."""
        session = json.loads(self.page.evaluate("sessionStorage.getItem('waypost.session')"))
        if "key" not in session:
            expect(self.page.locator("#code")).to_have_text("-".join(re.findall(".{1,4}", session["code"])))
        return str(session["code"])

    @property
    def link(self) -> str:
        """Where the QR code leads."""
        return self.page.locator("#qr").get_attribute("href") or ""

    def host_token(self) -> str:
        """The token that makes this tab the host."""
        session = self.page.evaluate("sessionStorage.getItem('waypost.session')")
        return str(json.loads(session)["hostToken"])

    @property
    def address(self) -> str:
        """The browser's MCP address, as this tab has it."""
        session = self.page.evaluate("sessionStorage.getItem('waypost.session')")
        return str(json.loads(session)["address"])

    def let_run(self, *tools: str) -> None:
        """Have calls of these tools run without being asked about."""
        for tool in tools:
            self.page.get_by_role("switch", name=f"Ask first before {tool} is called").uncheck()

    @property
    def entries(self) -> Locator:
        """The log's entries, one for each call."""
        return self.page.locator("#log > .entry")

    def confirm(self, name: str) -> None:
        """Press a button of the dialog that has come up."""
        self.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()

    @property
    def approval(self) -> Locator:
        """The place of all that waits for the person."""
        return self.page.get_by_role("region", name="Waiting for you")

    def join(self, code: str) -> None:
        """Play the agent of `code`."""
        self.page.get_by_label("Session code or link").fill(code)
        self.page.get_by_role("button", name="Join").click()
        expect(self.page.locator("#tools input").first).to_be_visible()

    def call(self, tool: str, **fields: Any) -> None:
        """Fill in the form of `tool` and send it."""
        self.page.locator(f'#tools input[value="{tool}"]').check()
        form = self.page.get_by_role("form", name=f"Arguments of {tool}")
        for name, value in fields.items():
            field = form.get_by_label(name)
            if isinstance(value, bool):
                field.set_checked(value)
            elif isinstance(value, list) and field.get_attribute("placeholder") == "One on each line":
                field.fill("\n".join(value))
            elif field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(label=value)
            else:
                field.fill(value if isinstance(value, str) else json.dumps(value))
        form.get_by_role("button", name="Call").click()

    def expect_answer(self, text: str) -> None:
        """Wait until the latest call shows an answer with `text`."""
        expect(self.call_card.get_by_label("Answer")).to_contain_text(text)

    def shoot(self, name: str, *, full_page: bool = True) -> None:
        """Keep a picture of the whole page, or of what the window shows of it, for people."""
        self._artifacts.mkdir(exist_ok=True)
        self.page.screenshot(path=self._artifacts / f"{name}.png", full_page=full_page, animations="disabled")
