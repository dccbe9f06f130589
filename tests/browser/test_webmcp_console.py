"""The console registers its own tools with a browser that has WebMCP."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browser.agent import Agent
from tests.browser.conftest import ARTIFACTS, OpenConsole
from tests.browser.console import Console
from tools.local.harness.worker import LocalWorker

CALL_FROM_BROWSER = """
  const context = document.modelContext;
  const add = (tools) => tools.find(({ name }) => name === "add_note");
  window.called = context.getTools().then((tools) => context.executeTool(add(tools), { text: "From the browser" }));
"""


def test_the_console_registers_its_own_tools_and_offers_each_once(native: Browser, worker: LocalWorker) -> None:
    context = native.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(worker.url)
    console = Console(page, worker.url, ARTIFACTS)
    code = console.wait_online()
    names = "document.modelContext.getTools().then((tools) => tools.map(({ name }) => name).sort())"
    assert page.evaluate(names) == ["add_note", "ask_person", "set_accent"]
    with Agent(f"{worker.url}/mcp/{code}") as agent:
        assert sorted(agent.tools()) == ["add_note", "ask_person", "set_accent"]
    # An agent in the browser is asked about in the same way.
    page.evaluate(f"() => {{ {CALL_FROM_BROWSER} }}")
    console.approval.get_by_role("button", name="Always allow").click()
    expect(console.notes).to_contain_text("From the browser")
    assert page.evaluate("window.called") == '{"notes":1}'
    expect(page.get_by_role("switch", name="Ask first before add_note is called")).not_to_be_checked()
    context.close()


def test_a_browser_without_webmcp_gets_none_from_the_console(open_console: OpenConsole) -> None:
    console = open_console()
    console.wait_online()
    assert console.page.evaluate("'modelContext' in document || 'modelContext' in navigator") is False
