"""A conversation to take along, as JSON or as JSON lines; and back. What was exported and is brought back is exported
the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from waypost_worker.clock import EPOCH, to_iso
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, MessageRole
from waypost_worker.errors import InvalidBody


class ToolCallView(msgspec.Struct, frozen=True):
    """A call that an assistant's message makes."""

    id: str
    name: str
    args: Any


class MessageView(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One message. `partial`: an answer that was not said to its end, or not yet."""

    id: str
    role: MessageRole
    content: Any
    timestamp: str
    partial: bool = False
    tool_calls: list[ToolCallView] = []
    tool_call_id: str | None = None


class ConversationView(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The last messages of a conversation, oldest first, and where it was forked from."""

    session_id: str
    messages: list[MessageView]
    forked_from: ForkOrigin | None = None


def conversation_view(session_id: str, items: Sequence[ChatMessage], origin: ForkOrigin | None) -> ConversationView:
    """What is shown of a conversation."""
    return ConversationView(session_id, [_message_view(item) for item in items], origin)


def to_json_lines(messages: Sequence[MessageView]) -> bytes:
    """A message a line: https://github.com/ndjson/ndjson-spec"""
    return b"".join(msgspec.json.encode(message) + b"\n" for message in messages)


def parse_timestamp(text: str) -> int:
    """Milliseconds of an ISO 8601 time that names its offset.

    Raises:
        InvalidBody: it is none, or not of the years 1 to 9999 in UTC.
    """
    try:
        milliseconds = (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)
        # What can be written can be shown again.
        to_iso(milliseconds)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidBody("A timestamp is a time like 2026-01-01T00:00:00.000Z.") from error
    return milliseconds


def _message_view(item: ChatMessage) -> MessageView:
    return MessageView(
        item.id,
        item.role,
        item.content,
        to_iso(item.timestamp_ms),
        item.partial or item.is_open,
        [ToolCallView(call.id, call.name, call.args) for call in item.tool_calls],
        item.tool_call_id,
    )
