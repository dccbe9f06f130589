"""Threads of a resource: listed, begun, changed, deleted, exported."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from waypost._core.messages import Call, Reply, segment
from waypost._wire.making import given, json_request, member, reading
from waypost.errors import TransportError
from waypost.types import Model, Thread, ThreadPage

PART_SECONDS = 150.0
"""One request deletes or reads as much as its storage operations allow."""


class DeletedPart(Model, frozen=True):
    """What one request deleted. `done`: nothing is left."""

    deleted: int
    done: bool
    visible_until: datetime


class DeletedThread(Model, frozen=True):
    """Whether there was one."""

    success: bool


def list_threads(
    resource_id: str,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    archived: bool | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Call[ThreadPage]:
    query = given(resourceId=resource_id, limit=limit, cursor=cursor, archived=archived)
    query |= {f"metadata.{name}": value for name, value in (metadata or {}).items()}
    return Call(json_request("GET", "/api/sessions", query=query), reading(ThreadPage))


def begin_thread(
    thread_id: str,
    resource_id: str,
    *,
    title: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    agent: str | None = None,
) -> Call[Thread]:
    body = {"threadId": thread_id, "resourceId": resource_id, "title": title, "metadata": metadata, "agent": agent}
    return Call(json_request("POST", "/api/threads", body), member(Thread, "session"))


def read_thread(thread_id: str, resource_id: str) -> Call[Thread]:
    body = {"threadId": thread_id, "resourceId": resource_id}
    return Call(json_request("POST", "/api/sessions/metadata", body), member(Thread, "session"))


def change_thread(
    thread_id: str,
    resource_id: str,
    *,
    title: str | None = None,
    archived: bool | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[Thread]:
    body = {"resourceId": resource_id, "title": title, "archived": archived, "metadata": metadata}
    return Call(json_request("PATCH", f"/api/threads/{segment(thread_id)}", body), member(Thread, "session"))


def delete_thread(thread_id: str, resource_id: str) -> Call[DeletedThread]:
    body = {"threadId": thread_id, "resourceId": resource_id}
    return Call(json_request("DELETE", "/api/sessions", body, seconds=PART_SECONDS), reading(DeletedThread))


def delete_resource(resource_id: str) -> Call[DeletedPart]:
    path = f"/api/resources/{segment(resource_id)}"
    return Call(json_request("DELETE", path, seconds=PART_SECONDS), reading(DeletedPart))


def export_resource(resource_id: str, cursor: str | None = None) -> Call[list[dict[str, Any]]]:
    """One part: lines, of which the last one is `end`, or `more` with the cursor of the next part."""
    path = f"/api/resources/{segment(resource_id)}/export"
    return Call(json_request("GET", path, query=given(cursor=cursor), seconds=PART_SECONDS), _read_lines)


def _read_lines(reply: Reply) -> list[dict[str, Any]]:
    try:
        lines = msgspec.json.decode(b"[" + b",".join(reply.body.splitlines()) + b"]", type=list[dict[str, Any]])
    except msgspec.DecodeError as error:
        raise TransportError("A line of the export is not JSON.") from error
    if not lines or lines[-1].get("kind") not in ("more", "end"):
        raise TransportError("A part of the export is cut off.")
    return lines
