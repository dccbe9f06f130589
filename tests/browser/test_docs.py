"""The API's page: every route of the document, for eyes, keyboards, phones, and as commands."""

import json
import re
import subprocess

import httpx
from playwright.sync_api import Page, expect

from tests.browser.audit import both_themes, faults
from tests.browser.conftest import OpenConsole
from tests.browser.steps import PHONE
from tools.local.local_worker import ROOT

PRINT = ROOT / "tests" / "support" / "docs_snippets.mjs"
NODE = ROOT / "node_modules" / ".bin" / "node"


def open_all(page: Page) -> None:
    """Open everything that opens."""
    expect(page.locator("details.operation").first).to_be_attached()
    page.evaluate("document.querySelectorAll('details.operation').forEach((card) => (card.open = true))")
    expect(page.locator("details.operation:not(:has(dl.fields, details.reply))")).to_have_count(0)
    page.evaluate("document.querySelectorAll('details.reply').forEach((reply) => (reply.open = true))")


REFERENCE = ("session-events", "chat-events", "problems")


def test_every_route_of_the_document_has_its_card(open_console: OpenConsole, api: httpx.Client) -> None:
    page = open_console("docs/").page
    paths = api.get("/openapi.json").json()["paths"]
    shown = [operation["operationId"] for path in paths if "/debug/" not in path for operation in paths[path].values()]
    expect(page.locator("details.operation")).to_have_count(len(shown) + len(REFERENCE))
    ids = page.locator("details.operation").evaluate_all("cards => cards.map(({ id }) => id)")
    assert sorted(ids) == sorted([*shown, *REFERENCE])
    expect(page.get_by_role("heading", name="MCP", exact=True)).to_have_count(2)


def test_the_address_names_the_card_that_is_open_and_opens_it(open_console: OpenConsole) -> None:
    page = open_console("docs/#putPage").page
    expect(page.locator("#putPage")).to_have_attribute("open", "")
    page.locator("#health > summary").click()
    assert page.url.endswith("/docs/#health")
    page.reload()
    expect(page.locator("#health")).to_have_attribute("open", "")
    page.locator("#health > summary").click()
    assert page.url.endswith("/docs/")


def test_a_search_shows_the_routes_and_where_the_words_stand(open_console: OpenConsole) -> None:
    docs = open_console("docs/")
    docs.page.get_by_label("Find a route").fill("thread_exists")
    expect(docs.page.locator("details.operation:visible")).to_have_count(2)
    found = docs.page.locator("#index .where:visible")
    expect(found.first).to_contain_text("409 thread_exists: The name of a fork is taken")
    expect(docs.page.locator("#index h2:visible")).to_have_text(["Chats", "Reference"])
    docs.page.get_by_role("button", name="Open all").click()
    expect(docs.page.locator("details.operation[open]")).to_have_count(2)
    docs.shoot("docs-found")


# One of each kind of card: a body, streams, replies in two forms, codes of problems, events.
LOOKED_AT = ("sendRequest", "ask", "postMcp", "readConversation", "session-events", "problems")


def test_both_themes_of_the_reference_are_legible_and_every_control_has_a_name(open_console: OpenConsole) -> None:
    docs = open_console("docs/#sendRequest")
    for name in LOOKED_AT[1:]:
        docs.page.locator(f"#{name} > summary").click()
    docs.page.locator("#sendRequest .reply summary").first.click()
    for theme in both_themes(docs.page):
        docs.shoot(f"docs-{theme}")
    docs.page.evaluate("document.querySelectorAll('details.reply').forEach((reply) => (reply.open = true))")
    for theme in both_themes(docs.page):
        assert (theme, faults(docs.page)) == (theme, [])


def test_a_phone_shows_all_of_the_reference_without_scrolling_sideways(open_console: OpenConsole) -> None:
    docs = open_console("docs/#sendRequest", **PHONE)
    expect(docs.page.locator("#sendRequest")).to_have_attribute("open", "")
    docs.shoot("docs-phone")
    open_all(docs.page)
    assert docs.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_reply_fills_in_the_commands_below_it_in_the_language_that_was_chosen(open_console: OpenConsole) -> None:
    docs = open_console("docs/#openSession")
    page = docs.page
    page.locator("#readSession > summary").click()
    read = page.locator("#readSession")
    expect(read.locator("pre").first).to_contain_text("/api/sessions/$CODE")
    read.get_by_role("button", name="Send").first.click()
    expect(read.locator(".sent")).to_contain_text("$CODE is not known yet")
    page.locator("#openSession").get_by_role("button", name="Send").first.click()
    reply = page.locator("#openSession .sent").first
    expect(reply).to_contain_text("201")
    expect(reply).to_contain_text("x-request-id")
    code = json.loads(reply.locator("pre").inner_text())["code"]
    expect(read.locator("pre").first).to_contain_text(f"/api/sessions/{code}")
    expect(page.get_by_label("Session code")).to_have_value(code)
    read.get_by_role("button", name="Send").first.click()
    expect(read.locator(".sent")).to_contain_text('"label": "Ada\'s board"')
    docs.shoot("docs-sent")
    read.get_by_role("button", name="Python").click()
    page.reload()
    page.locator("#readSession > summary").click()
    expect(read.locator("pre").first).to_contain_text(
        f'httpx.get("{page.url.partition("/docs/")[0]}/api/sessions/{code}")'
    )
    page.get_by_role("button", name="Clear").click()
    expect(read.locator("pre").first).to_contain_text("/api/sessions/{CODE}")


def test_the_session_of_the_tab_is_put_into_every_command(open_console: OpenConsole) -> None:
    console = open_console()
    code = console.wait_online()
    console.page.goto(f"{console.page.url.partition('#')[0]}docs/#putTools")
    console.page.get_by_role("button", name="Use this tab's session").click()
    expect(console.page.get_by_label("Guest's token")).to_have_value(re.compile(r"^wp1\.guest\."))
    expect(console.page.locator("#putTools pre").first).to_contain_text(f"/api/sessions/{code}/tools")
    expect(console.page.locator("#putTools pre").first).to_contain_text("Bearer wp1.host.")


def test_the_snippets_with_waypost_js_run_one_after_the_other(open_console: OpenConsole) -> None:
    page = open_console("docs/").page
    origin = page.url.partition("/docs/")[0]
    done = subprocess.run([NODE, PRINT, "client", origin], capture_output=True, text=True, timeout=120, check=True)
    texts = [snippet["text"] for snippet in json.loads(done.stdout) if snippet["language"] == "client"]
    assert len(texts) > 20
    # As if they were pasted: what one declares, the next one sees.
    lines = page.evaluate(
        """async (code) => {
          const said = [];
          const run = new (async () => {}).constructor("console", code);
          await run({ log: (...values) => said.push(JSON.stringify(values)) });
          return said;
        }""",
        "\n".join(texts),
    )
    shown = "\n".join(lines)
    assert '{"noted":"Hello, tab"}' in shown
    assert '"type":"delta"' in shown
    assert '"title":"Packing"' in shown
