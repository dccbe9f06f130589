"""Export of a conversation as JSON or JSON lines, and the views that an import reads. Importing an export and exporting
again gives the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from waypost_worker.clock import EPOCH, to_iso
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, MessageRole
from waypost_worker.errors import InvalidBody


class ToolCallView(msgspec.Struct, frozen=True):
    """A tool call in an assistant's message."""

    id: str
    name: str
    args: Any


class MessageView(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One message. `partial`: an answer that is running, or ended before the model had finished it. `byUser`: the
    sender had no app key, so a model is given the message as a user's, whatever its role says. `reasoning`: what the
    model thought before its answer; no model is given it again."""

    id: str
    role: MessageRole
    content: Any
    timestamp: str
    partial: bool = False
    tool_calls: list[ToolCallView] = []
    tool_call_id: str | None = None
    by_user: bool = False
    reasoning: str = ""


class ConversationView(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The last messages of a conversation, oldest first, and where it was forked from."""

    session_id: str
    messages: list[MessageView]
    forked_from: ForkOrigin | None = None


def conversation_view(session_id: str, items: Sequence[ChatMessage], origin: ForkOrigin | None) -> ConversationView:
    """The exported form of a conversation."""
    return ConversationView(session_id, [_message_view(item) for item in items], origin)


def to_json_lines(messages: Sequence[MessageView]) -> bytes:
    """Encodes one message per line: https://github.com/ndjson/ndjson-spec"""
    return b"".join(msgspec.json.encode(message) + b"\n" for message in messages)


def parse_timestamp(text: str) -> int:
    """Returns the milliseconds of an ISO 8601 time with a UTC offset.

    Raises:
        InvalidBody: `text` is no such time, or not within the years 1 to 9999 in UTC.
    """
    try:
        milliseconds = (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)
        # Checks that the time can be formatted again.
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
        item.by_user,
        item.reasoning,
    )
