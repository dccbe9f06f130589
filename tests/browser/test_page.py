"""The page itself: for keyboards, small screens, both themes, and strings that mean harm."""

import json

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.audit import faults
from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.browser.steps import offer, walk_to

HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'

SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 40, "description": "A short text"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "ratio": {"type": "number"},
        "loud": {"type": "boolean"},
        "size": {"enum": ["small", "large", 3]},
        "where": {"type": "object", "description": "A place"},
        "list": {"type": "array", "default": [1]},
        "__proto__": {"type": "string"},
    },
    "required": ["title", "size"],
}


def test_a_form_is_made_from_any_schema_and_its_values_keep_their_types(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    code = offer(api, "forms", [{"name": "shape", "inputSchema": SCHEMA}])
    agent = open_console("#join=")
    agent.join(code)
    form = agent.page.get_by_role("form", name="Arguments of shape")
    form.get_by_role("button", name="Call").click()
    assert form.evaluate("form => form.checkValidity()") is False
    form.get_by_label("where").fill("[1]")
    assert (
        form.get_by_label("where").evaluate("field => field.validationMessage") == "This must be a JSON object: { … }"
    )
    agent.call("shape", title="Mill", ratio="0.5", size="3", where={"x": 1}, loud=True)
    form.get_by_label("__proto__").fill("plain")
    form.get_by_role("button", name="Call").click()
    expect(agent.page.locator(".call-card")).to_have_count(2)
    sent = agent.call_card.locator(".payload")
    expect(sent).to_have_text(
        '{ "title": "Mill", "count": 3, "ratio": 0.5, "loud": true, "size": 3, "where": { "x": 1 }, "list": [ 1 ], '
        '"__proto__": "plain" }'
    )
    agent.shoot("form-from-a-schema")


NESTED = {
    "type": "object",
    "properties": {
        "stay": {
            "type": "object",
            "properties": {
                "nights": {"type": "integer", "minimum": 1},
                "guests": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            },
            "required": ["nights"],
        },
        "extra": {"type": "object", "properties": {"dog": {"type": "string"}}, "required": ["dog"]},
        "price": {"type": ["number", "null"]},
        "day": {"type": "string", "format": "date"},
        "secret": {"type": "string", "format": "password"},
        "meal": {"oneOf": [{"const": "v", "title": "Vegetarian"}, {"const": "m", "title": "With meat"}]},
    },
    "required": ["stay", "price"],
}


def test_nested_schemas_are_forms_too_and_any_form_can_be_written_as_json(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    agent = open_console("#join=")
    agent.join(offer(api, "forms", [{"name": "book", "inputSchema": NESTED}]))
    form = agent.page.get_by_role("form", name="Arguments of book")
    form.get_by_label("nights").fill("2")
    form.get_by_label("guests").fill("Ada\n\nBo\nCy")
    assert form.evaluate("form => form.checkValidity()") is False
    form.get_by_label("guests").fill("Ada\n\nBo")
    form.get_by_label("price is null").check()
    form.get_by_label("day").fill("2026-12-01")
    form.get_by_label("meal").select_option("Vegetarian")
    assert form.get_by_label("secret").get_attribute("type") == "password"
    assert faults(agent.page) == []
    agent.shoot("form-nested")
    form.get_by_role("button", name="Call").click()
    booked = {"stay": {"nights": 2, "guests": ["Ada", "Bo"]}, "price": None, "day": "2026-12-01", "meal": "v"}
    assert json.loads(agent.call_card.locator(".payload").text_content() or "") == booked
    # What was not ticked is left out, and must not be filled in before.
    form.get_by_role("button", name="As JSON").click()
    text = form.get_by_label("Arguments as JSON")
    assert json.loads(text.input_value()) == booked
    text.fill('{"stay": {"nights": 3}, "price": 7, "extra": {}}')
    form.get_by_role("button", name="Call").click()
    expect(agent.page.locator(".call-card")).to_have_count(2)
    expect(agent.call_card.locator(".payload")).to_contain_text('"extra": {}')
    agent.call_card.get_by_text("Code").click()
    expect(agent.call_card.get_by_label("Code of this call")).to_contain_text('guest.call("book", {')
    agent.call_card.get_by_label("Language").select_option("curl")
    expect(agent.call_card.get_by_label("Code of this call")).to_contain_text("/api/request?wait=30")


def test_hostile_strings_show_as_text_everywhere(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    tab.let_run("add_note")
    for name, args in (
        ("add_note", {"text": HOSTILE, "tags": [HOSTILE]}),
        ("ask_person", {"question": HOSTILE, "choices": [HOSTILE]}),
        ("no-such-tool", {HOSTILE: HOSTILE}),
    ):
        api.post("/api/request", json={"code": code, "tool": name, "args": args}).raise_for_status()
    expect(tab.notes).to_contain_text(HOSTILE)
    expect(tab.question).to_contain_text(HOSTILE)
    expect(tab.line("out", "error")).to_have_count(1)
    tab.shoot("hostile-strings-in-the-tab")

    schema = {"type": "object", "properties": {HOSTILE: {"enum": [HOSTILE], "description": HOSTILE}}}
    tool: dict[str, object] = {"name": "plain", "title": HOSTILE, "description": HOSTILE, "inputSchema": schema}
    agent = open_console("#join=")
    agent.join(offer(api, HOSTILE, [tool]))
    expect(agent.page.locator("#tools")).to_contain_text(HOSTILE)
    expect(agent.page.locator(".call label span")).to_have_text(HOSTILE)
    agent.shoot("hostile-strings-in-the-agent")
    for console in (tab, agent):
        assert console.page.evaluate("window.pwned") is None
        assert console.page.locator("main img, main script").count() == 0


def test_a_tool_is_called_with_the_keyboard_alone(open_console: OpenConsole) -> None:
    tab = open_console()
    tab.wait_online()
    walk_to(tab.page, "#use-own")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("#tools input").first).to_be_focused()
    tab.page.keyboard.press("ArrowDown")
    expect(tab.page.get_by_role("form", name="Arguments of add_note")).to_be_visible()
    walk_to(tab.page, ".call textarea")
    tab.page.keyboard.type("Typed, not clicked")
    walk_to(tab.page, ".call .primary")
    tab.page.keyboard.press("Enter")
    expect(tab.notes).to_contain_text("Typed, not clicked")
    tab.expect_answer('"notes": 1')


def fill_with_life(tab: Console) -> None:
    """Bring about most of what the page can show."""
    tab.wait_online()
    tab.page.get_by_role("button", name="Use this tab’s code").click()
    tab.call("add_note", text="The hut above the lake is open until Sunday.", tags=["route", "hut"])
    tab.expect_answer('"notes": 1')
    tab.call("add_note", text="Snow above 2,300 m: ask before the pass.", kind="warning")
    tab.expect_answer('"notes": 2')
    tab.call("ask_person", question="Shall I book the hut for two nights?", choices=["Yes, two", "One is enough"])
    expect(tab.call_card).to_contain_text("The question is on the page.")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_of_the_console_are_legible_and_every_control_has_a_name(
    open_console: OpenConsole, theme: str
) -> None:
    tab = open_console(color_scheme=theme)
    fill_with_life(tab)
    assert tab.page.evaluate("document.documentElement.dataset.theme") == theme
    tab.entries.first.locator("summary").first.click()
    tab.shoot(f"console-{theme}")
    assert faults(tab.page) == []
    for hue in (32, 140, 240, 320):
        tab.page.evaluate("hue => document.documentElement.style.setProperty('--hue', hue)", hue)
        assert (hue, faults(tab.page)) == (hue, [])


def test_the_button_switches_the_theme_and_a_reload_keeps_it(open_console: OpenConsole) -> None:
    page = open_console("#join=", color_scheme="light").page
    page.get_by_role("button", name="Switch to the dark theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(page.get_by_role("button", name="Switch to the light theme")).to_be_visible()


def test_a_phone_shows_all_of_the_console_without_scrolling_sideways(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
    tab = open_console(**phone)
    fill_with_life(tab)
    tab.let_run("add_note")
    api.post(
        "/api/request", json={"code": tab.code, "tool": "add_note", "args": {"text": "W" * 300, "tags": ["w" * 40]}}
    )
    expect(tab.notes).to_have_count(3)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    tab.shoot("phone-tab")
    agent = open_console("#join=", **phone)
    agent.join(offer(api, "long", [{"name": "x" * 128, "description": "y" * 500, "inputSchema": SCHEMA}]))
    agent.call("x" * 128, title="z" * 40, size="large")
    expect(agent.call_card).to_be_visible()
    assert agent.page.evaluate("document.documentElement.scrollWidth") <= 360
    agent.shoot("phone-agent")


def test_static_files_carry_the_headers_that_keep_other_sites_out(api: httpx.Client) -> None:
    headers = api.get("/").headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert api.get("/waypost.js").headers["access-control-allow-origin"] == "*"
    assert api.get("/waypost.js").headers["content-type"].startswith("text/javascript")
