"""`kill -9` in the middle of a call of each client: the Worker comes up again, and every call completes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.node_tests import NODE
from tests.worker.mcp_clients.front_door import FrontDoor
from tests.worker.mcp_clients.tab import Event, Tab
from tools.local.harness.worker import LocalWorker

CALL = Path(__file__).parent / "mcp_clients" / "call.mjs"
PATIENCE_SECONDS = 120.0

PYTHON_LEGACY, PYTHON_MODERN = "Python SDK, legacy", "Python SDK, 2026-07-28"
TASKS = "tasks"
RESUMING = (PYTHON_LEGACY, "SDK 1", "SDK 2, legacy", TASKS)
"""They resume the same call: with the id of the last event that they have had, or with the task's id."""


class Caller(threading.Thread):
    """One client with one call, which says in its arguments whose it is. `heard` is set as soon as it runs."""

    def __init__(self, url: str, client: str) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.heard = threading.Event()
        self.result: Any = None
        self._url = url
        self.start()

    @property
    def args(self) -> dict[str, str]:
        return {"from": self.client}

    def run(self) -> None:
        if self.client in (PYTHON_LEGACY, PYTHON_MODERN):
            self.result = asyncio.run(self._in_python())
        else:
            self.result = self._in_node()

    def _in_node(self) -> Any:
        tool = "hold_long" if self.client == TASKS else "hold"
        command = [NODE, CALL, self._url, self.client, tool, json.dumps(self.args)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                said = json.loads(line)
                if "result" in said:
                    return said["result"]["structuredContent"]
                self.heard.set()
        return said

    async def _in_python(self) -> Any:
        from mcp import MCPError
        from mcp.client.client import Client

        async def hear(*_: Any) -> None:
            self.heard.set()

        mode = "legacy" if self.client == PYTHON_LEGACY else "2026-07-28"
        async with Client(self._url, mode=mode) as client:
            try:
                result = await client.call_tool("hold", self.args, progress_callback=hear)
            except MCPError:
                if self.client != PYTHON_MODERN:
                    raise
                # Nothing of 2026-07-28 takes up a stream that broke: what is left is to call again.
                result = await client.call_tool("hold", self.args)
            return result.structured_content


@pytest.fixture(scope="module")
def story() -> Iterator[tuple[dict[str, Caller], Tab]]:
    """Every client begins a call, the Worker is killed and started again, and then the tab answers."""
    with ExitStack() as stack:
        worker = stack.enter_context(LocalWorker())
        door = stack.enter_context(FrontDoor(worker.port))
        tab = stack.enter_context(Tab(worker.url))
        url = tab.mcp_url_at(door.url)
        callers = {client: Caller(url, client) for client in (*RESUMING, PYTHON_MODERN)}
        for caller in callers.values():
            assert caller.heard.wait(PATIENCE_SECONDS), caller.client

        door.shut()
        worker.kill()
        worker.restart()
        door.open()

        tab.wait(lambda event: is_run_of(PYTHON_MODERN, event), 2)
        tab.tell("release")
        for caller in callers.values():
            caller.join(PATIENCE_SECONDS)
        yield callers, tab


def is_run_of(client: str, event: Event) -> bool:
    """Whether the tab began a call of `client`."""
    return event["event"] == "request" and event["args"] == {"from": client} and not event["repeat"]


@pytest.mark.parametrize("client", [*RESUMING, PYTHON_MODERN])
def test_a_call_completes_although_the_worker_was_killed(story: tuple[dict[str, Caller], Tab], client: str) -> None:
    callers, _ = story
    assert callers[client].result == {"from": client}


@pytest.mark.parametrize("client", RESUMING)
def test_a_call_that_is_taken_up_again_has_run_once(story: tuple[dict[str, Caller], Tab], client: str) -> None:
    _, tab = story
    assert sum(is_run_of(client, event) for event in tab.events) == 1
