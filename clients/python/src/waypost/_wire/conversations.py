"""Conversations: read, appended to, imported, exported, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from waypost._core.messages import Call, segment
from waypost._wire.making import given, json_request, member, nothing, raw_request, read_text, reading
from waypost.types import History, Message, VoiceReply

VOICE_SECONDS = 150.0
"""A voice agent's answer comes whole, and a model may think for long."""


def read_conversation(session_id: str, *, limit: int | None = None, before: str | None = None) -> Call[History]:
    return Call(json_request("GET", _path(session_id), query=given(limit=limit, before=before)), reading(History))


def export_conversation(session_id: str, format: Literal["json", "jsonl", "markdown"]) -> Call[str]:
    return Call(json_request("GET", _path(session_id), query=given(format=format)), read_text)


def import_conversation(session_id: str, lines: bytes) -> Call[History]:
    """Replaces the conversation by an export as JSON lines."""
    headers = {"content-type": "application/x-ndjson"}
    return Call(raw_request("PUT", _path(session_id), lines, headers=headers), reading(History))


def delete_conversation(session_id: str) -> Call[None]:
    return Call(json_request("DELETE", _path(session_id)), nothing)


def append_messages(session_id: str, messages: Sequence[dict[str, Any]]) -> Call[list[str]]:
    """Each has an id, so that a repeat appends nothing."""
    request = json_request("POST", f"{_path(session_id)}/messages", {"messages": messages})
    return Call(request, member(list[str], "ids"))


def delete_message(session_id: str, message_id: str) -> Call[None]:
    return Call(json_request("DELETE", f"{_path(session_id)}/messages/{segment(message_id)}"), nothing)


def pop_message(session_id: str, id: str) -> Call[Message | None]:
    request = json_request("POST", f"{_path(session_id)}/pop", {"id": id})
    return Call(request, member(Message | None, "message"))


def ask_voice(session_id: str, question: str) -> Call[VoiceReply]:
    """Not repeatable: the question may have been answered and stored."""
    body = {"question": question, "sessionId": session_id}
    request = json_request("POST", "/api/voice-agent/chat", body, seconds=VOICE_SECONDS)
    return Call(request, reading(VoiceReply), repeatable=False)


def _path(session_id: str) -> str:
    return f"/api/conversations/{segment(session_id)}"
