"""Large results through the real Worker: by every route, and to the clients that people have."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.http_api import Api
from tests.support.node_tests import run_node_tests
from tests.worker.mcp_clients.tab import Tab
from tools.local.harness.worker import LocalWorker
from waypost_worker.limits import MAX_RESULT_BYTES

if TYPE_CHECKING:
    # It takes a second or more to load, in each process that collects the tests.
    from mcp.types import CallToolResult

TYPESCRIPT = Path(__file__).parent / "mcp_clients" / "large-results.test.mjs"
PATIENCE_SECONDS = 120.0
LARGEST = "x" * (MAX_RESULT_BYTES - 2)
"""Its JSON has as many bytes as a result may have."""


def test_8_mib_arrive_by_every_route_and_one_byte_more_is_refused(api: Api) -> None:
    session = api.open_session()
    headers = {"Authorization": f"Bearer {session.host_token}"}

    def answer(result: str) -> httpx.Response:
        body = {"code": session.code, "id": "r", "result": result}
        return api.call("POST", "/api/response", body, headers=headers, timeout=PATIENCE_SECONDS)

    assert api.call("POST", "/api/request", {"code": session.code, "tool": "t", "id": "r"}).status_code == 202
    refused = answer(LARGEST + "x")
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    assert refused.json()["detail"] == f"A result may have {MAX_RESULT_BYTES} bytes of JSON; this one has 8388609."
    assert answer(LARGEST).status_code == 202
    again = api.call("POST", "/api/request", {"code": session.code, "tool": "t", "id": "r"}, timeout=PATIENCE_SECONDS)
    assert (again.status_code, again.json()["result"] == LARGEST) == (200, True)
    polled = api.call("GET", f"/api/poll?code={session.code}", timeout=PATIENCE_SECONDS).json()["messages"]
    assert [message["data"]["result"] == LARGEST for message in polled] == [True]
    with httpx.stream("GET", f"{api.url}/api/stream?code={session.code}", timeout=PATIENCE_SECONDS) as stream:
        data = next(line for line in stream.iter_lines() if line.startswith("data: ") and '"result"' in line)
    assert json.loads(data.removeprefix("data: "))["result"] == LARGEST


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_the_python_sdk_gets_screenshots_of_tools_that_take_some_seconds(
    worker: LocalWorker, mode: str, record_property: Callable[[str, object], None]
) -> None:
    """It ends its whole client at an event of more than 1 MiB; so it is sent JSON."""

    async def shots(url: str) -> list[CallToolResult]:
        from mcp.client.client import Client

        async with asyncio.timeout(PATIENCE_SECONDS), Client(url, mode=mode) as client:
            sizes = [(1_572_864, 0), (1_572_864, 3000), (6 * 1024 * 1024 - 200, 0), (1_572_864, 11_000), (1000, 0)]
            return [await client.call_tool("shoot", {"bytes": size, "slowMs": slow}) for size, slow in sizes]

    with Tab(worker.url, "./large-tools.mjs") as tab:
        results = asyncio.run(shots(tab.mcp_url))
    lengths = [len(getattr(result.content[0], "data", "")) for result in results]
    assert lengths == [2_097_152, 2_097_152, 8_388_344, 0, 1336]
    # After ten seconds its reply is a stream, and says so instead of breaking off.
    assert results[3].is_error
    assert "This client takes 1 MiB from a stream" in results[3].content[0].text


def test_the_typescript_sdk_gets_them_by_json_and_by_streams(worker: LocalWorker) -> None:
    run_node_tests(TYPESCRIPT, WAYPOST_URL=worker.url)
