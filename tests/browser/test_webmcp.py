"""Pages that know only WebMCP, after one script tag was added: agents use their tools, in every browser and shape."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.agent import Agent
from tests.browser.webmcp_visits import KINDS, Enter
from tests.support.waiting import eventually


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
        eventually(lambda: "find_tea" in agent.tools())
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
