"""The badge on a page of another site: under its policy, beside its style sheets and scripts, for every person."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.agent import Agent
from tests.browser.audit import faults
from tests.browser.webmcp_visits import BADGE, Enter


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
