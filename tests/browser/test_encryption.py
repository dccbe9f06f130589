"""Encrypted sessions: in the console, between two browsers, and the absence of plaintext on the server."""

import base64
import json
import secrets

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.audit import both_themes, faults
from tests.browser.conftest import OpenConsole
from tests.browser.steps import PHONE, open_encrypted
from tests.browser.traces import spellings, traces
from tests.browser.watch import Watch
from tools.local.harness.worker import LocalWorker

IN_A_WHILE = "2100-01-01T00:00:00.000Z"

HOST = """async ([encrypted, words]) => {
  const { createSession, Host } = await import("/waypost.js");
  const session = await createSession({ encrypted });
  const host = new Host(session);
  host.tool({ name: "walk" }, async (_args, { progress }) => {
    progress({ message: words.progress });
    await new Promise((resolve) => (window.arrive = resolve));
    return { at: words.result };
  });
  host.tool({ name: "fall" }, () => {
    throw Object.assign(new Error(words.error), { data: { why: words.data } });
  });
  await host.connect();
  return session.link;
}"""

JOIN = """async ([link, args]) => {
  const { joinSession } = await import("/waypost.js");
  const guest = (window.guest = await joinSession(link));
  const progress = new Promise((resolve) => {
    window.call = guest.call("walk", { to: args }, { onProgress: resolve });
  });
  return (await progress).message;
}"""

FALL = """async () => {
  const { code, message, data, authenticated } = await window.guest.call("fall").catch((error) => error);
  return { code, message, data, authenticated };
}"""


@pytest.mark.parametrize("encrypted", [True, False], ids=["encrypted", "in the clear"])
def test_the_server_stores_no_plaintext_of_an_encrypted_session(
    browser: Browser, worker: LocalWorker, watch: Watch, encrypted: bool
) -> None:
    # In the clear each word must be found: that is how the search shows that it would find it.
    words = {part: f"Hütte {part} {secrets.token_hex(8)}" for part in ("args", "progress", "result", "error", "data")}
    contexts = [browser.new_context() for _ in range(2)]
    sent: list[str] = []
    for context in contexts:
        watch.follow(context, worker.url)
        context.on("request", lambda request: sent.append(f"{request.url} {request.headers} {request.post_data}"))
    found: dict[str, list[str]] = {name: [] for name in words}

    def search() -> None:
        for name, word in words.items():
            found[name] += traces(word, worker.state, worker.log_text())

    tab, agent = (_page(context, worker) for context in contexts)
    link = tab.evaluate(HOST, [encrypted, words])
    assert agent.evaluate(JOIN, [link, words["args"]]) == words["progress"]
    search()
    tab.evaluate("window.arrive()")
    assert agent.evaluate("window.call") == {"at": words["result"]}
    search()
    error = {"code": "tool_error", "message": words["error"], "data": {"why": words["data"]}}
    assert agent.evaluate(FALL) == {**error, "authenticated": encrypted}
    search()
    for context in contexts:
        context.close()

    assert {name for name, places in found.items() if places} == (set() if encrypted else set(words)), found
    in_requests = {
        name for name, word in words.items() if any(needle in "\n".join(sent).encode() for needle in spellings(word))
    }
    assert in_requests == (set() if encrypted else set(words))
    if encrypted:
        key = link.partition("&key=")[2]
        assert len(key) == 43
        assert traces(key, worker.state, worker.log_text()) == []
        assert key not in "\n".join(sent)


def _page(context: BrowserContext, worker: LocalWorker) -> Page:
    page = context.new_page()
    page.goto(f"{worker.url}/#join=")
    return page


def test_the_search_finds_a_text_however_it_is_written() -> None:
    text = "Grüße/aus?der>Hütte"
    for before in ("", "a", "ab", "abc"):
        whole = f"{before}{text}, and more"
        for data in (whole.encode(), whole.encode("utf-16-le"), json.dumps(whole).encode()):
            for written in (data, base64.b64encode(data), base64.urlsafe_b64encode(data)):
                assert any(needle in written for needle in spellings(text)), (before, written)


def test_a_phone_calls_an_encrypted_tab_through_its_link_and_keeps_the_key_over_a_reload(
    open_console: OpenConsole,
) -> None:
    tab = open_console()
    link = open_encrypted(tab)
    tab.let_run("add_note")
    code = tab.code
    assert link.startswith(f"{tab.url}/#join={code}&key=")
    tab.page.get_by_role("tab", name="Terminal").click()
    expect(tab.page.get_by_role("tabpanel", name="Terminal")).to_contain_text("can’t encrypt")
    expect(tab.page.locator("#curl")).to_be_hidden()
    expect(tab.page.locator("#copy-code")).to_be_hidden()
    phone = open_console(link.removeprefix(f"{tab.url}/"), **PHONE)
    expect(phone.page.locator("#tools input")).to_have_count(3)
    # The key is gone from the address, so that neither the screen nor the history shows it.
    assert phone.page.url == f"{tab.url}/#join={code}"
    expect(phone.page.locator("#agent-lock")).to_be_visible()
    assert phone.page.get_by_label("Session code or link").input_value() == f"{code[:4]}-{code[4:]}"
    phone.call("add_note", text="Read by two alone")
    phone.expect_answer('"notes": 1')
    expect(tab.notes).to_contain_text("Read by two alone")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360
    phone.shoot("encrypted-phone")
    phone.page.reload()
    expect(phone.page.locator("#agent-lock")).to_be_visible()
    phone.call("ask_person", question="Still there?")
    tab.page.get_by_label("Your answer").fill("Still here")
    tab.page.get_by_role("button", name="Answer").click()
    phone.expect_answer("Still here")
    assert link.partition("&key=")[2] not in phone.page.content()


def test_a_reload_of_the_tab_keeps_its_encrypted_session(open_console: OpenConsole) -> None:
    tab = open_console()
    link = open_encrypted(tab)
    tab.page.reload()
    tab.wait_online()
    assert tab.link == link
    expect(tab.page.locator("#tab-lock")).to_be_visible()
    tab.page.get_by_role("button", name="Use this tab’s code").click()
    tab.call("add_note", text="After the reload")
    tab.expect_answer('"notes": 1')
    expect(tab.line("in")).to_contain_text("After the reload")


def test_joining_an_encrypted_session_with_its_code_alone_explains_what_is_missing(open_console: OpenConsole) -> None:
    tab = open_console()
    link = open_encrypted(tab)
    tab.let_run("set_accent")
    agent = open_console(f"#join={tab.code}")
    expect(agent.page.locator("#agent-banner")).to_contain_text("its code alone is not enough")
    expect(agent.page.locator("#joined")).to_be_hidden()
    agent.shoot("encrypted-code-alone")
    # A pasted link brings the key, and leaves the code alone in the field.
    agent.join(link)
    assert agent.page.get_by_label("Session code or link").input_value().replace("-", "") == tab.code
    expect(agent.page.locator("#agent-banner")).to_be_hidden()
    agent.call("set_accent", color="moss")
    agent.expect_answer('"hue": 140')


def test_a_link_with_a_wrong_or_damaged_key_shows_an_error(open_console: OpenConsole) -> None:
    tab = open_console()
    link = open_encrypted(tab)
    other = link[:-43] + ("A" if link[-43] != "A" else "B") + link[-42:]
    agent = open_console(other.removeprefix(f"{tab.url}/"))
    agent.call("add_note", text="Nobody can read this")
    agent.expect_answer("can't be decrypted")
    expect(agent.call_card.locator(".pill")).to_have_text("Could not be decrypted")
    expect(tab.notes).to_have_count(0)
    expect(tab.line("out", "error")).to_have_count(1)
    agent.shoot("encrypted-wrong-key")
    damaged = open_console(link[:-1].removeprefix(f"{tab.url}/"))
    expect(damaged.page.locator("#agent-banner")).to_contain_text("key is damaged")
    assert link[-43:-1] not in damaged.page.content()


def test_an_unencrypted_request_is_refused(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    open_encrypted(tab)
    body = {"code": tab.code, "tool": "add_note", "args": {"text": "In the clear"}}
    assert api.post("/api/request?wait=20", json=body).json()["error"]["code"] == "encryption_required"
    expect(tab.notes).to_have_count(0)


def test_without_https_the_switch_says_why_it_can_not_be_used(open_at: OpenConsole, worker: LocalWorker) -> None:
    tab = open_at(f"http://waypost.local:{worker.port}")
    tab.wait_online()
    expect(tab.page.get_by_role("switch", name="Encrypt the next session")).to_be_disabled()
    expect(tab.page.locator("#encrypt-help")).to_contain_text("over HTTPS and on localhost only")
    agent = open_at(f"http://waypost.local:{worker.port}", f"#join={tab.code}&key={'A' * 43}")
    expect(agent.page.locator("#agent-banner")).to_contain_text("This page can't encrypt")


def test_an_encrypted_session_is_legible_in_both_themes(open_console: OpenConsole) -> None:
    tab = open_console()
    open_encrypted(tab)
    tab.page.get_by_role("button", name="Use this tab’s code").click()
    tab.call("add_note", text="The hut above the lake is open until Sunday.")
    tab.expect_answer('"notes": 1')
    for theme in both_themes(tab.page):
        tab.shoot(f"encrypted-{theme}")
        assert (theme, faults(tab.page)) == (theme, [])


def test_a_phone_shows_an_encrypted_tab_without_scrolling_sideways(open_console: OpenConsole) -> None:
    tab = open_console(**PHONE)
    open_encrypted(tab)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
    tab.shoot("encrypted-tab-phone")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "phone"])
def test_a_code_of_sixteen_characters_is_shown_whole(
    open_at: OpenConsole, worker: LocalWorker, watch: Watch, options: dict[str, object]
) -> None:
    watch.expects_network_errors = True
    tab = open_at(worker.url, "#join=", **options)
    session = {"code": "W7Q2M9XAWWWWMMMM", "hostToken": "h", "createdAt": IN_A_WHILE, "expiresAt": IN_A_WHILE}
    tab.page.route("**/api/sessions", lambda route: route.fulfill(status=201, json=session))
    tab.page.route("**/api/sessions/*/tools", lambda route: route.abort())
    tab.page.get_by_role("button", name="Start a session in this tab too").click()
    expect(tab.page.locator("#code")).to_have_text("W7Q2-M9XA-WWWW-MMMM")
    assert tab.code == session["code"]
    inside = "code => code.scrollWidth <= code.clientWidth && document.documentElement.scrollWidth <= innerWidth"
    assert tab.page.locator("#code").evaluate(inside)
    tab.shoot(f"code-of-sixteen-{tab.page.viewport_size['width']}")  # type: ignore[index]


FILL = """() => {
  let size = 1 << 22;
  for (let text = ""; size >= 1; ) {
    try {
      sessionStorage.setItem("ballast", text + "x".repeat(size));
      text += "x".repeat(size);
    } catch {
      size >>= 1;
    }
  }
  return sessionStorage.getItem("ballast").length;
}"""
"""Fills the tab's storage to the last character."""


def test_an_encrypted_tab_remembers_what_it_ran_in_a_storage_that_is_full(open_console: OpenConsole) -> None:
    tab = open_console()
    link = open_encrypted(tab)
    tab.let_run("set_accent")
    assert tab.page.evaluate(FILL) > 1_000_000
    phone = open_console(link.removeprefix(f"{tab.url}/"), **PHONE)
    for hue in ("10", "20"):
        phone.call("set_accent", hue=hue)
        phone.expect_answer(f'"hue": {hue}')
    keys = "Object.keys(sessionStorage).filter((key) => key.startsWith('waypost.seen.'))"
    ids = tab.page.evaluate(f"{keys}.map((key) => sessionStorage.getItem(key))")
    assert sorted(len(text) for text in ids)[-1] == 2 * 32 + 1
