"""MCP clients of both generations at a tab."""

from __future__ import annotations

from typing import Any

from tools.openapi.example_calls.step import Step

_META = "io.modelcontextprotocol/"
_MODERN = "2026-07-28"
_LEGACY = "2025-11-25"
_PATH = {"code": "$mcp_code"}
_ADDRESS = {"code": "$address"}
_ACCEPT = {"Accept": "application/json, text/event-stream"}
_IN_SESSION = {**_ACCEPT, "MCP-Protocol-Version": _LEGACY, "Mcp-Session-Id": "$mcp_session"}
_TOOLS = [{"name": "add_note", "description": "Pins a note to the board.", "inputSchema": {"type": "object"}}]


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
        "POST /api/sessions",
        "for MCP clients",
        201,
        {"label": "Ada's tools"},
        keep={"mcp_code": "/code", "mcp_host": "/hostToken"},
    ),
    Step("PUT /api/sessions/{code}/tools", "for MCP clients", 200, {"tools": _TOOLS}, _PATH, bearer="mcp_host"),
    Step("GET /api/poll", "as the host of MCP clients", 200, query=_PATH, bearer="mcp_host"),
    Step("POST /api/sessions/{code}/join", "for an MCP client", 200, path=_PATH, keep={"mcp_guest": "/guestToken"}),
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
        keep={"mcp_session": "header:mcp-session-id"},
    ),
    Step(
        "POST /mcp/{code}",
        "a notification",
        202,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        _PATH,
        headers=_IN_SESSION,
    ),
    Step("GET /mcp/{code}", "news of the tools", 200, path=_PATH, headers=_IN_SESSION, events=1),
    Step("GET /mcp/{code}", "since 2026", 405, path=_PATH, headers={"MCP-Protocol-Version": _MODERN}),
    Step("DELETE /mcp/{code}", "a session of 2025", 405, path=_PATH, headers=_IN_SESSION),
    Step("POST /mcp", "with a guest's token", 200, _request("tools/list"), headers=_ACCEPT, bearer="mcp_guest"),
    Step("POST /mcp", "without a token", 401, _request("tools/list"), headers=_ACCEPT),
    Step("GET /mcp", "with a guest's token", 200, headers=_LISTENING, bearer="mcp_guest", events=1),
    Step("DELETE /mcp", "with a guest's token", 405, bearer="mcp_guest"),
    Step(
        "PUT /api/sessions/{code}/address",
        "an MCP address",
        200,
        {"secret": "$address_secret"},
        _PATH,
        bearer="mcp_host",
        keep={"address": "/address"},
    ),
    Step("POST /mcp/{code}", "by an MCP address", 200, _request("tools/list"), _ADDRESS, headers=_ACCEPT),
    Step("POST /api/sessions", "with an MCP address", 201, {"addressSecret": "$address_secret"}),
    Step("DELETE /api/addresses/{address}", "without its secret", 401, path={"address": "$address"}),
    Step(
        "DELETE /api/addresses/{address}", "with its secret", 204, path={"address": "$address"}, bearer="address_secret"
    ),
    Step("POST /mcp/{code}", "by a withdrawn address", 410, _request("tools/list"), _ADDRESS, headers=_ACCEPT),
    Step("DELETE /api/sessions/{code}", "of an MCP client", 204, path=_PATH, bearer="mcp_host"),
)
