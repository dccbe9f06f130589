"""Strings that mean harm, in every place where the console shows what others have written.

`test_chat_page` does the same for threads, messages and pages.
"""

import json
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.browser.hostile import HOSTILE, written_out
from tests.browser.steps import offer
from tests.browser.watch import Watch

HOST = """async ([strings, groups]) => {
  const { createSession, Host } = await import("/waypost.js");
  const session = await createSession({ encrypted: true, label: strings[0] });
  const host = new Host(session);
  const say = (value) => new Promise((resolve) => (window.proceed = () => resolve(value)));
  const inputSchema = { type: "object", additionalProperties: false };
  for (const [index, text] of groups.entries()) {
    host.tool({ name: `say-${index}`, inputSchema }, (_args, { progress }) => {
      progress(index % 2 ? { progress: 1, total: 2, message: text } : { [text]: text });
      return say(text);
    });
  }
  host.tool({ name: "list", inputSchema }, () => Object.fromEntries(strings.map((text) => [text, [text]])));
  host.tool({ name: "fail", inputSchema }, () => {
    throw Object.assign(new Error(strings.join("\\n")), { data: strings });
  });
  await host.connect();
  return session.link;
}"""


def texts(found: Locator) -> list[str]:
    """The texts of all that was found, to the letter."""
    return found.evaluate_all("all => all.map((one) => one.textContent)")  # type: ignore[no-any-return]


def verify_harmless(page: Page) -> None:
    """Nothing has run, nothing has become markup, nothing has been styled away."""
    assert page.evaluate("[window.pwned, document.title.includes('pwned')]") == [None, False]
    foreign = "main :is(img, script, style, base, iframe, svg:not(#qr svg, .lock svg), a[href^='javascript' i]), base"
    assert page.locator(foreign).count() == 0
    expect(page.locator("header")).to_be_visible()


def test_what_an_agent_sends_shows_as_text_in_the_tab(open_console: OpenConsole, api: httpx.Client) -> None:
    tab = open_console()
    code = tab.wait_online()
    tab.let_run("add_note", "set_accent")

    def ask(tool: str, args: dict[str, Any]) -> None:
        api.post("/api/request", json={"code": code, "tool": tool, "args": args}).raise_for_status()

    for at in range(0, len(HOSTILE), 6):
        group = HOSTILE[at : at + 6]
        ask("add_note", {"text": group[0], "tags": group[1:]})
        ask("ask_person", {"question": group[1], "choices": group})
    ask("no-such-tool", {text: text for text in HOSTILE})
    ask("set_accent", {"color": "\n".join(HOSTILE)})
    expect(tab.approval).to_contain_text("1 of 5")
    expect(tab.notes).to_have_count(5)
    expect(tab.line("out", "error")).to_have_count(2)
    shown = texts(tab.notes.locator("> p:first-child")) + texts(tab.notes.locator(".tag"))
    assert set(shown) == {text if text in HOSTILE[::6] else text[:40] for text in HOSTILE}
    logged = "".join(texts(tab.line("in").locator(".value")))
    assert all(json.dumps(text, ensure_ascii=False)[1:-1] in logged for text in HOSTILE)
    complaint = "".join(texts(tab.line("out", "error").locator(".value")))
    assert all(json.dumps(text, ensure_ascii=False)[1:-1] in complaint for text in HOSTILE)
    tab.entries.first.locator("summary").first.click()
    tab.shoot("hostile-tab")
    verify_harmless(tab.page)
    choices, questions = set(), set()
    for left in (4, 3, 2, 1, 0):
        choices |= set(texts(tab.question.locator(".choices button")))
        questions |= set(texts(tab.question.locator(".question-text")))
        tab.question.get_by_role("button", name="Decline", exact=True).click()
        expect(tab.page.locator("#approvals-count")).to_have_text(f"1 of {left}" if left > 1 else "")
    assert choices == set(map(written_out, HOSTILE))
    assert questions == set(map(written_out, HOSTILE[1::6]))
    tab.page.reload()
    tab.wait_online()
    expect(tab.notes).to_have_count(5)
    verify_harmless(tab.page)


def test_what_a_tab_offers_shows_as_text_to_the_agent(open_console: OpenConsole, api: httpx.Client) -> None:
    def schema(text: str) -> dict[str, Any]:
        said = {"title": text, "description": text, "examples": [text]}
        properties = {
            text: {"enum": [*HOSTILE], "default": text, **said},
            f"{text} as text": {"type": "string", "default": text, **said},
            f"{text} of no type": {"type": [text, "object"], "default": {text: text}, **said},
            f"{text} as a number": {"type": "number", "minimum": text, "multipleOf": text, **said},
        }
        return {"type": "object", "title": text, "properties": properties, "required": [text]}

    tools: list[dict[str, object]] = [
        {"name": f"tool-{index}", "title": text, "description": text, "inputSchema": schema(text), text: text}
        for index, text in enumerate(HOSTILE)
    ]
    tools.append({"name": "titled", "title": HOSTILE[1]})
    code = offer(api, HOSTILE[1], [{"name": "t"}])
    # The server takes no such schemas from a host: these are what a server could make up.
    session = {**api.get(f"/api/sessions/{code}").json(), "tools": tools}
    agent = open_console("#join=")
    agent.page.route(f"**/api/sessions/{code}", lambda route: route.fulfill(json=session))
    agent.join(code)
    expect(agent.page.locator(".tool")).to_have_count(31)
    assert texts(agent.page.locator(".tool > span > span")) == [*map(written_out, HOSTILE), HOSTILE[1]]
    for index, text in enumerate(HOSTILE):
        shown = written_out(text)
        agent.page.locator(f'#tools input[value="tool-{index}"]').check()
        form = agent.page.get_by_role("form", name=f"Arguments of tool-{index}", exact=True)
        expect(form).to_be_visible()
        names = [shown, f"{shown} as text", f"{shown} of no type", f"{shown} as a number"]
        assert texts(form.locator("label > span")) == names
        assert texts(form.locator("option")) == [*map(written_out, HOSTILE)]
        assert texts(form.locator(".hint")) == [shown] * 4
        assert texts(form.locator(".type"))[1] == f"{shown} or object"
        assert form.locator("textarea").first.input_value().replace("\r", "") == text
        assert form.locator("select").evaluate("select => select.selectedOptions[0].textContent") == shown
    agent.shoot("hostile-agent")
    verify_harmless(agent.page)


def test_what_a_tab_answers_shows_as_text_to_the_agent(open_console: OpenConsole) -> None:
    tab = open_console("#join=")
    groups = [" ".join(HOSTILE[at : at + 6]) for at in range(0, len(HOSTILE), 6)]
    link: str = tab.page.evaluate(HOST, [HOSTILE, groups])
    agent = open_console(link.removeprefix(f"{tab.url}/"))
    expect(agent.page.locator(".tool")).to_have_count(len(groups) + 2)
    for index, text in enumerate(groups):
        agent.call(f"say-{index}")
        expect(agent.call_card.locator(".hint")).to_have_js_property("textContent", said_on_the_way(index, text))
        tab.page.evaluate("window.proceed()")
        expect(agent.call_card.get_by_label("Answer")).to_have_js_property("textContent", text)
    agent.call("list")
    agent.expect_answer("zero")
    assert shown(agent) == ([*HOSTILE], [*HOSTILE])
    agent.call("fail")
    agent.expect_answer("tool_error")
    assert shown(agent) == (["code", "message", "data"], ["tool_error", "\n".join(HOSTILE), *HOSTILE])
    agent.shoot("hostile-answers")
    verify_harmless(agent.page)


def shown(agent: Console) -> tuple[list[str], list[str]]:
    """The names of members and the texts in the JSON of the agent's latest answer."""
    answer = agent.call_card.get_by_label("Answer")
    names = [json.loads(name.removesuffix(": ")) for name in texts(answer.locator(".json-key")) if name]
    return names, [json.loads(text) for text in texts(answer.locator("bdi"))]


def said_on_the_way(index: int, text: str) -> str:
    """How the card shows the progress with `text`."""
    quoted = json.dumps(text, ensure_ascii=False)
    return text if index % 2 else f"{{ {quoted}: {quoted} }}"


def test_what_the_address_and_the_server_say_shows_as_text(open_console: OpenConsole, watch: Watch) -> None:
    watch.expects_network_errors = True
    page = open_console("#join=").page
    everything = " ".join(HOSTILE)
    said = [everything]

    def refuse(route: Route) -> None:
        problem = {"code": said[-1], "title": said[-1], "detail": said[-1], "status": 400}
        route.fulfill(status=400, content_type="application/problem+json", body=json.dumps(problem))

    limits = {"threadHistoryLimit": everything}
    health = {"storage": "kv", "version": everything, "model": everything, "limits": limits}
    page.route("**/api/**", refuse)
    page.route("**/health", lambda route: route.fulfill(json=health))
    page.reload()
    expect(page.locator("#health")).to_have_js_property("textContent", f"Workers KV · v{everything}")
    kept = f"The last {everything} messages of a thread are kept."
    expect(page.locator("#kept-hint")).to_have_js_property("textContent", kept)
    verify_harmless(page)
    for number, text in enumerate(HOSTILE):
        said.append(text)
        page.evaluate("text => { location.hash = `join=${encodeURIComponent(text)}` }", text)
        expect(page.locator("#agent-banner")).to_be_visible()
        verify_harmless(page)
        page.evaluate("code => { location.hash = `join=${code}` }", f"{number:08}")
        expect(page.locator("#agent-banner")).to_have_js_property("textContent", text)
        verify_harmless(page)
    for text in HOSTILE:
        said.append(text)
        page.evaluate("text => { location.hash = `chat=${encodeURIComponent(text)}` }", text)
        expect(page.locator("#chat-banner")).to_have_js_property("textContent", text)
        verify_harmless(page)
