"""Steps that tests of several pages take."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import Console

PHONE = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
"""How a phone's browser opens a page."""


def open_encrypted(tab: Console) -> str:
    """Have the tab open an encrypted session; return its link."""
    tab.wait_online()
    tab.page.get_by_role("switch", name="Encrypt the next session").check()
    tab.page.get_by_role("button", name="New session").click()
    expect(tab.page.locator("#tab-lock")).to_be_visible()
    expect(tab.page.locator("#code")).to_have_text("Link only")
    tab.wait_online()
    return tab.link


def offer(api: httpx.Client, label: str, tools: list[dict[str, object]]) -> str:
    """Open a session that no tab holds, with tools of its own; return its code."""
    session = api.post("/api/sessions", json={"label": label}).raise_for_status().json()
    headers = {"Authorization": f"Bearer {session['hostToken']}"}
    url = f"/api/sessions/{session['code']}/tools"
    api.put(url, headers=headers, json={"tools": tools}).raise_for_status()
    return str(session["code"])


def walk_to(page: Page, selector: str) -> None:
    """Press Tab until `selector` has the focus; every stop on the way must show that it has it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue
        shows = """() => {
          const focused = document.activeElement;
          return [focused, focused.closest(".tool")].some((e) => e && getComputedStyle(e).outlineStyle === "solid");
        }"""
        assert page.evaluate(shows), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"Tab never reaches {selector}")
