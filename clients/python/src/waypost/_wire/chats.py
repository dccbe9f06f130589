"""Chats: questions, answers as streams, forks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from waypost._core.messages import Call, Request, segment
from waypost._wire.making import given, json_request, member, reading
from waypost.types import Stopped, Thread

_STREAM = {"accept": "text/event-stream", "accept-encoding": "identity"}


def ask(
    message: str | Sequence[Mapping[str, Any]],
    thread_id: str,
    resource_id: str,
    message_id: str,
    *,
    agent: str | None = None,
    interrupt: bool = False,
    metadata: Mapping[str, str] | None = None,
    session: Mapping[str, str] | None = None,
) -> Request:
    """A question; the reply is a stream. Repeatable by `message_id`."""
    body = {
        "message": message,
        "threadId": thread_id,
        "resourceId": resource_id,
        "messageId": message_id,
        "agent": agent,
        "interrupt": interrupt or None,
        "metadata": metadata,
        "session": session,
    }
    return json_request("POST", "/api/chat", body, query=given(format="events"), headers=_STREAM)


def follow(thread_id: str, resource_id: str, last_event_id: str = "") -> Request:
    """The running answer of a thread, from its beginning or from an event on; 204 if there is none."""
    headers = _STREAM | ({"last-event-id": last_event_id} if last_event_id else {})
    path = f"/api/chat/{segment(thread_id)}/stream"
    return json_request("GET", path, query=given(resourceId=resource_id, format="events"), headers=headers)


def stop(thread_id: str, resource_id: str, generation_id: str | None) -> Call[Stopped]:
    """Repeatable if it names the answer: another one, which began meanwhile, is not stopped then."""
    body = {"resourceId": resource_id, "generationId": generation_id}
    request = json_request("POST", f"/api/chat/{segment(thread_id)}/stop", body)
    return Call(request, reading(Stopped), repeatable=generation_id is not None)


def fork(
    parent_id: str,
    thread_id: str,
    resource_id: str,
    *,
    at_message_id: str | None = None,
    agent: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Call[Thread]:
    """Not repeatable: of a thread that is there, nothing says that it was this request that began it."""
    body = {
        "forkFromThreadId": parent_id,
        "threadId": thread_id,
        "resourceId": resource_id,
        "atMessageId": at_message_id,
        "agent": agent,
        "metadata": metadata,
    }
    return Call(json_request("POST", "/api/chat/fork", body), member(Thread, "session"), repeatable=False)
