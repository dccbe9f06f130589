"""What MCP costs: in operations of the store, which are counted, and in time, which is only measured."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter
from typing import Any

import pytest

from tests.support.http_api import Api
from tests.worker.mcp_clients.tab import Tab
from tools.local.harness.worker import LocalWorker

ROUNDS = int(os.environ.get("WAYPOST_ROUNDS", "25"))

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Caller:
    """Makes the same call in three ways, over a connection that stays open."""

    def __init__(self, api: Api, tab: Tab) -> None:
        self._api = api
        self._tab = tab
        self._legacy = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
        info = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a-test", "version": "1"}}
        reply = self._post({"method": "initialize", "params": info}, self._legacy)
        self._legacy["Mcp-Session-Id"] = reply.headers["mcp-session-id"]

    def plain(self) -> Any:
        """Over /api/request?wait=."""
        body = {"code": self._tab.code, "tool": "add", "args": {"a": 1, "b": 2}}
        return self._api.call("POST", "/api/request?wait=30", body)

    def legacy(self, method: str = "tools/call") -> Any:
        """As 2025-11-25 does it."""
        return self._post({"method": method, "params": params(method)}, self._legacy)

    def modern(self, method: str = "tools/call") -> Any:
        """As 2026-07-28 does it."""
        headers = self._legacy | {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
        del headers["Mcp-Session-Id"]
        if method == "tools/call":
            headers["Mcp-Name"] = "add"
        return self._post({"method": method, "params": params(method) | {"_meta": META}}, headers)

    def _post(self, message: dict[str, Any], headers: dict[str, str]) -> Any:
        reply = self._api.call(
            "POST", f"/mcp/{self._tab.code}", {"jsonrpc": "2.0", "id": 1, **message}, headers=headers
        )
        assert reply.status_code == 200, reply.text
        return reply


@pytest.fixture
def caller(worker: LocalWorker, api: Api) -> Iterator[Caller]:
    with Tab(worker.url) as tab:
        yield Caller(api, tab)


def params(method: str) -> dict[str, Any]:
    return {"name": "add", "arguments": {"a": 1, "b": 2}} if method == "tools/call" else {}


def operations(reply: Any) -> int:
    """How many operations a reply says it took."""
    return int(reply.headers["server-timing"].partition('desc="')[2].partition(" ")[0])


def test_the_list_of_the_tools_takes_one_operation_once_the_session_is_known(caller: Caller) -> None:
    caller.modern("tools/list")
    for ask in (caller.legacy, caller.modern):
        reply = ask("tools/list")
        assert operations(reply) == 1
        assert "add" in [tool["name"] for tool in reply.json()["result"]["tools"]]


def test_a_call_takes_as_many_operations_as_one_over_the_api(caller: Caller) -> None:
    # The first of each also finds out what is known of the tools.
    for ask in (caller.plain, caller.legacy, caller.modern):
        ask()
    assert operations(caller.legacy()) <= operations(caller.plain())
    assert operations(caller.modern()) <= operations(caller.plain())


def test_the_time_of_a_call_is_measured_beside_that_of_one_over_the_api(
    caller: Caller, record_property: Callable[[str, object], None]
) -> None:
    ways = {"api": caller.plain, "2025-11-25": caller.legacy, "2026-07-28": caller.modern}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS):
        # In turns, and each of them first in its turn: what else the machine does meets all of them.
        names = list(ways)
        for name in names[number % 3 :] + names[: number % 3]:
            began = perf_counter()
            reply = ways[name]()
            times[name].append(perf_counter() - began)
            assert json.dumps({"sum": 3}) in json.dumps(reply.json())
    middle = {name: median(found) for name, found in times.items()}
    for name in ("2025-11-25", "2026-07-28"):
        told = f"{middle[name] / middle['api']:.2f} of {middle['api'] * 1000:.0f} ms, medians of {ROUNDS}"
        record_property(f"time of a call over MCP {name} to that over the API", told)
