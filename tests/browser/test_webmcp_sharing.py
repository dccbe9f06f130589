"""Pages that know only WebMCP are shared by a person: what begins with it, what outlives a reload, and who may call."""

from __future__ import annotations

import httpx
from playwright.sync_api import expect

from tests.browser.agent import Agent
from tests.browser.webmcp_visits import Enter, Visit
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker


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


def test_a_deployment_that_does_not_know_the_site_says_so(enter: Enter, worker: LocalWorker) -> None:
    visit = enter("native")
    visit.goto("/shop", server=worker.url)
    visit.badge.locator(".pill").click()
    visit.button("Share this page’s tools").click()
    expect(visit.badge.get_by_role("alert")).to_contain_text(f"ALLOWED_ORIGINS must contain {visit.site.url}")
    assert visit.page.evaluate("sessionStorage.length") == 0
