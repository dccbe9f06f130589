"""The TypeScript SDK as it is, both generations of it and an old version, in Node, against the Worker."""

from __future__ import annotations

from pathlib import Path

from tests.support.node_tests import run_node_tests
from tools.local.harness.worker import LocalWorker

TESTS = Path(__file__).parent / "mcp_clients" / "sdk.test.mjs"


def test_its_clients_list_call_cancel_listen_and_resume(worker: LocalWorker) -> None:
    run_node_tests(TESTS, WAYPOST_URL=worker.url)
