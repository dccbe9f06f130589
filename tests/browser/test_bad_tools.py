"""A tab with a bad tool: the bad one is named, the good ones go on, at connect, while connected and after a cut."""

import json

import httpx
from playwright.sync_api import Route

from tests.browser.conftest import OpenConsole
from tests.browser.watch import Watch
from tests.support.waiting import eventually

TAB = """async () => {
  const usual = window.fetch;
  window.fetch = async (...sent) => {
    const response = await usual(...sent);
    if (!`${sent[0]}`.includes("/api/stream")) return response;
    const cuttable = new TransformStream({ start: (side) => (window.cut = () => side.error(new TypeError("cut"))) });
    return new Response(response.body.pipeThrough(cuttable), response);
  };
  const { createSession, Host } = await import("/waypost.js");
  const host = (window.host = new Host(await createSession()));
  window.errors = [];
  window.states = [];
  host.on("error", ({ error }) => window.errors.push(error.message));
  host.on("state", ({ state }) => window.states.push(state));
  window.until = (holds) =>
    new Promise((resolve, reject) => {
      const timer = setInterval(() => holds() && (clearInterval(timer), resolve()), 20);
      setTimeout(() => reject(new Error(`not within 30 s: ${holds}`)), 30_000);
    });
  window.offer = (definition) => {
    try {
      host.tool(definition, () => `from ${definition.name}`);
      return "offered";
    } catch (error) {
      return `${error.code}: ${error.message}`;
    }
  };
  const said = [
    { name: "good", description: "Sale now on 🎉🎉🎉".slice(0, 15) },
    { name: "notes:list" },
    { name: "löschen" },
    { name: "nothing", inputSchema: null, description: null },
    { name: "list", inputSchema: { type: "array" } },
    { name: "big", _meta: { n: 1n } },
    { name: "second" },
  ].map(window.offer);
  await host.connect();
  return [host.session.code, said];
}"""


def test_bad_tools_are_refused_by_name_and_the_others_go_on(
    open_console: OpenConsole, api: httpx.Client, watch: Watch
) -> None:
    page = open_console("docs/").page
    code, said = page.evaluate(TAB)

    def offered() -> list[str]:
        return [tool["name"] for tool in api.get(f"/api/sessions/{code}").json()["tools"]]

    def call(tool: str) -> object:
        reply = api.post("/api/request?wait=30", json={"code": code, "tool": tool})
        assert reply.status_code == 200, reply.text
        return reply.json().get("result")

    def cut() -> None:
        before = page.evaluate("window.states.push('cut')")
        page.evaluate("window.cut()")
        page.evaluate(f"window.until(() => window.states.slice({before}).includes('online'))")

    assert [words.partition(". ")[0][:48] for words in said] == [
        "offered",
        'invalid_tool: The tool "notes:list": /name must ',
        'invalid_tool: The tool "löschen": /name must be ',
        "offered",
        'invalid_tool: The tool "list": /inputSchema/type',
        'invalid_tool: The tool "big": its definition is ',
        "offered",
    ]
    assert offered() == ["good", "nothing", "second"]
    assert api.get(f"/api/sessions/{code}").json()["tools"][0]["description"] == "Sale now on 🎉\ufffd"
    assert call("second") == "from second"

    # A server with other rules than the page's client: the definition becomes a bad one on its way.
    watch.expects_network_errors = True

    def spoil(route: Route) -> None:
        body = route.request.post_data_json
        for tool in body["tools"]:
            if tool["name"] == "late":
                tool["title"] = 5
        route.continue_(post_data=json.dumps(body))

    page.route("**/api/sessions/*/tools", spoil)
    page.evaluate("[{ name: 'late' }, { name: 'later' }].map(window.offer)")
    page.evaluate("window.until(() => window.errors.length > 0)")
    assert page.evaluate("window.errors") == ['The tool "late": /title must be a string.']
    assert call("later") == "from later"
    eventually(lambda: offered() == ["good", "nothing", "second", "later"])
    cut()
    assert call("good") == "from good"

    # A list that is refused without naming a tool.
    page.unroute("**/api/sessions/*/tools")
    problem = {"status": 413, "code": "body_too_large", "detail": "A body may have 10 bytes."}
    page.route("**/api/sessions/*/tools", lambda route: route.fulfill(status=413, json=problem))
    page.evaluate("window.offer({ name: 'last' })")
    page.evaluate("window.until(() => window.errors.length > 1)")
    cut()
    assert call("good") == "from good"
    assert offered() == ["good", "nothing", "second", "later"]
    assert page.evaluate("window.host.state.state") == "online"
    assert page.evaluate("window.errors.slice(1)") == ["A body may have 10 bytes."]
