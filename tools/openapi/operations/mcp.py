"""`/mcp/{code}` (or an MCP address) and `/mcp`: the Model Context Protocol, described as far as HTTP goes; what the
messages say is in its own specification."""

from __future__ import annotations

from typing import Any

from tools.openapi.grammars import CODE_OR_ADDRESS, Json
from tools.openapi.parts import EVENTS, GUEST, JSON, Operation, Parameter, Reply
from waypost_worker.limits import MAX_BATCH_MESSAGES

_MESSAGE: Json = {
    "type": "object",
    "description": "One JSON-RPC 2.0 message: https://modelcontextprotocol.io/specification/2026-07-28/basic",
    "properties": {"jsonrpc": {"const": "2.0", "description": "The version of JSON-RPC."}},
    "required": ["jsonrpc"],
}
_BATCH: Json = {
    "type": "array",
    "description": "Several messages, or the replies to them: of 2025-03-26 only.",
    "items": _MESSAGE,
    "minItems": 1,
    "maxItems": MAX_BATCH_MESSAGES,
}
_MESSAGES: Json = {"anyOf": [_MESSAGE, _BATCH]}
_EVENTS: Json = {
    "anyOf": [
        {
            "type": "object",
            "description": "A JSON-RPC message; or an event without data whose id a client resumes from.",
            "properties": {
                "event": {"const": "message", "description": "The event's name."},
                "data": {"type": "string", "description": "The message as JSON, or empty."},
                "id": {"type": "string", "description": "Where a client resumes from: its next `Last-Event-ID`."},
                "retry": {"type": "integer", "description": "Milliseconds to wait before it does."},
            },
            "required": ["event", "data"],
        }
    ]
}
_ERRORS = {
    400: ("No message, or one that the protocol does not define.", ()),
    401: ("A token is missing or invalid.", ("WWW-Authenticate",)),
    403: ("The token is for another session, or the page's origin is not allowed.", ()),
    404: ("No such session; or, since 2026-07-28, no such method.", ()),
    406: ("`Accept` names neither JSON nor events, or not the one that is needed.", ()),
    408: ("The body did not arrive in time.", ()),
    410: ("The session was ended, or no tab has the MCP address any more.", ()),
    413: ("The body is too large.", ()),
    415: ("The body is not JSON.", ()),
    429: ("Too many requests.", ("Retry-After",)),
    431: ("A header field is too long.", ()),
    503: ("The service is unavailable.", ("Retry-After",)),
}
_REFUSED = 405
_SESSION = Parameter("Mcp-Session-Id", {"type": "string"}, "Up to 2025-11-25; as `initialize` gave it.", where="header")
_LAST = Parameter("Last-Event-ID", {"type": "string"}, "The event id to resume a stream from.", where="header")
_DESCRIPTION = (
    "Streamable HTTP of the revisions 2026-07-28, 2025-11-25, 2025-06-18 and 2025-03-26; the last one has batches. "
    "Errors are JSON-RPC errors, without an id if none could be read. Programs branch on `error.data.code`, the code "
    "of this API if it has one."
)


def _failures(*statuses: int) -> dict[int, Reply]:
    return {
        status: Reply(_ERRORS[status][0], {JSON: _MESSAGE}, _ERRORS[status][1])
        for status in _ERRORS
        if status in statuses
    }


def _operations(path: str, suffix: str) -> dict[str, Operation]:
    common: dict[str, Any] = {"tag": "mcp", "security": GUEST, "also_problems": True}
    if "{code}" in path:
        common["path_schemas"] = {"code": CODE_OR_ADDRESS}
    refusal = Reply("Not for this revision of the protocol.", {}, ())
    return {
        f"POST {path}": Operation(
            f"postMcp{suffix}",
            replies={
                200: Reply("The reply, or a stream that ends with it.", {JSON: _MESSAGES, EVENTS: _EVENTS}),
                202: Reply("A notification was accepted."),
                **_failures(*_ERRORS),
            },
            parameters=(_SESSION,),
            body={JSON: _MESSAGES},
            description=_DESCRIPTION,
            **common,
        ),
        f"GET {path}": Operation(
            f"streamMcp{suffix}",
            replies={
                200: Reply("Notifications of changed tools, or the rest of a call.", {EVENTS: _EVENTS}),
                _REFUSED: refusal,
                **_failures(400, 401, 403, 404, 406, 410, 429, 431, 503),
            },
            parameters=(_SESSION, _LAST),
            description="Up to 2025-11-25. Clients of 2026-07-28 get 405: they listen by `subscriptions/listen`.",
            **common,
        ),
        f"DELETE {path}": Operation(
            f"deleteMcp{suffix}",
            replies={_REFUSED: refusal},
            description="What ties a client to a tab is the code, the MCP address or the token in its configuration.",
            **common,
        ),
    }


OPERATIONS = {**_operations("/mcp/{code}", ""), **_operations("/mcp", "ByToken")}
