"""A tab that offers tools to models: it runs each call once, and sends the first response again to a repeat."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

from simulation.client import Client, Opened

Say = Callable[[Any], Awaitable[None]]
"""Reports progress."""

Tool = Callable[[Any, Say], Awaitable[Any]]
"""Runs with its arguments. Its result is the response; a `ToolError` is an error."""


class ToolError(Exception):
    """The error of a tool: a code and a sentence."""


class Tab:
    """The tab of the session `opened`. `client`: the isolate that its next request reaches.

    `runs`: the id, the tool and the arguments of each call that has run, in the order of their beginning. `cancelled`:
    the ids of those that it was asked to end.
    """

    def __init__(self, client: Callable[[], Client], opened: Opened, tools: Mapping[str, Tool]) -> None:
        self._client = client
        self.opened = opened
        self._tools = tools
        self._running: dict[str, asyncio.Task[None]] = {}
        self._responses: dict[str, dict[str, Any]] = {}
        self.runs: list[tuple[str, str, Any]] = []
        self.cancelled: list[str] = []
        self.was_connected = asyncio.Event()

    async def offer(self) -> None:
        """Tells the session which tools there are."""
        tools = [
            {"name": name, "description": f"Does {name}.", "inputSchema": {"type": "object"}} for name in self._tools
        ]
        url = f"/api/sessions/{self.opened.code}/tools"
        reply = await self._client().call("PUT", url, {"tools": tools}, token=self.opened.host)
        assert reply.status == 200, reply.body

    async def connect(self, client: Client | None = None) -> None:
        """Listens to the session's stream until that ends; in the isolate of `client`, if it is given."""
        url = f"/api/stream?code={self.opened.code}&instance=the-tab-of-this-test"
        response = await (client or self._client()).open("GET", url, token=self.opened.host)
        assert response.status == 200, response.body
        assert isinstance(response.body, AsyncGenerator)
        left = b""
        async with aclosing(response.body) as chunks:
            async for chunk in chunks:
                *blocks, left = (left + chunk).split(b"\n\n")
                for block in blocks:
                    self._hear(dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line))

    def _hear(self, event: dict[str, str]) -> None:
        name = event.get("event")
        if name == "ready":
            self.was_connected.set()
        elif name == "request":
            self._take(json.loads(event["data"]))
        elif name == "cancel":
            self._cancel(json.loads(event["data"])["id"])

    def _take(self, request: dict[str, Any]) -> None:
        id = request["id"]
        if id in self._responses:
            self._running[id] = asyncio.ensure_future(self._respond(id, self._responses[id]))
        elif id not in self._running:
            self.runs.append((id, request["tool"], request["args"]))
            self._running[id] = asyncio.ensure_future(self._run(id, request["tool"], request["args"]))

    def _cancel(self, id: str) -> None:
        self.cancelled.append(id)
        if (running := self._running.get(id)) is not None:
            running.cancel()

    async def _run(self, id: str, name: str, args: Any) -> None:
        async def say(report: Any) -> None:
            await self._respond(id, {"result": report, "final": False})

        try:
            response = {"result": await self._tools[name](args, say)}
        except ToolError as error:
            response = {"error": dict(zip(("code", "message"), error.args, strict=True))}
        self._responses[id] = response
        await self._respond(id, response)

    async def _respond(self, id: str, response: dict[str, Any]) -> None:
        body = {"code": self.opened.code, "id": id, **response}
        reply = await self._client().call("POST", "/api/response", body, token=self.opened.host)
        assert reply.status == 202, reply.body
