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
_CALL = {"code": "$code", "tool": "add_note", "args": {"text": "Hello, tab"}, "id": "call-1"}

SESSIONS = (
    Step(
        "POST /api/sessions",
        "a labelled session",
        201,
        {"label": "Ada's board", "ttl": 900},
        keep={"code": "/code", "host": "/hostToken"},
    ),
    Step("PUT /api/sessions/{code}/tools", "one tool", 200, {"tools": _TOOLS}, _CODE, bearer="host"),
    Step("GET /api/sessions/{code}", "by its code", 200, path=_CODE),
    Step("POST /api/sessions/{code}/join", "with the code", 200, path=_CODE, keep={"guest": "/guestToken"}),
    Step("POST /api/request", "a tool call", 202, _CALL, bearer="guest", keep={"asked": "/cursor"}),
    Step("GET /api/poll", "as the host", 200, query=_CODE, bearer="host"),
    Step("GET /api/stream", "as the host", 200, query=_CODE, bearer="host", events=2),
    Step(
        "GET /api/stream",
        "as an instance of the host",
        200,
        query={**_CODE, "instance": "k3s9-kitchen-tablet"},
        bearer="host",
        events=1,
    ),
    Step("GET /api/stream", "as lines", 200, query=_CODE, headers={"Accept": NDJSON}, bearer="host", events=3),
    Step(
        "POST /api/response",
        "the result",
        202,
        {"code": "$code", "id": "call-1", "result": {"notes": 1}},
        bearer="host",
    ),
    Step("POST /api/request", "the same call again", 200, _CALL, bearer="guest"),
    Step(
        "GET /api/poll",
        "as a guest",
        200,
        query=_CODE,
        bearer="guest",
        keep={"answered": "/messages/0/data/cursor"},
    ),
    Step("POST /api/ack", "an answer", 200, {"code": "$code", "cursors": ["$answered"]}, bearer="guest"),
    Step("POST /api/request", "a call by the code alone", 202, {"code": "$code", "tool": "add_note", "id": "call-2"}),
    Step("POST /api/request/{id}/cancel", "a call that waits", 202, _CODE, {"id": "call-2"}, bearer="guest"),
    Step(
        "POST /api/response",
        "an error",
        202,
        {"code": "$code", "id": "call-3", "error": {"code": "full", "message": "The board is full."}},
        bearer="host",
    ),
    Step("POST /api/request/{id}/cancel", "too late", 409, _CODE, {"id": "call-3"}, bearer="guest"),
    Step("POST /api/sessions/{code}/extend", "by the host", 200, path=_CODE, bearer="host"),
    Step("POST /api/sessions/{code}/extend", "by a guest", 403, path=_CODE, bearer="guest"),
    Step(
        "POST /api/sessions/{code}/leave",
        "the instance goes",
        204,
        {"instance": "k3s9-kitchen-tablet"},
        _CODE,
        bearer="host",
    ),
    Step("DELETE /api/sessions/{code}", "without a token", 401, path=_CODE),
    Step("DELETE /api/sessions/{code}", "by the host", 204, path=_CODE, bearer="host"),
    Step("GET /api/sessions/{code}", "after its end", 410, path=_CODE),
)
