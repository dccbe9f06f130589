"""Pages that know only WebMCP, after one script tag was added: agents use their tools, in every browser and shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.agent import Agent
from tests.browser.audit import faults
from tests.browser.chromium import find_chromium, flags_with
from tests.browser.conftest import ARTIFACTS, OpenConsole
from tests.browser.console import Console
from tests.browser.webmcp_site import Site, serve_site
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker

NATIVE = "--enable-features=WebMCP"
POLYFILL = '<script src="/polyfill.js"></script>'
KINDS = ("native", "polyfill", "neither")
"""A browser with WebMCP; one without, whose page brings a polyfill; and one without, where `webmcp.js` stands in."""

BADGE = "waypost-webmcp"

CALL_FROM_BROWSER = """
  const context = document.modelContext;
  const add = (tools) => tools.find(({ name }) => name === "add_note");
  window.called = context.getTools().then((tools) => context.executeTool(add(tools), { text: "From the browser" }));
"""


@dataclass
class Visit:
    """A person at a page with the tag."""

    page: Page
    site: Site
    early: str

    def goto(self, path: str, **query: str) -> None:
        """Open a page of the site."""
        self.page.goto(f"{self.site.url}{path}?{urlencode({'early': self.early, **query})}")

    @property
    def badge(self) -> Locator:
        """All that the tag adds to the page."""
        return self.page.locator(BADGE)

    def button(self, name: str) -> Locator:
        """A button of the badge."""
        return self.badge.get_by_role("button", name=name)

    def share(self) -> str:
        """Share the page's tools as a person does; return the URL for MCP clients."""
        self.badge.locator(".pill").click()
        self.button("Share this page’s tools").click()
        return self.mcp_url()

    def mcp_url(self) -> str:
        """What the button copies, once the tools are shared."""
        expect(self.badge.get_by_text("Shared", exact=True).first).to_be_visible()
        self.button("Copy MCP URL").click()
        expect(self.button("Copied")).to_be_visible()
        expect(self.button("Copy MCP URL")).to_be_visible()
        return str(self.page.evaluate("navigator.clipboard.readText()"))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serve_site() as site:
        yield site


@pytest.fixture(scope="module")
def deployment(site: Site) -> Iterator[LocalWorker]:
    """A Worker that lets the pages of `site` call it."""
    with LocalWorker(ALLOWED_ORIGINS=site.url) as worker:
        site.waypost_url = worker.url
        yield worker


@pytest.fixture(scope="module")
def native(browser: Browser) -> Iterator[Browser]:
    """A Chromium whose WebMCP is on."""
    other = browser.browser_type.launch(executable_path=find_chromium(), args=flags_with(NATIVE))
    yield other
    other.close()


Enter = Callable[[str], Visit]


@pytest.fixture
def enter(browser: Browser, native: Browser, deployment: LocalWorker, site: Site) -> Iterator[Enter]:
    """Be a person with a browser of one of the `KINDS`."""
    contexts: list[BrowserContext] = []

    def enter(kind: str) -> Visit:
        chromium = native if kind == "native" else browser
        context = chromium.new_context(viewport={"width": 1100, "height": 800}, reduced_motion="reduce")
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(40_000)
        contexts.append(context)
        page = context.new_page()
        has_own = page.goto(f"{site.url}/shop?no-tag=") and page.evaluate("'modelContext' in document")
        assert has_own == (kind == "native")
        return Visit(page, site, POLYFILL if kind == "polyfill" else "")

    yield enter
    for context in contexts:
        context.close()


@pytest.mark.parametrize("kind", KINDS)
def test_the_official_client_uses_a_page_that_knows_only_webmcp(enter: Enter, kind: str) -> None:
    visit = enter(kind)
    visit.goto("/shop")
    with Agent(visit.share()) as agent:
        tools = agent.tools()
        assert set(tools) == {"find_tea", "add_to_cart", "brew", "order"}
        find = tools["find_tea"]
        assert (find["title"], find["description"]) == ("Find a tea", "Finds teas by a word")
        assert find["inputSchema"]["required"] == ["word"]
        assert find["annotations"]["readOnlyHint"] is True
        assert agent.call("find_tea", word="sen")["structuredContent"] == {"teas": ["Sencha"]}
        call = agent.start("add_to_cart", tea="Assam", grams=250)
        visit.button("Allow once").click()
        assert agent.wait(call)["result"]["content"] == [{"type": "text", "text": "250 g of Assam are in the cart."}]
        expect(visit.page.locator("#cart")).to_have_text('[["Assam",250]]')
        # An error of the page's function arrives with its words.
        call = agent.start("add_to_cart", tea="coffee")
        visit.button("Always allow").click()
        failed = agent.wait(call)["result"]
        assert (failed["isError"], failed["content"][0]["text"]) == (True, "There is no coffee here.")
        assert agent.text("add_to_cart", tea="Sencha") == "100 g of Sencha are in the cart."
        visit.page.evaluate("closeShop()")
        eventually(lambda: set(agent.tools()) == {"find_tea", "brew", "order"})


@pytest.mark.parametrize("kind", KINDS)
def test_tools_come_and_go_with_the_components_that_register_them(enter: Enter, kind: str) -> None:
    visit = enter(kind)
    visit.goto("/components")
    with Agent(visit.share()) as agent:
        assert agent.call("list_cards")["structuredContent"] == {"result": ["one", "two"]}
        for _twice in range(2):
            visit.page.evaluate("mount()")
            eventually(lambda: "read_card" in agent.tools())
            assert agent.text("read_card") == "Card one"
            visit.page.evaluate("unmount()")
            eventually(lambda: "read_card" not in agent.tools())


@pytest.mark.parametrize("kind", ["native", "polyfill"])
def test_forms_are_tools_and_one_that_leaves_the_page_is_not_sent_twice(enter: Enter, kind: str) -> None:
    visit = enter(kind)
    visits: list[str] = []
    visit.page.on("framenavigated", lambda frame: visits.append(frame.url))
    visit.goto("/forms")
    with Agent(visit.share()) as agent:
        assert agent.tools()["find_table"]["inputSchema"]["properties"]["persons"]["minimum"] == 1
        call = agent.start("find_table", persons=4)
        visit.button("Allow once").click()
        assert agent.wait(call)["result"]["structuredContent"] == {"table": 14}
        call = agent.start("book_table", name="Ada")
        visit.button("Allow once").click()
        agent.wait_told(call, "The form is filled in. Waiting for the person to submit it.")
        expect(visit.page.locator("[name=name]")).to_have_value("Ada")
        visit.page.locator("#confirm").click()
        booked = agent.wait(call)["result"]["content"][0]["text"]
        # The polyfill (5.1.0) takes the answer of a form too early, where the person submits it.
        assert booked == ("Booked for Ada" if kind == "native" else "The form is sent.")
        call = agent.start("leave", q="tea")
        visit.button("Allow once").click()
        visit.page.wait_for_url("**/shop?q=tea")
        left = agent.wait(call)["result"]["content"][0]["text"]
        # Of the page that was left, if it still could, or of the next one. That one neither asks nor submits again.
        assert left == "The form is sent." or "The page has no tool" in left
        assert len([url for url in visits if url.endswith("/shop?q=tea")]) == 1
        # The session goes on at the next page of the site, whose tools are its own.
        eventually(lambda: "find_tea" in agent.tools(), 60)
        assert "find_table" not in agent.tools()


@pytest.mark.parametrize("kind", ["native", "neither"])
def test_a_page_of_the_first_shape_gives_its_whole_list_and_asks_the_person(enter: Enter, kind: str) -> None:
    visit = enter(kind)
    visit.goto("/former")
    with Agent(visit.share()) as agent:
        assert set(agent.tools()) == {"first", "second"}
        call = agent.start("first")
        assert agent.wait(call)["result"]["content"][0]["text"] == "first: agreed"
        assert agent.told[call] == ["Waiting for the person at the page."]
        visit.page.evaluate("replace()")
        eventually(lambda: set(agent.tools()) == {"third"})


@pytest.mark.parametrize("kind", ["native", "polyfill"])
def test_what_was_registered_before_the_script_came_is_found_in_the_browsers_list(enter: Enter, kind: str) -> None:
    visit = enter(kind)
    visit.goto("/shop", **{"no-tag": ""})
    visit.page.wait_for_function("'closeShop' in window")
    visit.page.evaluate("(url) => import(url).then(() => {})", f"{visit.site.waypost_url}/webmcp.js")
    with Agent(visit.share()) as agent:
        assert agent.call("find_tea", word="ass")["structuredContent"] == {"teas": ["Assam"]}
        visit.page.evaluate("closeShop()")
        eventually(lambda: "add_to_cart" not in agent.tools())


@pytest.mark.parametrize("kind", KINDS)
def test_a_tag_that_is_no_module_sees_the_scripts_of_the_page_in_every_browser(enter: Enter, kind: str) -> None:
    visit = enter(kind)
    visit.goto("/inline", classic="")
    with Agent(visit.share()) as agent:
        assert agent.text("list_coffee") == "Arabica"
        # With its words: the function was seen as it was registered, not found in a list.
        assert agent.text("list_coffee", fail=True) == "No coffee today."


def test_in_a_browser_without_webmcp_a_module_comes_after_the_scripts_of_the_page(enter: Enter) -> None:
    visit = enter("neither")
    visit.goto("/inline")
    visit.page.wait_for_function("'modelContext' in document")
    expect(visit.badge).to_be_hidden()


def test_the_pages_own_client_offers_what_the_tag_has_seen(enter: Enter) -> None:
    visit = enter("native")
    visit.goto("/inline", classic="")
    code = visit.page.evaluate(
        """async (url) => {
          const { createSession, Host } = await import(`${url}/waypost.js`);
          const host = new Host(await createSession());
          await host.webmcp().ready();
          await host.connect();
          return host.session.code;
        }""",
        visit.site.waypost_url,
    )
    with Agent(f"{visit.site.waypost_url}/mcp/{code}") as agent:
        assert agent.text("list_coffee", fail=True) == "No coffee today."


@pytest.mark.parametrize("kind", KINDS)
def test_a_cancelled_call_aborts_the_signal_that_the_tool_was_given(enter: Enter, kind: str) -> None:
    visit = enter(kind)
    visit.goto("/shop")
    with Agent(visit.share()) as agent:
        call = agent.start("brew")
        visit.page.wait_for_function("window.brewing === true")
        agent.cancel(call)
        visit.page.wait_for_function("window.brewing === false")


def test_nothing_is_sent_before_the_person_shares_and_nothing_after_they_stop(enter: Enter) -> None:
    visit = enter("native")
    calls: list[str] = []
    visit.page.on("request", lambda request: "/api/" in request.url and calls.append(request.url))
    visit.goto("/shop")
    expect(visit.button("Share 4 tools")).to_be_visible()
    assert calls == []
    visit.share()
    visit.button("Stop sharing").click()
    expect(visit.badge.get_by_text("Sharing has stopped.").first).to_be_visible()
    calls.clear()
    visit.page.reload()
    expect(visit.button("Share 4 tools")).to_be_visible()
    assert calls == []


def test_a_client_is_configured_once_until_the_person_replaces_the_url(enter: Enter) -> None:
    visit = enter("native")
    visit.goto("/shop")
    url = visit.share()
    visit.button("Stop sharing").click()
    expect(visit.badge.get_by_text("Sharing has stopped.").first).to_be_visible()
    visit.button("Share this page’s tools").click()
    assert visit.mcp_url() == url
    with Agent(url) as agent:
        assert agent.text("find_tea", word="sen")
    visit.button("Replace it").click()
    expect(visit.badge.get_by_text("The old one no longer works.")).to_have_count(1)
    renewed = visit.mcp_url()
    assert renewed != url
    with Agent(renewed) as agent:
        assert agent.text("find_tea", word="sen")
    assert httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "ping"}).status_code in (404, 410)


def test_a_reload_and_the_next_page_of_the_site_go_on_under_the_same_code(enter: Enter) -> None:
    visit = enter("native")
    visit.goto("/shop")
    url = visit.share()
    visit.page.reload()
    visit.badge.locator(".pill").click()
    assert visit.mcp_url() == url
    visit.goto("/components")
    with Agent(url) as agent:
        eventually(lambda: set(agent.tools()) == {"list_cards"})


def test_a_duplicated_tab_shares_nothing_by_itself_and_runs_no_call(enter: Enter) -> None:
    visit = enter("native")
    visit.goto("/shop")
    with Agent(visit.share()) as agent:
        with visit.page.expect_popup() as opened:
            visit.page.evaluate("void window.open(location.href)")
        copy = Visit(opened.value, visit.site, "")
        assert copy.page.evaluate("sessionStorage.length") > 0
        expect(copy.button("Share 4 tools")).to_be_visible()
        call = agent.start("add_to_cart", tea="Assam")
        visit.button("Allow once").click()
        agent.wait(call)
        expect(visit.page.locator("#cart")).to_have_text('[["Assam",100]]')
        expect(copy.page.locator("#cart")).to_have_text("[]")
        copy.share()
        code = copy.badge.locator(".code").text_content()
        assert code != visit.badge.locator(".code").text_content()


def test_a_call_that_a_reload_interrupts_is_neither_asked_about_nor_run_again(enter: Enter) -> None:
    visit = enter("native")
    visit.goto("/shop")
    with Agent(visit.share()) as agent:
        call = agent.start("order")
        visit.button("Allow once").click()
        visit.page.wait_for_function("sessionStorage.orders === '1'")
        visit.page.reload()
        said = agent.wait(call)["result"]["content"][0]["text"]
        assert said.startswith("The page was left or reloaded while this call ran. It may have taken effect")
        assert f"{visit.site.url}/shop (Tea shop)" in said
        assert visit.page.evaluate("sessionStorage.orders") == "1"


def test_a_page_without_tools_shows_nothing_and_two_tags_are_one_badge(enter: Enter) -> None:
    visit = enter("neither")
    twice = f'<script type="module" src="{visit.site.waypost_url}/webmcp.js?again"></script>'
    visit.goto("/forms", early=twice)
    expect(visit.badge).to_have_count(1)
    expect(visit.badge).to_be_hidden()


def test_the_attributes_share_at_once_without_questions_under_a_name(enter: Enter) -> None:
    visit = enter("neither")
    tag = 'data-autostart data-approve="never" data-label="My shop" data-position="top-left" data-theme="dark"'
    visit.goto("/shop", attributes=tag)
    expect(visit.button("Shared")).to_be_visible()
    visit.badge.locator(".pill").click()
    with Agent(visit.mcp_url()) as agent:
        assert agent.text("add_to_cart", tea="Assam") == "100 g of Assam are in the cart."
    box = visit.badge.locator(".pill").bounding_box()
    assert box
    assert (box["x"], box["y"]) == (16, 16)
    assert visit.badge.locator(".panel").evaluate("(panel) => getComputedStyle(panel).colorScheme") == "dark"


def test_always_asks_about_tools_that_only_read_as_well(enter: Enter) -> None:
    visit = enter("native")
    visit.goto("/shop", attributes='data-approve="always"')
    with Agent(visit.share()) as agent:
        call = agent.start("find_tea", word="a")
        visit.button("Refuse").click()
        assert agent.wait(call)["result"]["isError"] is True


def test_where_a_code_is_not_enough_the_badge_gets_a_token(enter: Enter, site: Site) -> None:
    visit = enter("native")
    with LocalWorker(ALLOWED_ORIGINS=site.url, REQUIRE_TOKEN="once") as worker:
        visit.goto("/shop", server=worker.url)
        visit.badge.locator(".pill").click()
        visit.button("Share this page’s tools").click()
        visit.button("Get a token").click()
        visit.button("Copy token").click()
        expect(visit.button("Copied")).to_be_visible()
        token = visit.page.evaluate("navigator.clipboard.readText()")
        expect(visit.button("Copied")).to_have_count(0)
        url = visit.mcp_url()
        assert url == f"{worker.url}/mcp"
        with Agent(url, token) as agent:
            assert "Sencha" in agent.text("find_tea", word="sen")
        visit.page.goto("about:blank")


def test_a_deployment_that_does_not_know_the_site_says_so(enter: Enter, worker: LocalWorker) -> None:
    visit = enter("native")
    visit.goto("/shop", server=worker.url)
    visit.badge.locator(".pill").click()
    visit.button("Share this page’s tools").click()
    expect(visit.badge.get_by_role("alert")).to_contain_text(f"ALLOWED_ORIGINS must contain {visit.site.url}")
    assert visit.page.evaluate("sessionStorage.length") == 0


def test_under_a_strict_policy_the_badge_works_and_what_the_policy_blocks_is_named(enter: Enter) -> None:
    visit = enter("native")
    server = visit.site.waypost_url
    rest = f"default-src 'none'; script-src {server} 'unsafe-inline'; require-trusted-types-for 'script'"
    visit.goto("/shop", policy=f"{rest}; connect-src 'self'")
    visit.badge.locator(".pill").click()
    visit.button("Share this page’s tools").click()
    expect(visit.badge.get_by_role("alert")).to_contain_text(f"connect-src needs {server}")
    visit.goto("/shop", policy=f"{rest}; connect-src {server}")
    url = visit.share()
    assert visit.badge.evaluate("(badge) => getComputedStyle(badge).position") == "fixed"
    with Agent(url) as agent:
        assert agent.text("find_tea", word="sen")
    visit.goto("/shop", policy=f"{rest}; connect-src 'self'")
    visit.badge.locator(".pill").click()
    expect(visit.badge.get_by_role("dialog")).to_contain_text(f"connect-src needs {server}")


def test_the_pages_style_sheets_do_not_reach_the_badge_and_its_own_do_not_reach_the_page(enter: Enter) -> None:
    visit = enter("native")
    hostile = """<style>
      * { display: block !important; position: static !important; font: 40px serif !important; color: red !important; }
      html > *:not(head, body) { display: none !important; opacity: 0 !important; visibility: hidden !important; }
    </style>"""
    visit.goto("/shop", early=hostile)
    expect(visit.button("Share 4 tools")).to_be_visible()
    look = visit.button("Share 4 tools").evaluate("(it) => [getComputedStyle(it).fontSize, getComputedStyle(it).color]")
    assert look[0] == "13.5px"
    assert look[1] != "rgb(255, 0, 0)"
    assert visit.badge.evaluate("(it) => getComputedStyle(it).opacity") == "1"
    assert visit.page.evaluate("[document.adoptedStyleSheets.length, document.querySelectorAll('style').length]") == [
        0,
        1,
    ]


def test_a_script_of_the_page_can_neither_share_nor_approve(enter: Enter) -> None:
    visit = enter("native")
    visit.goto("/shop")
    press = f"(name) => [...document.querySelector('{BADGE}').shadowRoot.querySelectorAll('button')]" + (
        ".find((button) => button.textContent.includes(name)).click()"
    )
    visit.badge.locator(".pill").click()
    visit.page.evaluate(press, "Share this")
    expect(visit.button("Share this page’s tools")).to_be_enabled()
    visit.button("Share this page’s tools").click()
    with Agent(visit.mcp_url()) as agent:
        call = agent.start("add_to_cart", tea="Assam")
        expect(visit.button("Allow once")).to_be_enabled()
        visit.page.evaluate(press, "Allow once")
        expect(visit.page.locator("#cart")).to_have_text("[]")
        visit.button("Allow once").click()
        assert "result" in agent.wait(call)


def test_the_keyboard_opens_shares_and_minimises_and_a_question_takes_no_focus(enter: Enter) -> None:
    visit = enter("native")
    visit.goto("/shop")
    focused = f"document.querySelector('{BADGE}').shadowRoot.activeElement?.textContent"
    expect(visit.button("Share 4 tools")).to_be_visible()
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate(focused) == "Share 4 tools"
    visit.page.evaluate("addEventListener('keydown', ({ key }) => { window.heard = key; })")
    visit.page.keyboard.press("Enter")
    expect(visit.badge.get_by_role("dialog", name="Agents on this page")).to_be_visible()
    visit.page.keyboard.press("Escape")
    expect(visit.badge.get_by_role("dialog")).to_be_hidden()
    assert visit.page.evaluate(focused) == "Share 4 tools"
    assert visit.page.evaluate("window.heard ?? null") is None
    with Agent(visit.share()) as agent:
        visit.button("Minimise").click()
        visit.page.evaluate("document.activeElement.blur()")
        call = agent.start("add_to_cart", tea="Assam")
        expect(visit.button("Allow once")).to_be_enabled()
        assert visit.page.evaluate("document.activeElement === document.body")
        expect(visit.badge.get_by_text("An agent asks to call add_to_cart.")).to_have_count(1)
        visit.button("Refuse").click()
        agent.wait(call)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_accessibility_checker_finds_nothing(enter: Enter, theme: str) -> None:
    visit = enter("native")
    visit.goto("/shop", attributes=f'data-theme="{theme}"')
    visit.badge.locator(".pill").click()
    assert faults(visit.page, BADGE) == []
    visit.button("Share this page’s tools").click()
    with Agent(visit.mcp_url()) as agent:
        assert faults(visit.page, BADGE) == []
        call = agent.start("add_to_cart", tea="Assam")
        expect(visit.button("Allow once")).to_be_enabled()
        assert faults(visit.page, BADGE) == []
        visit.button("Refuse").click()
        agent.wait(call)


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
