"""Web pages as MCP clients: the TypeScript SDK as it is, in Chromium, in pages of other origins than the Worker's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Frame, Page

from tests.worker.mcp_clients.tab import Tab
from tools.local.harness.worker import LocalWorker
from tools.local.local_worker import ROOT

ALLOWED = "http://localhost:*"

ENTRY = """
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

/** What a client gets that calls a tool with an argument which a header repeats. */
window.call = async (url, token, mode) => {
  const versionNegotiation = { mode: mode === "legacy" ? "legacy" : { pin: mode } };
  const client = new Client({ name: "a-page", version: "1.0.0" }, { versionNegotiation });
  // As libraries that trace do it.
  const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  if (token) headers.Authorization = `Bearer ${token}`;
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
    await client.listTools();
    const { content } = await client.callTool({ name: "test_headers", arguments: { region: "Berlin" } });
    return content[0].text;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};
"""
PAGE = """<!doctype html><title>A page</title><script src="/client.js"></script>"""
SANDBOX = f"""<iframe sandbox="allow-scripts" srcdoc='{PAGE}'></iframe>"""

MODES = ("2026-07-28", "legacy")
modes = pytest.mark.parametrize("mode", MODES)


class Quiet(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        # For the frame without an origin, which must be able to load the script.
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not into the output of the tests."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a site with the client in a page; its host is `localhost` or `127.0.0.1`, two origins."""
    folder = tmp_path_factory.mktemp("site")
    esbuild = ROOT / "node_modules" / ".bin" / "esbuild"
    command = [esbuild, "--bundle", "--format=iife", f"--outfile={folder / 'client.js'}"]
    source = {"input": ENTRY.encode(), "cwd": Path(__file__).parent}
    subprocess.run([*command, "--log-level=error"], check=True, timeout=120, **source)  # type: ignore[call-overload]
    (folder / "index.html").write_text(PAGE)
    (folder / "sandbox.html").write_text(SANDBOX)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Tab]:
    """A tab of a Worker that allows the pages of one of the site's two origins."""
    with LocalWorker(ALLOWED_ORIGINS=ALLOWED) as worker, Tab(worker.url) as tab:
        yield tab


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def guest_token(tab: Tab) -> str:
    joined = httpx.post(f"{tab.url}/api/sessions/{tab.code}/join", trust_env=False, timeout=120)
    return str(joined.json()["guestToken"])


REFUSED = ("Failed to fetch", "did not offer pinned protocol version")
"""What the SDK says of a request that the browser does not let it send, or not read the reply of."""


def is_refused(told: str) -> bool:
    return any(words in told for words in REFUSED)


def called(frame: Page | Frame, url: str, token: str | None, mode: str) -> Any:
    frame.wait_for_function("window.call")
    return frame.evaluate(f"call({json.dumps(url)}, {json.dumps(token)}, {json.dumps(mode)})")


@modes
def test_a_page_of_an_allowed_origin_calls_a_tool_whose_argument_a_header_may_repeat(
    tab: Tab, site: int, page: Page, mode: str
) -> None:
    page.goto(f"http://localhost:{site}/")
    assert called(page, tab.mcp_url, None, mode) == "Berlin"


@pytest.mark.parametrize(("region", "told"), [("Berlin", "Berlin"), ("Paris", "Mcp-Param-Region differs")])
def test_a_page_may_send_that_header_and_then_it_must_agree(
    tab: Tab, site: int, page: Page, region: str, told: str
) -> None:
    page.goto(f"http://localhost:{site}/")
    text = page.evaluate(
        """async ([url, region]) => {
          const key = "io.modelcontextprotocol/";
          const headers = {
            "Content-Type": "application/json",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/call",
            "Mcp-Name": "test_headers",
            "Mcp-Param-Region": region,
            tracestate: "a=b",
          };
          const _meta = { [`${key}protocolVersion`]: "2026-07-28", [`${key}clientCapabilities`]: {} };
          const params = { name: "test_headers", arguments: { region: "Berlin" }, _meta };
          const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
          return (await fetch(url, { method: "POST", headers, body })).text();
        }""",
        [tab.mcp_url, region],
    )
    assert told in text


@modes
def test_a_page_of_another_origin_calls_with_a_token_and_not_with_the_code(
    tab: Tab, site: int, page: Page, mode: str
) -> None:
    page.goto(f"http://127.0.0.1:{site}/")
    assert is_refused(called(page, tab.mcp_url, None, mode))
    assert is_refused(called(page, f"{tab.url}/mcp", "wp1.guest.AAAAAAAA.9999999999." + "A" * 43, mode))
    token = guest_token(tab)
    assert called(page, f"{tab.url}/mcp", token, mode) == "Berlin"
    assert called(page, tab.mcp_url, token, mode) == "Berlin"


def test_a_frame_without_an_origin_calls_with_a_token(tab: Tab, site: int, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{site}/sandbox.html")
    frame = page.frames[1]
    assert frame.evaluate("origin") == "null"
    assert is_refused(called(frame, tab.mcp_url, None, MODES[0]))
    assert called(frame, f"{tab.url}/mcp", guest_token(tab), MODES[0]) == "Berlin"


def test_a_page_of_an_allowed_origin_reads_what_it_has_to_act_on(tab: Tab, site: int, page: Page) -> None:
    page.goto(f"http://localhost:{site}/")
    read = page.evaluate(
        """async ([url, body]) => {
          const headers = { Authorization: "Bearer nonsense", "Content-Type": "application/json" };
          const response = await fetch(url, { method: "POST", headers, body });
          const names = ["www-authenticate", "x-request-id", "server-timing"];
          return [response.status, ...names.map((name) => response.headers.get(name))];
        }""",
        [f"{tab.url}/mcp", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"})],
    )
    assert read[:2] == [401, "Bearer"]
    assert all(read)
