"""Real MCP clients, configured once, at the address of a browser that opens one session after the other."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_api import Api, Session
from tests.support.node_tests import run_node_tests
from tests.support.steady_host import SteadyHost
from tools.local.harness.worker import LocalWorker

TESTS = Path(__file__).parent / "mcp_clients" / "address.test.mjs"
PATIENCE_SECONDS = 120.0
WHICH = {"name": "which", "inputSchema": {"type": "object"}}


def test_the_typescript_sdk_survives_three_new_sessions_of_its_tab(worker: LocalWorker) -> None:
    run_node_tests(TESTS, WAYPOST_URL=worker.url)


def open_tab(api: Api, secret: str) -> Session:
    session = api.open_session(addressSecret=secret)
    url = f"/api/sessions/{session.code}/tools"
    assert api.call("PUT", url, {"tools": [WHICH]}, session.host_token).status_code == 200
    return session


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_python_sdk_survives_three_new_sessions_of_its_tab(api: Api, mode: str) -> None:
    from mcp import MCPError
    from mcp.client.client import Client

    secret = secrets.token_urlsafe(32)

    def opened(number: int) -> tuple[Session, SteadyHost]:
        session = open_tab(api, secret)
        return session, SteadyHost(session, lambda _: {"number": number})

    async def run(session: Session, host: SteadyHost, url: str) -> list[Any]:
        found: list[Any] = []
        async with asyncio.timeout(PATIENCE_SECONDS), Client(url, mode=mode) as client:
            for number in range(4):
                with host:
                    found.append((await client.call_tool("which", {})).structured_content)
                    await asyncio.to_thread(
                        api.call, "DELETE", f"/api/sessions/{session.code}", None, session.host_token
                    )
                with pytest.raises(MCPError, match="Open .* and connect it again"):
                    await client.call_tool("which", {})
                session, host = await asyncio.to_thread(opened, number + 1)
        return found

    reply = api.call("POST", "/api/sessions", {"addressSecret": secret}).json()
    session, host = opened(0)
    found = asyncio.run(run(session, host, f"{api.url}/mcp/{reply['address']}"))
    assert found == [{"number": number} for number in range(4)]
