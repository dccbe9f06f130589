"""Failures between a request and its answer lose nothing."""

import httpx
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenConsole
from tests.browser.watch import Watch
from tools.local.harness.worker import LocalWorker

ENDING_STREAMS = """
    // `endStream()` ends the event stream as the server does in its turn, six seconds later by the page's clock.
    const realFetch = fetch, realNow = Date.now;
    let aheadMs = 0;
    Date.now = () => realNow() + aheadMs;
    window.streams = 0;
    window.fetch = async (url, init) => {
        const response = await realFetch(url, init);
        if (!`${url}`.includes("/api/stream?") || !response.ok) return response;
        const reader = response.body.getReader();
        const body = new ReadableStream({
            async start(controller) {
                window.endStream = () => { aheadMs += 6000; controller.close(); reader.cancel(); };
                for (;;) {
                    const { done, value } = await reader.read();
                    if (done) return;
                    controller.enqueue(value);
                }
            },
        });
        window.streams += 1;
        return new Response(body, { headers: response.headers });
    };
"""

NOTED_STATES = """
    window.shown = [];
    const note = () => shown.push(document.getElementById("tab-state").textContent.trim()
        + (document.getElementById("tab-banner").hidden ? "" : " with a banner"));
    note();
    const changes = { childList: true, characterData: true, attributes: true, subtree: true };
    const observer = new MutationObserver(note);
    for (const id of ["tab-state", "tab-banner"]) observer.observe(document.getElementById(id), changes);
"""


def test_a_reload_in_the_middle_of_a_call_loses_nothing(open_console: OpenConsole, watch: Watch) -> None:
    watch.expects_network_errors = True
    tab = open_console()
    code = tab.wait_online()
    agent = open_console("#join=")
    agent.join(code)
    agent.call("ask_person", question="Before or after?")
    expect(tab.question).to_be_visible()
    tab.page.reload()
    assert tab.wait_online() == code
    expect(tab.line("in", "replay")).to_have_count(1)
    expect(tab.question).to_have_count(1)
    tab.page.get_by_label("Your answer").fill("After")
    tab.page.get_by_role("button", name="Answer").click()
    agent.expect_answer('"answer": "After"')


def test_the_worker_is_killed_between_request_and_answer_and_the_call_completes_once(
    open_at: OpenConsole, own_worker: LocalWorker, watch: Watch
) -> None:
    watch.expects_network_errors = True
    tab = open_at(own_worker.url)
    code = tab.wait_online()
    body = {"code": code, "tool": "ask_person", "args": {"question": "Still standing?"}, "id": "the-call"}
    with httpx.Client(base_url=own_worker.url, timeout=120, trust_env=False) as api:
        assert api.post("/api/request", json=body).status_code == 202
        expect(tab.question).to_be_visible()
        own_worker.kill()
        expect(tab.state).to_have_text("Reconnecting")
        tab.page.get_by_label("Your answer").fill("Standing")
        tab.page.get_by_role("button", name="Answer").click()
        expect(tab.line("note", "error").first).to_be_attached()
        tab.shoot("worker-killed")
        own_worker.restart()
        tab.wait_online()
        reply = api.post("/api/request?wait=30", json=body)
    assert reply.status_code == 200
    assert reply.json()["result"]["answer"] == "Standing"
    assert tab.code == code
    # One run: every later delivery is a repeat, and one handler only has taken time.
    assert tab.line("in").count() == 1 + tab.line("in", "repeat").count()
    expect(tab.line("out", "took")).to_have_count(1)
    expect(tab.question).to_have_count(0)


def test_a_request_sent_while_the_tab_was_offline_is_answered_when_it_reconnects(
    open_console: OpenConsole, api: httpx.Client, watch: Watch
) -> None:
    watch.expects_network_errors = True
    tab = open_console()
    code = tab.wait_online()
    tab.let_run("add_note")
    tab.page.context.set_offline(True)
    expect(tab.state).to_have_text("Offline")
    # This kind of offline cuts no stream that is open; a sign of another network makes the client leave it.
    tab.page.evaluate("dispatchEvent(new Event('online'))")
    expect(tab.state).to_have_text("Offline")
    expect(tab.banner).to_contain_text("Your browser is offline")
    tab.shoot("offline")
    body = {"code": code, "tool": "add_note", "args": {"text": "While you were out"}, "id": "while-offline"}
    assert api.post("/api/request", json=body).status_code == 202
    tab.page.context.set_offline(False)
    tab.wait_online()
    expect(tab.notes).to_contain_text("While you were out")
    assert api.post("/api/request?wait=10", json=body).json()["result"] == {"notes": 1}
    expect(tab.notes).to_have_count(1)


def test_an_answer_made_offline_is_sent_when_the_network_is_back(
    open_console: OpenConsole, api: httpx.Client, watch: Watch
) -> None:
    watch.expects_network_errors = True
    tab = open_console()
    code = tab.wait_online()
    body = {"code": code, "tool": "ask_person", "args": {"question": "Now?"}, "id": "answered-offline"}
    api.post("/api/request", json=body)
    tab.page.get_by_label("Your answer").fill("Now")
    expect(tab.line("out", "progress")).to_have_count(2)
    tab.page.context.set_offline(True)
    tab.page.get_by_role("button", name="Answer").click()
    expect(tab.line("note", "error").first).to_be_attached()
    tab.page.context.set_offline(False)
    assert api.post("/api/request?wait=30", json=body).json()["result"]["answer"] == "Now"


def test_a_background_tab_reconnects_immediately_when_it_wakes(open_console: OpenConsole, watch: Watch) -> None:
    watch.expects_network_errors = True
    tab = open_console()
    tab.wait_online()
    page = tab.page

    def refuse(route: Route) -> None:
        route.fulfill(
            status=503, headers={"Retry-After": "600"}, json={"code": "storage_unavailable", "detail": "Not now."}
        )

    page.route("**/api/stream?*", refuse)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(tab.state).to_have_text("Reconnecting")
    expect(tab.banner).to_contain_text("Not now.")
    page.unroute("**/api/stream?*")
    # Ten minutes were asked for; the tab comes into view now.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    tab.wait_online()
    expect(tab.banner).to_be_hidden()


def test_streams_that_end_in_their_turn_are_not_seen_and_run_nothing_twice(
    open_console: OpenConsole, api: httpx.Client
) -> None:
    tab = open_console()
    tab.wait_online()
    page = tab.page
    page.add_init_script(ENDING_STREAMS)
    page.reload()
    code = tab.wait_online()
    page.evaluate(NOTED_STATES)
    body = {"code": code, "tool": "ask_person", "args": {"question": "Still the same?"}, "id": "over-three-streams"}
    assert api.post("/api/request", json=body).status_code == 202
    expect(tab.question).to_be_visible()
    for number in range(2, 5):
        page.evaluate("endStream()")
        page.wait_for_function(f"() => streams === {number}")
        # Delivered again by the new stream.
        expect(tab.line("in", "repeat")).to_have_count(number - 1)
    expect(tab.question).to_have_count(1)
    page.get_by_label("Your answer").fill("The same")
    page.get_by_role("button", name="Answer").click()
    assert api.post("/api/request?wait=30", json=body).json()["result"]["answer"] == "The same"
    expect(tab.line("out", "took")).to_have_count(1)
    assert set(page.evaluate("shown")) == {"Online"}


def test_a_copy_of_the_tab_opens_a_session_of_its_own(open_console: OpenConsole) -> None:
    tab = open_console()
    code = tab.wait_online()
    stored = tab.page.evaluate("sessionStorage.getItem('waypost.session')")
    copy = tab.page.context.new_page()
    copy.add_init_script(
        f"sessionStorage.getItem('waypost.session') || sessionStorage.setItem('waypost.session', {stored!r})"
    )
    copy.goto(tab.url)
    expect(copy.locator("#tab-state")).to_have_text("Online")
    assert copy.locator("#code").text_content() not in (f"{code[:4]}-{code[4:]}", None)


def test_an_unreachable_server_is_reported_and_retried(open_at: OpenConsole, worker: LocalWorker, watch: Watch) -> None:
    watch.expects_network_errors = True
    tab = open_at(worker.url, "#join=")
    tab.page.route("**/api/sessions", lambda route: route.abort())
    tab.page.get_by_role("button", name="Start a session in this tab too").click()
    expect(tab.banner).to_contain_text("The server can't be reached.")
    tab.shoot("server-out-of-reach")
    tab.page.unroute("**/api/sessions")
    tab.wait_online()
    expect(tab.banner).to_be_hidden()
