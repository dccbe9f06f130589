"""A generated page means harm: it reaches for what this origin keeps in the browser, and calls the API.

Each test is run twice: with the page as it is served, where everything must be refused; and with the same HTML served
without headers, where everything must get through. The second shows that the first would notice. What the page says of
itself is held against the server's log and the documents that are there afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page, Route, expect

from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker

HTML = (Path(__file__).parent / "intruder.html").read_text()
VICTIM = """<!doctype html><title>victim</title>
<script>
  localStorage.setItem("secret", "s");
  const channel = new BroadcastChannel("victim");
  channel.onmessage = ({ data }) => data === "ping" && channel.postMessage("pong");
</script>"""

FRAME = """(src) => new Promise((onload) => {
  document.body.append(Object.assign(document.createElement("iframe"), { src, onload }));
})"""

NEVER_THROUGH = {"WebSocket"}
"""The server speaks none; the browser reports whether the page asked for one."""

UNAWARE = {"a beacon"}
"""A page does not learn that its beacon was not sent."""

LOUD = {"beacon", "form", "no-cors"}
"""What stands in the server's log when it gets through."""

WRITTEN = {"by-fetch", "by-worker", "by-xhr"}
"""The documents that are there when it gets through."""

WORKING = """<!doctype html><style>p { color: rgb(1, 2, 3) }</style><p id=report></p>
<form><button id=send>Send</button></form>
<img src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='7' height='7'/%3E">
<script>
  document.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    document.querySelector("p").textContent = "submitted";
  });
</script>"""

LEADER = """<!doctype html><button>Go</button><p id=report></p><script>
  document.querySelector("button").addEventListener("click", () => {
    try { (window.opener ?? window.top).location.href = "/led-away"; } catch { }
    document.querySelector("#report").textContent = "tried";
  });
</script>"""


@dataclass
class Stage:
    """A browser with a user's window of this origin, and an untrusted page."""

    context: BrowserContext
    worker: LocalWorker
    api: httpx.Client
    session_id: str
    intent_id: str
    sockets: list[str]
    """Addresses of the WebSockets that pages asked for."""
    framed: list[str]
    """Addresses of what pages put into frames."""

    def put(self, html: str) -> None:
        """Store the page."""
        body = {"html": html, "sessionId": self.session_id}
        self.api.put(f"/api/pages/{self.intent_id}", json=body).raise_for_status()

    def serve_without_headers(self, html: str) -> None:
        """The control: pages served like any other file."""
        self.context.route(
            f"{self.worker.url}/pages/*", lambda route: route.fulfill(body=html, content_type="text/html")
        )

    def victim(self) -> Page:
        """A window of this origin, with something to lose."""
        page = self.context.new_page()
        page.goto(f"{self.worker.url}/victim")
        return page

    def show(self, victim: Page, how: str) -> Page | FrameLocator:
        """The untrusted page, in a frame of the victim or in a window of its own."""
        path = f"/pages/{self.intent_id}"
        if how == "in a frame":
            victim.evaluate(FRAME, path)
            return victim.frame_locator("iframe")
        with self.context.expect_page() as opened:
            victim.evaluate("path => { open(path) }", path)
        return opened.value

    def reached(self, folder: str) -> set[str]:
        """The last part of each path below `folder` that the server was asked for until now."""
        end = f"{folder}/end-{uuid4()}"
        self.api.get(end)
        log = eventually(lambda: text if f"GET {end} " in (text := self.worker.log_text()) else "")
        return {name for name in re.findall(rf" {folder}/(\S+) ", log) if not name.startswith("end-")}


@pytest.fixture
def stage(browser: Browser, worker: LocalWorker, api: httpx.Client) -> Iterator[Stage]:
    context = browser.new_context()
    context.add_cookies([{"name": "secret", "value": "s", "url": worker.url}])
    context.route(f"{worker.url}/victim", lambda route: route.fulfill(body=VICTIM, content_type="text/html"))
    context.route(f"{worker.url}/led-away", lambda route: route.fulfill(body="gone", content_type="text/html"))
    stage = Stage(context, worker, api, str(uuid4()), str(uuid4()), [], [])

    def frame(route: Route) -> None:
        stage.framed.append(route.request.url)
        route.fulfill(body="framed", content_type="text/html")

    context.route(f"{worker.url}/framed", frame)
    context.on("page", lambda page: page.on("websocket", lambda socket: stage.sockets.append(socket.url)))
    yield stage
    context.close()


class Blank(BaseHTTPRequestHandler):
    """Answers with an empty page that nothing is forbidden to."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of another site's page. It is on this machine: browsers keep pages of other machines away from it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Blank) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://waypost.local:{server.server_port}/"
        server.shutdown()
        thread.join()


def report_of(shown: Page | FrameLocator) -> Locator:
    """Where the page says how it went, once it knows."""
    report = shown.locator("#report")
    expect(report).not_to_be_empty()
    return report


both_ways = pytest.mark.parametrize("how", ["in a frame", "in a window"])
with_control = pytest.mark.parametrize("control", [False, True], ids=["as it is served", "without its headers"])


@both_ways
@with_control
def test_a_page_reaches_neither_the_browsers_storage_nor_the_api(stage: Stage, how: str, control: bool) -> None:
    folder = f"/api/tries/{uuid4()}"
    session = stage.api.post("/api/sessions", json={}).raise_for_status().json()
    documents = f"/api/sessions/{stage.session_id}/documents"
    values = {"tries": folder, "documents": documents, "stream": f"/api/stream?code={session['code']}"}
    html = HTML.replace("$SETTINGS", json.dumps(values))
    stage.put(html)
    if control:
        stage.serve_without_headers(html)

    outcomes = json.loads(report_of(stage.show(stage.victim(), how)).text_content() or "")
    through = {name for name, outcome in outcomes.items() if outcome == "through"}
    assert through == (set(outcomes) - NEVER_THROUGH if control else UNAWARE), outcomes
    assert stage.reached(folder) == (LOUD if control else set())
    assert len(stage.sockets) == (1 if control else 0)
    assert len(stage.framed) == (1 if control else 0)
    written = {document["name"] for document in stage.api.get(documents).json()["documents"]}
    assert written == (WRITTEN if control else set())
    planted = {cookie["name"] for cookie in stage.context.cookies()} - {"secret"}
    assert planted == ({"planted"} if control else set())


@both_ways
@with_control
def test_a_page_can_not_navigate_the_window_that_shows_it(stage: Stage, how: str, control: bool) -> None:
    stage.put(LEADER)
    if control:
        stage.serve_without_headers(LEADER)
    victim = stage.victim()
    shown = stage.show(victim, how)
    # Without a person's click, browsers refuse by themselves.
    shown.locator("button").click()
    if control:
        victim.wait_for_url("**/led-away")
    else:
        report_of(shown)
        # A navigation that was begun would be done before this one.
        victim.evaluate("location.hash = 'still-here'")
        assert victim.url == f"{stage.worker.url}/victim#still-here"
        assert victim.title() == "victim"


def test_a_page_runs_its_own_scripts_and_styles(stage: Stage) -> None:
    stage.put(WORKING)
    page = stage.context.new_page()
    page.goto(f"{stage.worker.url}/pages/{stage.intent_id}")
    page.locator("#send").click()
    expect(page.locator("#report")).to_have_text("submitted")
    expect(page.locator("#report")).to_have_css("color", "rgb(1, 2, 3)")
    assert page.evaluate("document.images[0].naturalWidth") == 7


@with_control
def test_a_page_is_shown_in_frames_of_this_origin_only(stage: Stage, elsewhere: str, control: bool) -> None:
    html = "<p id=report>shown</p>"
    stage.put(html)
    if control:
        stage.serve_without_headers(html)
    page = stage.context.new_page()
    page.goto(elsewhere)
    page.evaluate(FRAME, f"{stage.worker.url}/pages/{stage.intent_id}")
    assert page.frame_locator("iframe").locator("#report").count() == (1 if control else 0)
    assert report_of(stage.show(stage.victim(), "in a frame")).text_content() == "shown"
