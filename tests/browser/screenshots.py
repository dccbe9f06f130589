"""Takes the pictures of the documentation: `npm run screenshots` writes docs/pictures.

They show the console on the real Worker, in the light theme; in one of them, a scripted model answers. Look at each of
them before you commit it.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chats import Chats
from tests.browser.chromium import find_chromium, launch
from tests.browser.console import Console
from tests.support.completions import calling, said
from tests.support.model_server import Head, ModelServer
from tools.local.harness.worker import LocalWorker

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
AGENT = {"width": 420, "height": 640}
TAB = {"width": 540, "height": 640}
WHOLE = {"width": 1240, "height": 740}
"""In CSS pixels. Beside each other they are little wider than the 830 in which GitHub shows a README."""

WIDE = {"width": 1240, "height": 698}
"""16:9, for the top of the README."""

SCALE = 1.25
"""Device pixels for each CSS pixel: sharp on most screens, and below 200 KB."""

LONG_SCALE = 1
"""Of a picture that is as long as three others."""

TIMEOUT_MS = 60_000
SETTLED_MS = 1_000
"""The question takes no click in its first half second, and looks so."""

HIGH = {"width": 1240, "height": 1060}

LOCAL = """(origin) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) walker.currentNode.data = walker.currentNode.data.replaceAll(origin, "http://localhost:8787");
}"""
"""Shows the address that `make dev` has, not this Worker's own."""

SIDE_BY_SIDE = """<!doctype html>
<style>
  body { margin: 0; padding: 16px; display: flex; gap: 16px; background: #fff; width: max-content; }
  figure { margin: 0; }
  figcaption { font: 600 16px/1.4 sans-serif; padding: 0 2px 8px; color: #222; }
  img { display: block; border: 1px solid #ccc; border-radius: 10px; }
</style>
"""


def take_approval(browser: Browser, url: str) -> bytes:
    """An agent has called `add_note`, and the tab asks its person."""
    tab = open_console(browser, url, TAB)
    code = tab.wait_online()
    agent = open_console(browser, f"{url}/#join=", AGENT)
    agent.join(code)
    agent.call("add_note", text="The stand-up has moved to 10:30.")
    expect(agent.call_card).to_contain_text("Waiting for approval.")
    expect(tab.approval).to_be_visible()
    tab.page.wait_for_timeout(SETTLED_MS)
    agent.call_card.evaluate("card => { card.scrollIntoView({ block: 'end' }); scrollBy(0, 16); }")
    sides = {
        "1. An agent calls a tool of the tab.": agent.page,
        "2. The person in front of the tab approves.": tab.page,
    }
    return beside_each_other(browser, sides)


def take_mcp(browser: Browser, url: str) -> bytes:
    """The URL for MCP clients, and two calls that wait for the person."""
    tab = open_console(browser, url, WHOLE)
    code = tab.wait_online()
    note = {"text": "The hut above the lake is open until Sunday.", "tags": ["route", "hut"]}
    for tool, arguments in (("add_note", note), ("set_accent", {"color": "moss"})):
        body = {"code": code, "tool": tool, "args": arguments, "id": tool}
        httpx.post(f"{url}/api/request", json=body, trust_env=False).raise_for_status()
        expect(tab.approval).to_contain_text(tool)
    tab.page.wait_for_timeout(SETTLED_MS)
    tab.page.locator("#mcp").evaluate("panel => panel.scrollIntoView({ block: 'end' })")
    return shot(tab.page, url)


def take_console(browser: Browser, url: str) -> bytes:
    """A tab and an agent on one page, with calls between them, the first of which is open in the log."""
    console = open_console(browser, url, HIGH, LONG_SCALE)
    console.join(console.wait_online())
    console.call("add_note", text="The hut above the lake is open until Sunday.", tags=["route", "hut"])
    console.expect_answer('"notes": 1')
    console.call("add_note", text="Snow above 2,300 m: ask before the pass.", tags=["route"])
    console.expect_answer('"notes": 2')
    console.entries.last.locator("summary").first.click()
    console.page.mouse.move(0, 0)
    console.page.evaluate("scrollTo(0, 0)")
    return shot(console.page, url)


def take_chat(browser: Browser, url: str) -> bytes:
    """Threads, one of them a fork, with a running answer and a page."""
    chats = Chats(open_console(browser, f"{url}/#chat", WHOLE))
    chats.say("Which documents do I need for the parcel?")
    chats.new_thread()
    chats.say("Where do we sleep on day two?")
    chats.button("Fork").click()
    expect(chats.title).to_have_text("Where do we sleep on day two? (2)")
    chats.button("Add a sample page").click()
    expect(chats.pages).to_have_count(1)
    expect(chats.page.locator(".toast")).to_have_count(0)
    chats.send("What if we take the gentle way down, by the lake and past the mill, and arrive a day later? " * 2)
    expect(chats.answer).to_contain_text("a day later")
    chats.box.blur()
    chats.page.mouse.move(0, 0)
    return shot(chats.page, url)


def take_tab(browser: Browser, url: str) -> bytes:
    """A chat has asked the person, and wants to put a note on the page."""
    del url
    note = {"text": "Two nights at the hut above the lake", "kind": "todo"}
    asked = {"question": "How long do you want to stay?", "choices": ["One night", "Two nights"]}
    with ModelServer() as model, LocalWorker(OPENAI_BASE_URL=model.url, OPENAI_MODEL="a-model") as worker:
        model.script(
            [Head(), *calling("How long is up to you.", ask_person=asked)],
            [Head(), *calling("Two nights, then. I put it on your board.", add_note=note)],
            [Head(), *said("Done.")],
        )
        chats = Chats(open_console(browser, f"{worker.url}/#chat", WIDE))
        chats.page.get_by_role("switch", name="Use this tab’s tools").check()
        code = chats.console.wait_online()
        chats.console.let_run("add_note")
        body = {"code": code, "tool": "add_note", "args": {"text": "Snow above 2,300 m: ask before the pass."}}
        httpx.post(f"{worker.url}/api/request", json=body, trust_env=False).raise_for_status()
        expect(chats.console.notes).to_have_count(1)
        chats.page.get_by_role("switch", name="Ask first before add_note is called").check()
        chats.send("We want to stay at the hut above the lake. Ask me for how long, and note it on this page.")
        chats.console.question.get_by_role("button", name="Two nights").click()
        expect(chats.console.approval).to_be_visible()
        chats.box.blur()
        chats.page.wait_for_timeout(SETTLED_MS)
        chats.page.evaluate("scrollTo(0, 0)")
        return shot(chats.page, worker.url)


def shot(page: Page, url: str) -> bytes:
    """What the window shows."""
    page.evaluate(LOCAL, url)
    return page.screenshot(animations="disabled")


def open_console(browser: Browser, address: str, viewport: dict[str, int], scale: float = SCALE) -> Console:
    """The console in a browser of its own."""
    context = browser.new_context(
        color_scheme="light",
        reduced_motion="reduce",
        device_scale_factor=scale,
        viewport=viewport,  # type: ignore[arg-type]
    )
    context.set_default_timeout(TIMEOUT_MS)
    console = Console(context.new_page(), address, PICTURES)
    console.page.goto(address)
    return console


def beside_each_other(browser: Browser, sides: dict[str, Page]) -> bytes:
    """One picture of what the windows of these pages show, each below its caption."""
    figures = []
    for caption, page in sides.items():
        shot = base64.b64encode(page.screenshot(animations="disabled")).decode()
        width = page.evaluate("innerWidth")
        image = f'<img src="data:image/png;base64,{shot}" width="{width}">'
        figures.append(f"<figure><figcaption>{caption}</figcaption>{image}</figure>")
    page = browser.new_context(device_scale_factor=SCALE).new_page()
    page.set_content(SIDE_BY_SIDE + "".join(figures))
    return page.locator("body").screenshot()


TAKEN = {"approval": take_approval, "chat": take_chat, "console": take_console, "mcp": take_mcp, "tab": take_tab}


def main() -> int:
    """Take the pictures, or those named in the arguments; 1 where there is no Chromium."""
    names = sys.argv[1:] or list(TAKEN)
    path = find_chromium()
    if path is None:
        print("Chromium is needed (Debian: apt-get install chromium).", file=sys.stderr)
        return 1
    expect.set_options(timeout=TIMEOUT_MS)
    with LocalWorker() as worker, sync_playwright() as playwright:
        browser = launch(playwright, path)
        PICTURES.mkdir(exist_ok=True)
        for name in names:
            path = PICTURES / f"{name}.png"
            path.write_bytes(TAKEN[name](browser, worker.url))
            print(f"{path}: {path.stat().st_size // 1024} KiB")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
