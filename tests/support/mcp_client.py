"""An MCP client of the application without a network, of either generation: plain messages in, plain messages out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from simulation.client import Client, Opened, Reply, make_client
from tests.support.sse_parser import SseParser
from waypost_worker.kv.keys import session_key, tools_key

BOTH = "application/json, text/event-stream"
MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"


@dataclass
class Heard:
    """An event: its id, its message (`None`: empty), and when it came."""

    id: str
    data: Any
    at: float


class Stream:
    """Reads a stream in the background."""

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        self.events: list[Heard] = []
        self._parser = SseParser()
        self._chunks = chunks
        self._task = asyncio.ensure_future(self._read())

    @property
    def is_over(self) -> bool:
        return self._task.done()

    @property
    def messages(self) -> list[Any]:
        return [event.data for event in self.events if event.data is not None]

    @property
    def comments(self) -> list[str]:
        return self._parser.comments

    @property
    def retry_ms(self) -> int | None:
        return self._parser.retry_ms

    async def until_over(self, seconds: float = 4000) -> list[Any]:
        async with asyncio.timeout(seconds):
            await asyncio.shield(self._task)
        return self.messages

    async def stop(self) -> None:
        """Go away, as a client does."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._chunks.aclose()

    async def _read(self) -> None:
        async for chunk in self._chunks:
            self._parser.feed(chunk)
            at = round(asyncio.get_running_loop().time(), 3)
            for event in self._parser.events[len(self.events) :]:
                data = json.loads(event.data) if event.data else None
                self.events.append(Heard(event.last_event_id, data, at))


@dataclass
class Mcp:
    """One client of the tab `session`; `is_modern` speaks 2026-07-28."""

    client: Client
    session: Opened
    is_modern: bool = False
    version: str = "2025-11-25"
    session_id: str | None = None
    capabilities: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    token: str | None = None

    @property
    def url(self) -> str:
        return self.path or f"/mcp/{self.session.code}"

    def headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        fields = {"Accept": BOTH, "MCP-Protocol-Version": MODERN if self.is_modern else self.version}
        if self.session_id:
            fields["Mcp-Session-Id"] = self.session_id
        return {name: value for name, value in (fields | (more or {})).items() if value}

    def request(self, method: str, params: dict[str, Any] | None = None, id: Any = 1) -> dict[str, Any]:
        """A request as this client writes it."""
        params = dict(params or {})
        if self.is_modern:
            own = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": self.capabilities}
            params["_meta"] = own | params.get("_meta", {})
        return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}

    def mirrored(self, message: dict[str, Any]) -> dict[str, str]:
        """The headers that repeat what the message says."""
        if not self.is_modern:
            return {}
        params = message["params"]
        name = params.get("name") or params.get("uri") or params.get("taskId")
        return {"Mcp-Method": message["method"]} | ({"Mcp-Name": name} if isinstance(name, str) else {})

    async def send(self, message: Any, headers: dict[str, str] | None = None) -> Reply:
        """The whole reply to any JSON."""
        return await self.client.call("POST", self.url, message, headers=self.headers(headers), token=self.token)

    async def ask(self, method: str, params: dict[str, Any] | None = None, id: Any = 1, **headers: str) -> Any:
        """The message that answers a request."""
        message = self.request(method, params, id)
        reply = await self.send(message, self.mirrored(message) | headers)
        assert reply.headers["Content-Type"] == "application/json", reply
        return reply.json() | {"status": reply.status}

    async def result(self, method: str, params: dict[str, Any] | None = None, id: Any = 1) -> Any:
        """The result of a request."""
        found = await self.ask(method, params, id)
        assert "result" in found, found
        return found["result"]

    async def error(self, method: str, params: dict[str, Any] | None = None, id: Any = 1) -> Any:
        """Its error."""
        found = await self.ask(method, params, id)
        assert "error" in found, found
        return found["error"]

    async def stream(self, method: str, params: dict[str, Any] | None = None, id: Any = 1) -> Stream:
        """The stream that a request opens."""
        message = self.request(method, params, id)
        response = await self.client.open(
            "POST",
            self.url,
            body=json.dumps(message).encode(),
            headers={"Content-Type": "application/json"} | self.headers(self.mirrored(message)),
            token=self.token,
        )
        assert isinstance(response.body, AsyncGenerator), response
        return Stream(response.body)

    async def get(self, last_event_id: str = "") -> Stream:
        """The stream that GET opens."""
        headers = self.headers({"Last-Event-ID": last_event_id})
        response = await self.client.open("GET", self.url, headers=headers, token=self.token)
        assert isinstance(response.body, AsyncGenerator), response
        return Stream(response.body)

    async def initialize(self) -> Any:
        """The handshake; from then on its session is named."""
        params = {"protocolVersion": self.version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        reply = await self.send(self.request("initialize", params), {"MCP-Protocol-Version": ""})
        self.session_id = reply.headers["Mcp-Session-Id"]
        return reply.json()["result"]

    async def notify(self, method: str, params: dict[str, Any] | None = None) -> Reply:
        """A notification."""
        return await self.send({"jsonrpc": "2.0", "method": method, "params": params or {}})


async def connected(*, is_modern: bool = False, client: Client | None = None, **options: Any) -> Mcp:
    """A client of a new session; a legacy one past its handshake."""
    client = client or make_client()
    mcp = Mcp(client, await client.open_session(), is_modern, **options)
    if not is_modern:
        await mcp.initialize()
    return mcp


async def taken(mcp: Mcp) -> dict[str, Any]:
    """The next request that the tab's host gets, within an hour."""
    for _ in range(120):
        polled = await mcp.client.poll(mcp.session.code, mcp.session.host, wait=30)
        for message in polled["messages"]:
            if message["event"] == "request":
                return dict(message["data"])
    raise AssertionError("no request came")


async def staying(mcp: Mcp) -> None:
    """The tab is there, and silent, until this is cancelled."""
    while True:
        await mcp.client.poll(mcp.session.code, mcp.session.host)
        await mcp.client.call("POST", f"/api/sessions/{mcp.session.code}/extend", token=mcp.session.host)
        await asyncio.sleep(60)


async def answered(mcp: Mcp, result: Any = None, **body: Any) -> dict[str, Any]:
    """Take the next request and answer it; the request."""
    request = await taken(mcp)
    await mcp.client.answer(mcp.session, request["id"], result, **body)
    return request


async def store_tools(mcp: Mcp, *tools: dict[str, Any]) -> None:
    """`tools` are stored as another version has left them, unchecked."""
    await put_tools(mcp, *({"name": tool["name"]} for tool in tools))
    app = mcp.client.app
    session = app.isolate.sessions.get(mcp.session.code, app.clock.now_ms())
    assert session is not None
    unchecked = msgspec.structs.replace(session, tools_rules=0, has_mapped_names=False)
    app.isolate.sessions.put(mcp.session.code, unchecked, app.clock.now_ms())
    store = app._kv
    await store.put(session_key(mcp.session.code), msgspec.json.encode(unchecked).decode(), ttl_seconds=3600)
    await store.put(tools_key(mcp.session.code), json.dumps(tools), ttl_seconds=3600, metadata="stored")


async def put_tools(mcp: Mcp, *tools: dict[str, Any]) -> None:
    """The host offers `tools`."""
    reply = await mcp.client.call(
        "PUT", f"/api/sessions/{mcp.session.code}/tools", {"tools": tools}, token=mcp.session.host
    )
    assert reply.status == 200
