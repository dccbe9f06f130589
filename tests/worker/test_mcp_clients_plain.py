"""Plain HTTP clients as they are, without an MCP library: httpx, urllib, and Node's fetch with axios' headers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import httpx
import pytest

from tests.support.node_tests import NODE
from tests.worker.mcp_clients.tab import Tab
from tools.local.harness.worker import LocalWorker

PATIENCE_SECONDS = 120.0

FETCH = """
const [url, body] = process.argv.slice(1);
const headers = { "Content-Type": "application/json", Accept: "application/json, text/plain, */*" };
const response = await fetch(url, { method: "POST", headers, body, redirect: "error" });
console.log(JSON.stringify([response.headers.get("content-type"), await response.json()]));
"""

Sent = tuple[str, Any]


@pytest.fixture(scope="module")
def tab(worker: LocalWorker) -> Iterator[Tab]:
    with Tab(worker.url) as tab:
        yield tab


def by_httpx(url: str, message: dict[str, Any]) -> Sent:
    # It accepts everything.
    with httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False) as client:
        reply = client.post(url, json=message)
    return reply.headers["content-type"], reply.json()


def by_urllib(url: str, message: dict[str, Any]) -> Sent:
    # It sends no `Accept`.
    request = Request(url, json.dumps(message).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request, timeout=PATIENCE_SECONDS) as reply:  # noqa: S310
        return reply.headers["content-type"], json.load(reply)


def by_fetch(url: str, message: dict[str, Any]) -> Sent:
    command = [NODE, "--input-type=module", "-e", FETCH, url, json.dumps(message)]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE_SECONDS, check=True)
    content_type, body = json.loads(done.stdout)
    return content_type, body


clients = pytest.mark.parametrize("send", [by_httpx, by_urllib, by_fetch])


@clients
@pytest.mark.parametrize("seconds", [0, 3])
def test_it_gets_json_from_a_slow_tool_too(tab: Tab, send: Callable[[str, Any], Sent], seconds: int) -> None:
    params = {"name": "slow_compute", "arguments": {"seconds": seconds}}
    content_type, reply = send(tab.mcp_url, {"jsonrpc": "2.0", "id": 1.0, "method": "tools/call", "params": params})
    assert content_type == "application/json"
    assert reply == {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {"content": [{"type": "text", "text": f"Computed for {seconds} s."}]},
    }


@clients
@pytest.mark.parametrize(
    "template",
    ["/mcp/{}{}", "/mcp/{}{}/", "//mcp/{}{}", "/mcp//{}{}", "/mcp/{}%20{}", "/mcp/{}-{}", "/mcp/{}%E2%80%93{}"],
)
def test_an_address_as_people_type_it_is_the_tab_s(
    tab: Tab, worker: LocalWorker, send: Callable[[str, Any], Sent], template: str
) -> None:
    url = worker.url + template.format(tab.code[:4].lower(), tab.code[4:])
    _, reply = send(url, {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": None, "error": None})
    assert reply == {"jsonrpc": "2.0", "id": 1, "result": {}}
