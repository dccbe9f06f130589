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
    """The call's id; the message with its result has it as `toolCallId`."""
    name: str
    """The tool's name."""
    args: Any
    """The arguments: any JSON."""


class MessageView(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One message of a conversation."""

    id: str
    """The message's id."""
    role: MessageRole
    """Who speaks."""
    content: Any
    """A text, parts of texts and images, or what a tool returned: any JSON, as it was sent."""
    timestamp: str
    """When the message was made."""
    partial: bool = False
    """An answer that is running, or ended before the model had finished it."""
    tool_calls: list[ToolCallView] = []
    """The tools that an assistant's message calls. Those of a tab are in `toolEvents`."""
    tool_call_id: str | None = None
    """Of a tool's message: the call whose result it is."""
    by_user: bool = False
    """The sender had no app key, so a model is given the message as a user's, whatever its role says."""
    reasoning: str = ""
    """What the model thought before its answer; a model is given it again only if its service demands it."""
    tool_events: list[ToolEvent] = []
    """What the answer's calls of the tab's tools did, in order."""


class ConversationView(msgspec.Struct, frozen=True, rename="camel"):
    """Messages of a conversation."""

    session_id: str
    """The conversation's id, a secret."""
    messages: list[MessageView]
    """The messages, oldest first."""
    truncated: bool
    """Older messages were cut off and are not kept."""
    before: str | UnsetType = UNSET
    """There are older messages that are kept; this is the `before` to read them with."""
    forked_from: ForkOrigin | UnsetType = UNSET
    """Where the conversation was forked from, if it was."""
    read_as: TimesReadAs | UnsetType = UNSET
    """Of an import: how its times were read, if any did not say what they are."""


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
