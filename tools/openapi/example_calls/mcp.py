"""MCP clients of both generations at a tab."""

from __future__ import annotations

from typing import Any

from tools.openapi.example_calls.step import Step

_META = "io.modelcontextprotocol/"
_MODERN = "2026-07-28"
_LEGACY = "2025-11-25"
_PATH = {"code": "$code"}
_ADDRESS = {"code": "$address"}
_ACCEPT = {"Accept": "application/json, text/event-stream"}
_IN_SESSION = {**_ACCEPT, "MCP-Protocol-Version": _LEGACY, "Mcp-Session-Id": "$mcp_session"}


def _request(method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}


def _modern(method: str) -> dict[str, Any]:
    return _request(method, {"_meta": {f"{_META}protocolVersion": _MODERN, f"{_META}clientCapabilities": {}}})


def _mirrored(method: str) -> dict[str, str]:
    return {**_ACCEPT, "MCP-Protocol-Version": _MODERN, "Mcp-Method": method}


_HANDSHAKE = {"protocolVersion": _LEGACY, "capabilities": {}, "clientInfo": {"name": "example", "version": "1"}}
_LISTENING = {"Accept": "text/event-stream", "MCP-Protocol-Version": _LEGACY}

MCP = (
    Step(
        "PUT /api/sessions/{code}/address",
        "an MCP address",
        200,
        {"secret": "$address_secret", "claim": True},
        _PATH,
        bearer="host_token",
        keep={"address": "/address"},
    ),
    Step("POST /api/sessions", "with an MCP address", 201, {"addressSecret": "$address_secret"}, is_command=False),
    Step("POST /mcp/{code}", "discovery", 200, _modern("server/discover"), _PATH, headers=_mirrored("server/discover")),
    Step("POST /mcp/{code}", "the tools", 200, _modern("tools/list"), _PATH, headers=_mirrored("tools/list")),
    Step("POST /mcp/{code}", "another header", 400, _modern("tools/list"), _PATH, headers=_mirrored("tools/call")),
    Step("POST /mcp/{code}", "an unknown method", 404, _modern("ping"), _PATH, headers=_mirrored("ping")),
    Step(
        "POST /mcp/{code}",
        "the handshake of 2025",
        200,
        _request("initialize", _HANDSHAKE),
        _PATH,
        headers=_ACCEPT,
        keep={"mcp_session": "header:Mcp-Session-Id"},
    ),
    Step(
        "POST /mcp/{code}",
        "a notification",
        202,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        _PATH,
        headers=_IN_SESSION,
    ),
    Step("POST /mcp/{code}", "by an MCP address", 200, _request("tools/list"), _ADDRESS, headers=_ACCEPT),
    Step("GET /mcp/{code}", "news of the tools", 200, path=_PATH, headers=_IN_SESSION, events=1),
    Step("GET /mcp/{code}", "since 2026", 405, path=_PATH, headers={"MCP-Protocol-Version": _MODERN}),
    Step("DELETE /mcp/{code}", "a session of 2025", 405, path=_PATH, headers=_IN_SESSION),
    Step("POST /mcp", "with a guest's token", 200, _request("tools/list"), headers=_ACCEPT, bearer="guest_token"),
    Step("POST /mcp", "without a token", 401, _request("tools/list"), headers=_ACCEPT),
    Step("GET /mcp", "with a guest's token", 200, headers=_LISTENING, bearer="guest_token", events=1),
    Step("DELETE /mcp", "with a guest's token", 405, bearer="guest_token"),
    Step("DELETE /api/addresses/{address}", "without its secret", 401, path={"address": "$address"}),
    Step(
        "DELETE /api/addresses/{address}", "with its secret", 204, path={"address": "$address"}, bearer="address_secret"
    ),
    Step("POST /mcp/{code}", "by a withdrawn address", 410, _request("tools/list"), _ADDRESS, headers=_ACCEPT),
)
