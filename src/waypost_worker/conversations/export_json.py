"""Export of a conversation as JSON or JSON lines, and the views that an import reads. Importing an export and exporting
again gives the same."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from waypost_worker.clock import to_iso
from waypost_worker.conversations.conversation import History
from waypost_worker.conversations.import_times import TimesReadAs
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, MessageRole, ToolEvent


class ToolCallView(msgspec.Struct, frozen=True):
    """A tool call in an assistant's message."""

    id: str
    name: str
    args: Any


class MessageView(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One message. `partial`: an answer that is running, or ended before the model had finished it. `byUser`: the
    sender had no app key, so a model is given the message as a user's, whatever its role says. `reasoning`: what the
    model thought before its answer; a model is given it again only if its service demands it. `toolEvents`: what the
    answer's tool calls did, in order."""

    id: str
    role: MessageRole
    content: Any
    timestamp: str
    partial: bool = False
    tool_calls: list[ToolCallView] = []
    tool_call_id: str | None = None
    by_user: bool = False
    reasoning: str = ""
    tool_events: list[ToolEvent] = []


class ConversationView(msgspec.Struct, frozen=True, rename="camel"):
    """Messages of a conversation, oldest first, and where it was forked from. `truncated`: older messages were cut off
    and are not kept. `before`: there are older ones that are kept; this is the `before` to read them with. `readAs`: of
    an import, how its times were read."""

    session_id: str
    messages: list[MessageView]
    truncated: bool
    before: str | UnsetType = UNSET
    forked_from: ForkOrigin | UnsetType = UNSET
    read_as: TimesReadAs | UnsetType = UNSET


def conversation_view(session_id: str, history: History, before: str | None = None) -> ConversationView:
    """The exported form of a conversation."""
    messages = [message_view(item) for item in history.items]
    return ConversationView(session_id, messages, history.truncated, before or UNSET, history.origin or UNSET)


def to_json_lines(messages: Sequence[MessageView]) -> bytes:
    """Encodes one message per line: https://github.com/ndjson/ndjson-spec"""
    return b"".join(msgspec.json.encode(message) + b"\n" for message in messages)


def message_view(item: ChatMessage) -> MessageView:
    """The exported form of a message."""
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
        item.tool_events,
    )
