"""Sessions: opened, read, joined, extended, left, ended; and the tools that their hosts offer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from waypost._core.messages import Call, segment
from waypost._wire.making import json_request, nothing, reading
from waypost.types import Model, SessionInfo

LEAVE_SECONDS = 5.0
"""How long a process that ends waits for its goodbye."""


class Opened(Model, frozen=True):
    """A session that was opened."""

    code: str
    host_token: str
    session_id: str
    created_at: datetime
    expires_at: datetime
    address: str | None = None


class Joined(Model, frozen=True):
    """A guest's token."""

    code: str
    guest_token: str
    expires_at: datetime


class Extended(Model, frozen=True):
    """Until when a session lasts now."""

    expires_at: datetime


class Address(Model, frozen=True):
    """An MCP address."""

    address: str


def open_session(
    *,
    ttl: int | None = None,
    label: str | None = None,
    data: Any = None,
    map_tool_names: bool | None = None,
    address_secret: str | None = None,
) -> Call[Opened]:
    """Not repeatable: it has no id. A session that nothing was heard of is over after ten minutes."""
    body = {"ttl": ttl, "label": label, "data": data, "mapToolNames": map_tool_names, "addressSecret": address_secret}
    return Call(json_request("POST", "/api/sessions", body), reading(Opened), repeatable=False)


def read_session(code: str, token: str | None = None) -> Call[SessionInfo]:
    return Call(json_request("GET", f"/api/sessions/{segment(code)}", token=token), reading(SessionInfo))


def join_session(code: str, id: str) -> Call[Joined]:
    """A code may let in one guest only: the same `id` joins again."""
    return Call(json_request("POST", f"/api/sessions/{segment(code)}/join", {"id": id}), reading(Joined))


def extend_session(code: str, token: str) -> Call[Extended]:
    return Call(json_request("POST", f"/api/sessions/{segment(code)}/extend", token=token), reading(Extended))


def end_session(code: str, token: str) -> Call[None]:
    return Call(json_request("DELETE", f"/api/sessions/{segment(code)}", token=token), nothing)


def leave_session(code: str, token: str, instance: str) -> Call[None]:
    path = f"/api/sessions/{segment(code)}/leave"
    return Call(json_request("POST", path, {"instance": instance}, token=token, seconds=LEAVE_SECONDS), nothing)


def put_tools(code: str, token: str, tools: list[dict[str, Any]]) -> Call[None]:
    return Call(json_request("PUT", f"/api/sessions/{segment(code)}/tools", {"tools": tools}, token=token), nothing)


def claim_address(code: str, token: str, secret: str) -> Call[Address]:
    """Also from a newer session."""
    body = {"secret": secret, "claim": True}
    return Call(json_request("PUT", f"/api/sessions/{segment(code)}/address", body, token=token), reading(Address))
