"""The command line of the MCP Inspector, as it is, against the Worker and a tab."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.node_tests import NODE
from tests.worker.mcp_clients.tab import Tab
from tools.local.harness.worker import LocalWorker
from tools.local.local_worker import ROOT

INSPECTOR = ROOT / "node_modules" / ".bin" / "mcp-inspector"
PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def tab(worker: LocalWorker) -> Iterator[Tab]:
    with Tab(worker.url) as tab:
        yield tab


def inspect(tab: Tab, era: str, *options: str) -> Any:
    """What it prints."""
    command = [NODE, INSPECTOR, "--cli", tab.mcp_url, "--transport", "http", "--protocol-era", era, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_it_lists_the_tools_and_calls_one(tab: Tab, era: str) -> None:
    tools = inspect(tab, era, "--method", "tools/list")["tools"]
    assert tools[0]["name"] == "test_simple_text"
    called = inspect(tab, era, "--method", "tools/call", "--tool-name", "add", "--tool-arg", "a=1", "b=2")
    assert called["structuredContent"] == {"sum": 3}
