"""A page of another site has its visitor's browser load wrong codes: the visitor's budget is not touched by it.

Each way is tried with many more codes than an address may get wrong in a minute. That the browser did send them stands
in the server's log; that so many would have locked the visitor out, the control at the end shows.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from urllib.parse import quote, unquote

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker
from waypost_worker.ids import CROCKFORD

CODES = 24
NUMBERS = count()

WAYS = {
    "images": "(urls) => { for (const url of urls) new Image().src = url; }",
    "prefetch": """(urls) => {
      const script = Object.assign(document.createElement("script"), { type: "speculationrules" });
      script.textContent = JSON.stringify({ prefetch: [{ source: "list", urls, eagerness: "immediate" }] });
      document.head.append(script);
    }""",
    "broken-off navigations": """(urls) => {
      let at = 0;
      const next = () => { location.href = urls[at++ % urls.length]; if (at < 200) setTimeout(next, 3); };
      // Once the page itself has come, which the test waits for.
      setTimeout(next, 300);
    }""",
    "a popup": """(urls) => {
      document.querySelector("button").onclick = () => {
        const popup = window.open(urls[0]);
        let at = 1;
        setInterval(() => { if (at < urls.length) popup.location = urls[at++]; }, 60);
      };
    }""",
}
"""What the page does with the addresses; only the popup needs a click."""


class Bait(BaseHTTPRequestHandler):
    """A page of a stranger that runs its query as a script. A script that a test evaluates would count as a click."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        script = unquote(self.path.partition("?")[2])
        self.wfile.write(f"<!doctype html><title>bait</title><button>Prize</button><script>{script}</script>".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Not into the output of the tests."""


@dataclass
class Visit:
    """A visitor who opens a page of another site."""

    worker: LocalWorker
    other_site: str
    page: Page
    api: httpx.Client

    def lures(self, template: str) -> tuple[str, list[str]]:
        """A mark, and addresses with codes that do not exist and begin with it."""
        number = next(NUMBERS)
        mark = f"00{CROCKFORD[number % 32]}000"
        codes = [f"{mark}{CROCKFORD[n // 32]}{CROCKFORD[n % 32]}" for n in range(CODES)]
        return mark, [f"{self.worker.url}{template.format(code)}" for code in codes]

    def open_another_page(self) -> None:
        """Closes the visitor's pages, also one that goes on navigating, and opens an empty one."""
        context = self.page.context
        self.page = context.new_page()
        for other in context.pages:
            if other is not self.page:
                other.close()

    def look_at(self, script: str) -> None:
        """Open the other site's page, which runs `script`."""
        # It may have left for elsewhere before it is loaded.
        self.page.goto(f"{self.other_site}?{quote(script)}", wait_until="commit")

    def arrived(self, mark: str, enough: int) -> list[str]:
        """The statuses of the requests with this mark, by the server's log, once there are enough."""
        found = re.findall(rf" /\S*{mark}\S* (\d+)", self.worker.log_text())
        return found if len(found) >= enough else []

    def new_code(self) -> str:
        """The code of a session that the visitor's address has not read yet."""
        return str(self.api.post("/api/sessions").json()["code"])

    def can_read(self, code: str) -> bool:
        """Whether the visitor's address may use `code`."""
        return self.api.get(f"/api/sessions/{code}").status_code == 200


@pytest.fixture
def other_site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Bait) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        # Of another site than the Worker's 127.0.0.1.
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


OpenVisit = Callable[[LocalWorker], Visit]


@pytest.fixture
def visit(browser: Browser, other_site: str) -> Iterator[OpenVisit]:
    """Be a visitor with the cookies, the storage and the address of one who uses this Worker."""
    with ExitStack() as stack:

        def visit(worker: LocalWorker) -> Visit:
            context = browser.new_context()
            stack.callback(context.close)
            api = stack.enter_context(httpx.Client(base_url=worker.url, timeout=120, trust_env=False))
            return Visit(worker, other_site, context.new_page(), api)

        yield visit


@pytest.mark.skipif(not os.environ.get("WAYPOST_SOAK"), reason="Chromium hangs in some runs of it; with `make soak`")
def test_a_page_of_another_site_spends_nothing_of_its_visitor(visit: OpenVisit, own_worker: LocalWorker) -> None:
    visitor = visit(own_worker)
    for way, script in WAYS.items():
        code = visitor.new_code()
        for template in ("/api/sessions/{}", "/mcp/{}"):
            mark, urls = visitor.lures(template)
            visitor.open_another_page()
            visitor.look_at(f"({script})({json.dumps(urls)})")
            if way == "a popup":
                visitor.page.get_by_role("button").click()
            # Broken-off navigations do not all reach the server.
            enough = 5 if way == "broken-off navigations" else 11
            statuses = eventually(partial(visitor.arrived, mark, enough))
            assert set(statuses) == {"403"}, (way, template)
            if way == "broken-off navigations":
                # They end by themselves, after two hundred: a page that still navigates can't be left reliably.
                visitor.page.wait_for_timeout(2000)
        assert visitor.can_read(code), way
    # The control: wrong codes of the visitor's own lock the address out; later, if another minute begins meanwhile.
    guesses: list[int] = []
    while 429 not in guesses and len(guesses) < 3 * 14:
        guesses.append(visitor.api.get(f"/api/sessions/ZZZZZZ{len(guesses):02}").status_code)
    assert guesses[:10] == [404] * 10
    assert guesses[-1] == 429


def test_a_generated_page_is_opened_by_a_click_on_another_site_and_by_nothing_else(
    visit: OpenVisit, worker: LocalWorker
) -> None:
    visitor = visit(worker)
    url = f"{visitor.worker.url}/pages/shown"
    put = visitor.api.put("/api/pages/shown", json={"html": "<h1>Here it is</h1>", "sessionId": "s"})
    assert put.status_code == 201
    heading = visitor.page.get_by_role("heading", name="Here it is")
    visitor.look_at(f"setTimeout(() => {{ location.href = {json.dumps(url)} }})")
    visitor.page.get_by_role("link", name="Open the page").click()
    expect(heading).to_be_visible()
    visitor.look_at(f"document.body.innerHTML = '<a href={url}>A report</a>'")
    visitor.page.get_by_role("link", name="A report").click()
    expect(heading).to_be_visible()
