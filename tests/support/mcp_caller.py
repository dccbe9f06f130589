"""An MCP client of the generation up to 2025-11-25 whose connections break, over HTTP."""

from __future__ import annotations

from typing import Any

from tests.support.http_api import Api, Session
from tests.support.sse_client import EventStream

BOTH = "application/json, text/event-stream"
HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
CALL = {"name": "slow", "arguments": {"seconds": 1}, "_meta": {"progressToken": "p"}}


class McpCaller:
    """A legacy client that does what a client has to, and no more."""

    def __init__(self, api: Api, code: str) -> None:
        self.api = api
        self.url = f"/mcp/{code}"
        self.headers = {"Accept": BOTH, "MCP-Protocol-Version": "2025-11-25"}
        reply = self.post("initialize", HANDSHAKE)
        self.headers["Mcp-Session-Id"] = reply.headers["mcp-session-id"]

    def post(self, method: str, params: dict[str, Any]) -> Any:
        message = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
        return self.api.call("POST", self.url, message, headers=self.headers)

    def call(self, id: int) -> tuple[str, Any]:
        """Begins a call, reads its first event and drops the connection; returns the event's id."""
        message = {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": CALL}
        headers = self.headers | {"CF-Connecting-IP": self.api.address}
        with self.api.http.stream("POST", self.url, json=message, headers=headers) as reply:
            assert reply.headers["content-type"].startswith("text/event-stream"), reply.read()
            for line in reply.iter_lines():
                if line.startswith("id: "):
                    return line.removeprefix("id: "), None
        raise AssertionError("no event had an id")

    def resumed(self, last_event_id: str, api: Api | None = None) -> EventStream:
        """The rest of a call, from an isolate."""
        api = api or self.api
        headers = self.headers | api.known_by() | {"Last-Event-ID": last_event_id}
        return api.hold(EventStream(f"{api.url}{self.url}", {}, headers))


def waiting(session: Session) -> str:
    """The id of the one request that is queued."""
    [message] = session.poll(session.host_token, wait=10)["messages"]
    id: str = message["data"]["id"]
    return id
