"""How each route is called, in words that a world fills in: `$code` stands for that world's code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode


@dataclass(frozen=True)
class Sent:
    """One request, ready to be sent."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Shape:
    """What a call of a route consists of besides its path."""

    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


PATH = {
    "code": "$code",
    "sid": "$sid",
    "sessionId": "$sid",
    "id": "$call",
    "name": "$document",
    "intentId": "$intent",
    "threadId": "$running",
    "messageId": "$message",
    "resourceId": "$resource",
    "address": "$address",
}
"""What stands in the parameters of a path."""

MCP_READS = {"Accept": "text/event-stream", "Mcp-Session-Id": "$mcp_session"}
MCP_ASKS = {"Accept": "application/json, text/event-stream"}
LIST_TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
READ_RESOURCE = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "$page_uri"}}
THREAD = {"threadId": "$thread", "resourceId": "$resource"}

HEADERS = ("Last-Event-ID", "If-Match", "If-None-Match", "Mcp-Session-Id")

SHAPES: dict[str, Shape] = {
    "PUT /api/sessions/{code}/tools": Shape(body={"tools": []}),
    "PUT /api/sessions/{code}/address": Shape(body={"secret": "$secret"}),
    "GET /api/sessions": Shape({"resourceId": "$resource"}),
    "DELETE /api/sessions": Shape(body=THREAD),
    "POST /api/sessions/metadata": Shape(body={**THREAD, "metadata": {"n": 1}}),
    "POST /api/tokens": Shape(body={"resourceId": "$resource"}),
    "POST /api/request": Shape(body={"code": "$code", "tool": "echo"}),
    "POST /api/request/{id}/cancel": Shape(body={"code": "$code"}),
    "POST /api/response": Shape(body={"code": "$code", "id": "$call", "result": 1}),
    "POST /api/ack": Shape(body={"code": "$code", "cursors": ["$taken"]}),
    "GET /api/stream": Shape({"code": "$code"}),
    "GET /api/poll": Shape({"code": "$code"}),
    "PUT /api/conversations/{sessionId}": Shape(body={"messages": [{"role": "user", "content": "new"}]}),
    "POST /api/conversations/{sessionId}/messages": Shape(body={"messages": [{"role": "user", "content": "new"}]}),
    "POST /api/conversations/{sessionId}/pop": Shape(body={"id": "$call"}),
    "POST /api/threads": Shape(body=THREAD),
    "PATCH /api/threads/{threadId}": Shape(body={"resourceId": "$resource", "title": "new"}),
    "POST /api/voice-agent/chat": Shape(body={"question": "What?", "sessionId": "$sid"}),
    "POST /api/voice-agent/chat session.token": Shape(
        body={"question": "What?", "sessionId": "$sid", "session": {"token": "x"}}
    ),
    "POST /api/chat": Shape(body={**THREAD, "message": "Hi"}),
    "POST /api/chat id": Shape(
        body={
            "id": "$thread",
            "resourceId": "$resource",
            "messages": [{"id": "new", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}],
        }
    ),
    "POST /api/chat session.token": Shape(body={**THREAD, "message": "Hi", "session": {"token": "x"}}),
    "POST /api/chat/fork session.token": Shape(
        body={
            "forkFromThreadId": "$thread",
            "threadId": "new-fork",
            "resourceId": "$resource",
            "message": "Hi",
            "session": {"token": "x"},
        }
    ),
    "POST /api/chat/fork": Shape(
        body={"forkFromThreadId": "$thread", "threadId": "new-fork", "resourceId": "$resource"}
    ),
    "GET /api/chat/{threadId}": Shape({"resourceId": "$resource"}),
    "GET /api/chat/{threadId}/stream": Shape({"resourceId": "$resource"}),
    "POST /api/chat/{threadId}/stop": Shape(body={"resourceId": "$resource"}),
    "PUT /api/sessions/{sid}/intents": Shape(body=1),
    "PUT /api/sessions/{sid}/theme": Shape(body=1),
    "PUT /api/sessions/{sid}/documents/{name}": Shape(body=1),
    "POST /mcp/{code}": Shape(headers=MCP_ASKS, body=LIST_TOOLS),
    "POST /mcp": Shape(headers=MCP_ASKS, body=LIST_TOOLS),
    "POST /mcp/{code} params.uri": Shape(headers=MCP_ASKS, body=READ_RESOURCE),
    "POST /mcp params.uri": Shape(headers=MCP_ASKS, body=READ_RESOURCE),
    "GET /mcp/{code}": Shape(headers=MCP_READS),
    "GET /mcp": Shape(headers=MCP_READS),
    "GET /api/pages/{intentId}": Shape({"sessionId": "$sid"}),
    "PUT /api/pages/{intentId}": Shape(body={"html": "<p>", "sessionId": "$sid"}),
    "DELETE /api/pages/{intentId}": Shape({"sessionId": "$sid"}),
}
"""Routes that need more than their path; and where a slot is not in that, the call that has it."""


def make_call(route: str, ids: Mapping[str, str], bearer: str | None = None, slot: str = "", value: Any = None) -> Sent:
    """A call of `route` (method and template) with `ids`; what stands in `slot` is `value` instead, or nothing.

    A slot is the name of a parameter of path or query, of a header, or of a field of the body (`body:name` where the
    path has one of that name too).
    """
    method, template = route.split(" ")
    shape = SHAPES.get(f"{route} {slot}") or SHAPES.get(route, Shape())
    path = "/".join(
        quote(str(value if part[1:-1] == slot else _filled(PATH[part[1:-1]], ids)), safe="")
        if part.startswith("{")
        else part
        for part in template.split("/")
    )
    query, headers, body = (_filled(part, ids) for part in (shape.query, shape.headers, shape.body))
    if slot and f"{{{slot}}}" not in template:
        if slot in HEADERS:
            headers = headers | {slot: value}
        elif method in ("POST", "PUT") or body is not None:
            body = _with(body or {}, slot, value)
        else:
            query = _with(query, slot, value)
    if bearer:
        headers = headers | {"Authorization": f"Bearer {bearer}"}
    if body is None:
        return Sent(method, path + (f"?{urlencode(query)}" if query else ""), headers)
    headers = headers | {"Content-Type": "application/json"}
    return Sent(method, path + (f"?{urlencode(query)}" if query else ""), headers, json.dumps(body).encode())


def _with(fields: dict[str, Any], slot: str, value: Any) -> dict[str, Any]:
    """`fields` with another value in one of them: as a list where there was one, in each message where they have it."""
    slot = slot.removeprefix("body:")
    if value is None:
        return {name: kept for name, kept in fields.items() if name != slot}
    outer, _, inner = slot.partition(".")
    if inner and isinstance(fields[outer], dict):
        return {**fields, outer: {**fields[outer], inner: value}}
    if inner:
        return {**fields, outer: [{**message, inner: value} for message in fields[outer]]}
    is_one_of_many = isinstance(fields.get(slot), list) and isinstance(value, str)
    return {**fields, slot: [value] if is_one_of_many else value}


def _filled(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return ids[value[1:]] if value.startswith("$") else value
    if isinstance(value, Mapping):
        return {name: _filled(part, ids) for name, part in value.items()}
    return [_filled(part, ids) for part in value] if isinstance(value, list) else value
