"""A tab is opened, called, and closed."""

from __future__ import annotations

from tools.openapi.example_calls.step import Step
from tools.openapi.parts import NDJSON

_TOOLS = [
    {
        "name": "add_note",
        "description": "Pins a note to the board.",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    }
]
_CODE = {"code": "$code"}
_BRIEF = {"code": "$brief_code"}
_CALL = {"code": "$code", "tool": "add_note", "args": {"text": "Hello, tab"}, "id": "call-1"}
_INSTANCE = "k3s9-kitchen-tablet"

SESSIONS = (
    Step(
        "POST /api/sessions",
        "a labelled session, which the other commands use",
        201,
        {"label": "Ada's board", "ttl": 900},
        keep={"code": "/code", "host_token": "/hostToken", "session_id": "/sessionId"},
    ),
    Step(
        "POST /api/sessions",
        "one for a minute",
        201,
        {"ttl": 60},
        keep={"brief_code": "/code", "brief_host_token": "/hostToken"},
    ),
    Step("PUT /api/sessions/{code}/tools", "one tool", 200, {"tools": _TOOLS}, _CODE, bearer="host_token"),
    Step("POST /api/sessions/{code}/join", "with the code", 200, path=_CODE, keep={"guest_token": "/guestToken"}),
    Step("GET /api/sessions/{code}", "by its code", 200, path=_CODE),
    Step("POST /api/sessions/{code}/extend", "by the host", 200, path=_CODE, bearer="host_token"),
    Step("POST /api/sessions/{code}/extend", "by a guest", 403, path=_CODE, bearer="guest_token"),
    Step(
        "POST /api/sessions/{code}/leave",
        "the instance goes",
        204,
        {"instance": _INSTANCE},
        _CODE,
        bearer="host_token",
    ),
    Step("DELETE /api/sessions/{code}", "without a token", 401, path=_BRIEF),
    Step("DELETE /api/sessions/{code}", "the one for a minute", 204, path=_BRIEF, bearer="brief_host_token"),
    Step("GET /api/sessions/{code}", "after its end", 410, path=_BRIEF),
)

CALLS = (
    Step("POST /api/request", "a tool call", 202, _CALL, bearer="guest_token"),
    Step("POST /api/request", "a call by the code alone", 202, {"code": "$code", "tool": "add_note", "id": "call-2"}),
    Step("GET /api/stream", "as the host", 200, query=_CODE, bearer="host_token", events=2),
    Step(
        "GET /api/stream",
        "as an instance of the host",
        200,
        query={**_CODE, "instance": _INSTANCE},
        bearer="host_token",
        events=1,
    ),
    Step("GET /api/stream", "as lines", 200, query=_CODE, headers={"Accept": NDJSON}, bearer="host_token", events=3),
    Step(
        "POST /api/response",
        "the result",
        202,
        {"code": "$code", "id": "call-1", "result": {"notes": 1}},
        bearer="host_token",
    ),
    Step(
        "POST /api/response",
        "an error",
        202,
        {"code": "$code", "id": "call-3", "error": {"code": "full", "message": "The board is full."}},
        bearer="host_token",
    ),
    Step("POST /api/request", "the same call again", 200, _CALL, bearer="guest_token", is_command=False),
    Step("GET /api/poll", "as the host", 200, query=_CODE, bearer="host_token"),
    Step("GET /api/poll", "as a guest", 200, query=_CODE, bearer="guest_token", keep={"cursor": "/cursor"}),
    Step("POST /api/ack", "an answer", 200, {"code": "$code", "cursors": ["$cursor"]}, bearer="guest_token"),
    Step("POST /api/request/{id}/cancel", "a call that waits", 202, _CODE, {"id": "call-2"}, bearer="guest_token"),
    Step("POST /api/request/{id}/cancel", "too late", 409, _CODE, {"id": "call-1"}, bearer="guest_token"),
)
