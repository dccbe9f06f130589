"""The TypeScript SDK of MCP, and the Inspector's command line, unchanged, in Node, against a tab."""

from __future__ import annotations

from pathlib import Path

from tests.support.http_api import Api
from tests.support.mcp_tab import Tab
from tests.support.node_tests import run_node_tests

TESTS = Path(__file__).parents[1] / "mcp_node"


def test_the_clients_list_and_call_a_tab_s_tools(api: Api) -> None:
    session = api.open_session()
    with Tab(session):
        run_node_tests(TESTS / "client.test.mjs", WAYPOST_MCP=f"{api.url}/mcp/{session.code}")
