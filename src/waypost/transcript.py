"""A conversation to take along, as JSON, JSON lines or Markdown; and back from the first two.

What was exported and is imported again is exported the same.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from waypost.clock import to_iso
from waypost.item import Item, Origin, Role, ToolCall


class MessageView(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One message. `partial`: an answer that was not said to its end, or not yet."""

    id: str
    role: Role
    content: Any
    timestamp: str
    partial: bool = False
    tool_calls: list[ToolCall] = []
    tool_call_id: str | None = None


class ConversationView(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The last messages of a conversation, oldest first, and where it was forked from."""

    session_id: str
    messages: list[MessageView]
    forked_from: Origin | None = None


def view_of(item: Item) -> MessageView:
    """What is shown of `item`."""
    return MessageView(
        item.id,
        item.role,
        item.content,
        to_iso(item.timestamp_ms),
        item.partial,
        item.tool_calls,
        item.tool_call_id,
    )


def item_of(view: MessageView, timestamp_ms: int) -> Item:
    """The message that `view` shows; said at `timestamp_ms`."""
    return Item(
        view.id,
        view.role,
        view.content,
        timestamp_ms,
        tool_calls=view.tool_calls,
        tool_call_id=view.tool_call_id,
        partial=view.partial,
    )


def parse_timestamp(text: str) -> int:
    """Milliseconds of an ISO 8601 time that says its zone.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return round(moment.timestamp() * 1000)


def to_json_lines(views: Sequence[MessageView]) -> bytes:
    """A message a line: https://github.com/ndjson/ndjson-spec"""
    return b"".join(msgspec.json.encode(view) + b"\n" for view in views)


def to_markdown(view: ConversationView) -> bytes:
    """For reading: a heading for each message, its text as it is, calls of tools and other JSON as code."""
    parts = [f"# Conversation {view.session_id}\n"]
    if view.forked_from is not None:
        parts.append(f"Forked from {_code(view.forked_from.thread_id)}.\n")
    for message in view.messages:
        note = " (partial)" if message.partial else ""
        parts.append(f"## {message.role.capitalize()}, {message.timestamp}{note}\n")
        if message.tool_call_id is not None:
            parts.append(f"Answers the call {_code(message.tool_call_id)}.\n")
        if isinstance(message.content, str):
            # A line that looks like a heading would look like another message.
            parts.append(
                "\n".join(f"\\{line}" if line.startswith("#") else line for line in message.content.split("\n"))
            )
            parts.append("")
        else:
            parts.append(_block(message.content))
        for call in message.tool_calls:
            parts.append(f"Calls {_code(call.name or 'a tool')} as {_code(call.id)}:\n")
            parts.append(_block(call.args))
    return "\n".join(parts).encode()


def _block(value: Any) -> str:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return f"{_fence(text, 3)}json\n{text}\n{_fence(text, 3)}\n"


def _code(text: str) -> str:
    fence = _fence(text, 1)
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def _fence(text: str, least: int) -> str:
    """More backticks than stand together anywhere in `text`: https://spec.commonmark.org/0.31.2/#fenced-code-blocks"""
    longest = run = 0
    for letter in text:
        run = run + 1 if letter == "`" else 0
        longest = max(longest, run)
    return "`" * max(least, longest + 1)
