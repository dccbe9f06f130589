"""One session in several pages: a duplicated tab, a tab that is closed or loaded again, and another browser."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import OpenConsole
from tests.browser.watch import Watch
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker

PATIENCE_SECONDS = 120
GOODBYE_SECONDS = 30
"""A third of what missed heartbeats would take."""

PAGE = """<!doctype html><title>A shop</title><link rel="icon" href="data:,">
<script type="module">
  import { createSession, Host, Session } from "/waypost.js";
  const session = HOW ?? (await createSession({ encrypted: location.search === "?encrypted" }));
  session.save();
  window.ran = [];
  const host = (window.host = new Host(session));
  host.tool({ name: "pay", inputSchema: { type: "object" } }, ({ number }) => {
    window.ran.push(number);
    return `paid ${number}`;
  });
  host.on("state", ({ state }) => (document.body.dataset.state = state));
  document.body.dataset.code = session.code;
  await host.connect();
</script><body></body>"""
"""An app as its documentation tells it to be written; HOW it finds the session that its tab had."""

RESTORE, CLAIM = "Session.restore()", "(await Session.claim())"

OpenShop = Callable[..., Page]


@pytest.fixture
def new_context(browser: Browser, watch: Watch, worker: LocalWorker) -> Iterator[Callable[[str], BrowserContext]]:
    """A browser of its own, in which the shop's pages find their session as they are told."""
    contexts = []

    def new_context(how: str) -> BrowserContext:
        context = browser.new_context()
        contexts.append(context)
        watch.follow(context, worker.url)
        html = PAGE.replace("HOW", how)
        context.route(f"{worker.url}/shop*", lambda route: route.fulfill(body=html, content_type="text/html"))
        return context

    yield new_context
    for context in contexts:
        context.close()


@pytest.fixture
def open_shop(new_context: Callable[[str], BrowserContext], worker: LocalWorker) -> OpenShop:
    """Open the shop in a browser of its own, and wait until it is online."""

    def open_shop(how: str = RESTORE, query: str = "", script: str = "") -> Page:
        context = new_context(how)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.goto(f"{worker.url}/shop{query}")
        return wait_for(page, "online")

    return open_shop


def wait_for(page: Page, state: str) -> Page:
    expect(page.locator("body")).to_have_attribute("data-state", state)
    return page


def duplicate(page: Page) -> Page:
    """What "Duplicate tab" does: the same address, with a copy of the storage."""
    with page.expect_popup() as popup:
        page.evaluate("() => void open(location.href)")
    return popup.value


def code_of(page: Page) -> str:
    return str(page.locator("body").get_attribute("data-code"))


def ran(page: Page) -> list[int]:
    return list(page.evaluate("window.ran"))


def pay(worker: LocalWorker, page: Page, *numbers: int) -> None:
    """Call the tool with a client of MCP's own SDK, once for each number."""

    async def calls() -> list[str]:
        from mcp.client.client import Client

        async with asyncio.timeout(PATIENCE_SECONDS), Client(url) as client:
            results = [await client.call_tool("pay", {"number": number}) for number in numbers]
            return [result.content[0].text for result in results]

    url = f"{worker.url}/mcp/{code_of(page)}"
    # Playwright has a loop of its own in this thread.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, calls()).result() == [f"paid {number}" for number in numbers]


def pay_in_secret(page: Page, *numbers: int) -> None:
    """The same in an encrypted session, with its link, in a page of its own."""
    guest = page.context.new_page()
    guest.goto(page.url.replace("/shop?encrypted", "/docs/"))
    script = """async ([link, numbers]) => {
        const { joinSession } = await import("/waypost.js");
        const guest = await joinSession(link);
        const results = [];
        for (const number of numbers) results.push(await guest.call("pay", { number }));
        return results;
    }"""
    link = page.evaluate("window.host.session.link")
    assert guest.evaluate(script, [link, list(numbers)]) == [f"paid {number}" for number in numbers]
    guest.close()


def goodbyes(worker: LocalWorker, code: str) -> int:
    """The goodbyes of the session's pages that the Worker has accepted."""
    return worker.log_text().count(f"POST /api/sessions/{code}/leave 204")


def is_online(api: httpx.Client, code: str) -> bool:
    return bool(api.get(f"/api/sessions/{code}").raise_for_status().json()["hostOnline"])


@pytest.mark.parametrize("query", ["", "?encrypted"], ids=["plain", "encrypted"])
def test_in_a_duplicated_tab_no_call_runs_and_it_takes_over_when_the_first_one_closes(
    open_shop: OpenShop, worker: LocalWorker, query: str
) -> None:
    first = open_shop(query=query)
    copy = wait_for(duplicate(first), "elsewhere")
    assert code_of(copy) == code_of(first)

    def call(page: Page, *numbers: int) -> None:
        pay_in_secret(page, *numbers) if query else pay(worker, page, *numbers)

    call(first, 1, 2, 3)
    assert (ran(first), ran(copy)) == ([1, 2, 3], [])
    first.close(run_before_unload=True)
    wait_for(copy, "online")
    call(copy, 4, 5, 6)
    assert ran(copy) == [4, 5, 6]


def test_a_duplicated_tab_that_claims_its_session_gets_one_of_its_own(open_shop: OpenShop, worker: LocalWorker) -> None:
    first = open_shop(CLAIM)
    copy = wait_for(duplicate(first), "online")
    assert code_of(copy) != code_of(first)
    pay(worker, first, 1)
    pay(worker, copy, 2)
    assert (ran(first), ran(copy)) == ([1], [2])
    code = code_of(copy)
    copy.reload()
    assert code_of(wait_for(copy, "online")) == code


def test_without_locks_the_newer_of_two_tabs_has_the_session_and_the_older_one_can_take_it_back(
    open_shop: OpenShop, worker: LocalWorker
) -> None:
    first = open_shop(script="delete Navigator.prototype.locks")
    copy = wait_for(duplicate(first), "online")
    wait_for(first, "superseded")
    pay(worker, copy, 1, 2, 3)
    assert (ran(first), ran(copy)) == ([], [1, 2, 3])
    first.evaluate("window.host.takeOver()")
    wait_for(copy, "superseded")
    wait_for(first, "online")
    pay(worker, first, 4)
    assert (ran(first), ran(copy)) == ([4], [1, 2, 3])


def test_a_tab_that_is_closed_is_offline_within_seconds(open_shop: OpenShop, api: httpx.Client) -> None:
    page = open_shop()
    code = code_of(page)
    assert is_online(api, code)
    page.close(run_before_unload=True)
    eventually(lambda: not is_online(api, code), GOODBYE_SECONDS)
    session = api.get(f"/api/sessions/{code}").json()
    assert session["active"]
    assert session["hostSeenAt"]


def test_a_tab_that_is_loaded_again_keeps_its_session_and_is_online(
    open_shop: OpenShop, worker: LocalWorker, api: httpx.Client
) -> None:
    page = open_shop()
    code = code_of(page)
    for number in (1, 2):
        page.reload()
        wait_for(page, "online")
        assert code_of(page) == code
        eventually(lambda number=number: goodbyes(worker, code) == number, GOODBYE_SECONDS)
        pay(worker, page, number)
        assert is_online(api, code)
    page.goto(f"{worker.url}/docs/")
    page.go_back()
    wait_for(page, "online")
    pay(worker, page, 3)
    assert is_online(api, code)


def test_the_console_shows_that_another_browser_took_over_and_can_take_it_back(
    open_console: OpenConsole, worker: LocalWorker
) -> None:
    tab = open_console()
    code = tab.wait_online()
    saved = tab.page.evaluate("sessionStorage.getItem('waypost.session')")
    other = open_console("#mcp")
    other.page.evaluate("saved => sessionStorage.setItem('waypost.session', saved)", saved)
    other.page.goto(f"{worker.url}/")
    other.page.reload()
    assert other.wait_online() == code
    expect(tab.state).to_have_text("Taken over")
    expect(tab.banner).to_contain_text("Another browser or program took this session over")
    tab.shoot("taken-over")
    tab.page.get_by_role("button", name="Take it back").click()
    assert tab.wait_online() == code
    expect(tab.banner).to_be_hidden()
    expect(other.state).to_have_text("Taken over")
    # The session is the other one's: a new one here does not end it.
    other.page.get_by_role("button", name="Start new session").click()
    expect(other.page.locator("#code")).not_to_have_text(f"{code[:4]}-{code[4:]}")
    other.wait_online()
    expect(tab.state).to_have_text("Online")


def test_a_duplicated_console_opens_a_session_of_its_own(open_console: OpenConsole) -> None:
    tab = open_console()
    code = tab.wait_online()
    with tab.page.expect_popup() as popup:
        tab.page.evaluate("() => void open(location.href)")
    expect(popup.value.locator("#tab-state")).to_have_text("Online")
    assert (popup.value.locator("#code").text_content() or "").replace("-", "") != code
    expect(tab.state).to_have_text("Online")
