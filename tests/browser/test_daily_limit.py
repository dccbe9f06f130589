"""The console while the server's storage operations of today are used up: it says so once, waits, and comes back."""

import time
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.audit import faults
from tests.browser.conftest import OpenConsole
from tests.browser.steps import PHONE
from tests.browser.watch import Watch

HOURS = 2


@pytest.mark.parametrize("device", [{"color_scheme": "dark"}, PHONE], ids=["desktop", "phone"])
def test_a_used_up_day_is_said_once_causes_no_requests_and_is_over_by_itself(
    open_console: OpenConsole, watch: Watch, device: dict[str, Any]
) -> None:
    watch.expects_network_errors = True
    console = open_console("#session", **device)
    console.wait_online()
    page = console.page
    refused: list[str] = []
    limit = {"operations": ["list"], "until": int((time.time() + HOURS * 3600) * 1000)}

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        problem = {"code": "daily_limit", "status": 503, "detail": "No list operations are left today."}
        headers = {"Retry-After": f"{HOURS * 3600}", "Content-Type": "application/problem+json"}
        route.fulfill(status=503, headers=headers, json=problem)

    health = page.request.get(f"{console.url}/health").json()
    page.route("**/health", lambda route: route.fulfill(status=503, json={**health, "dailyLimit": limit}))
    page.route("**/api/**", refuse)
    page.clock.install()
    page.reload()
    banner = page.locator("#daily-limit")
    expect(banner).to_contain_text("used up (lists)")
    expect(console.state).to_have_text("Reconnecting")
    expect(console.banner).to_contain_text("No list operations are left today.")
    console.shoot(f"daily-limit-{'phone' if device is PHONE else 'desktop'}", full_page=False)
    assert faults(page) == []
    count = len(refused)
    # An hour of a person who comes and goes.
    page.clock.run_for(3600_000)
    page.evaluate("['online', 'online'].forEach((name) => dispatchEvent(new Event(name)))")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for(60_000)
    assert refused[count:] == []
    page.unroute("**/api/**")
    page.unroute("**/health")
    page.clock.fast_forward(HOURS * 3600_000)
    expect(banner).to_be_hidden()
    console.wait_online()


def test_a_refusal_shows_the_banner_also_if_the_servers_health_does_not_know(
    open_console: OpenConsole, watch: Watch
) -> None:
    watch.expects_network_errors = True
    console = open_console("#chat")
    page = console.page
    expect(page.locator("#threads-empty")).to_be_visible()
    problem = {"code": "daily_limit", "status": 503, "detail": "No put operations are left today."}
    page.route("**/api/chat?*", lambda route: route.fulfill(status=503, headers={"Retry-After": "7200"}, json=problem))
    page.get_by_label("Message", exact=True).fill("Hello")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#daily-limit")).to_contain_text("used up")
    expect(page.locator("#chat-banner")).to_contain_text("see the top of this page")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Hello")
