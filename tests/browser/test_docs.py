"""The API's page: every route of the document, for eyes, keyboards, phones and shells."""

import json
import re
import subprocess

import httpx
from playwright.sync_api import Page, expect

from tests.browser.audit import both_themes, faults
from tests.browser.conftest import OpenConsole
from tests.browser.steps import PHONE


def open_all(page: Page) -> None:
    """Open everything that opens."""
    expect(page.locator("details.operation").first).to_be_attached()
    page.evaluate("document.querySelectorAll('details.operation').forEach((card) => (card.open = true))")
    expect(page.locator("details.operation:not(:has(details.reply))")).to_have_count(0)
    page.evaluate("document.querySelectorAll('details.reply').forEach((reply) => (reply.open = true))")


def test_every_route_of_the_document_has_its_card(open_console: OpenConsole, api: httpx.Client) -> None:
    page = open_console("docs/").page
    paths = api.get("/openapi.json").json()["paths"]
    expect(page.locator("details.operation")).to_have_count(sum(map(len, paths.values())))
    expect(page.locator("#found")).to_have_text(re.compile(r"\d+ routes"))


def test_an_address_opens_its_route_and_a_word_finds_routes(open_console: OpenConsole) -> None:
    docs = open_console("docs/#putPage")
    card = docs.page.locator("#putPage")
    expect(card).to_have_attribute("open", "")
    expect(card).to_contain_text("too_many_documents")
    docs.page.get_by_label("Find a route").fill("thread_exists")
    expect(docs.page.locator("details.operation:visible")).to_have_count(1)
    docs.shoot("docs-found")


def test_both_themes_of_the_reference_are_legible_and_every_control_has_a_name(open_console: OpenConsole) -> None:
    docs = open_console("docs/#sendRequest")
    expect(docs.page.locator("#sendRequest")).to_have_attribute("open", "")
    docs.page.locator("#sendRequest .reply summary").first.click()
    for theme in both_themes(docs.page):
        docs.shoot(f"docs-{theme}")
    open_all(docs.page)
    for theme in both_themes(docs.page):
        assert (theme, faults(docs.page)) == (theme, [])


def test_a_phone_shows_all_of_the_reference_without_scrolling_sideways(open_console: OpenConsole) -> None:
    docs = open_console("docs/#sendRequest", **PHONE)
    expect(docs.page.locator("#sendRequest")).to_have_attribute("open", "")
    docs.shoot("docs-phone")
    open_all(docs.page)
    assert docs.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_command_of_the_page_runs_in_a_shell(open_console: OpenConsole) -> None:
    page = open_console("docs/#openSession").page
    command = page.locator("#openSession pre").first.inner_text()
    answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30)
    assert re.fullmatch("[0-9A-Z]{8}", json.loads(answer.stdout)["code"]), answer.stderr
