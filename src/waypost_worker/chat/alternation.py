"""Messages in the order that every chat model takes.

The templates of Mistral and Gemma, and services on them, refuse anything else: after an optional system message, user
and assistant take turns and the user begins; a tool's result stands right after its call, and an assistant's message
follows it.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.openai_messages import JoinedMessage, are_parts, text_of

SEPARATOR = "\n\n"
"""Between two messages that are joined."""

NO_ANSWER = "[No answer followed.]"
"""Stands between a tool's result and the next user's message where the answer was not finished."""


def grouped(items: Iterable[ChatMessage]) -> list[ChatMessage]:
    """`items` with the results of tools right behind their calls; without calls that have no result, results that have
    no call, and messages in which nothing is said."""
    items = list(items)
    results = {item.tool_call_id: item for item in items if item.role == "tool"}
    ordered: list[ChatMessage] = []
    for item in items:
        if item.role == "tool":
            continue
        called = [call for call in item.tool_calls if call.id in results and item.role == "assistant"]
        if called or not _says_nothing(item):
            ordered.append(msgspec.structs.replace(item, tool_calls=called))
            ordered += [results.pop(call.id) for call in called]
    return ordered


def joined(items: Sequence[ChatMessage]) -> list[ChatMessage]:
    """`items` with neighbours of one role as one message, and a note where a user's message follows a tool's result."""
    merged: list[ChatMessage] = []
    for item in items:
        last = merged[-1] if merged else None
        # An assistant's message with calls ends with their results, so nothing is joined to it.
        if last is not None and last.role == item.role != "tool":
            content = _joined_content(last.content, item.content)
            if item.role == "user":
                merged[-1] = JoinedMessage(last.id, "user", content, last.timestamp_ms, newest=item.content)
                continue
            reasoning = last.reasoning + item.reasoning
            merged[-1] = msgspec.structs.replace(last, content=content, tool_calls=item.tool_calls, reasoning=reasoning)
        else:
            merged.append(item)
    bridged: list[ChatMessage] = merged[:1]
    for before, item in pairwise(merged):
        if before.role == "tool" and item.role == "user":
            bridged.append(ChatMessage(f"{before.id}-end", "assistant", NO_ANSWER, before.timestamp_ms))
        bridged.append(item)
    return bridged


def _says_nothing(item: ChatMessage) -> bool:
    return isinstance(item.content, str) and not item.content.strip()


def _joined_content(first: Any, second: Any) -> Any:
    if are_parts(first) or are_parts(second):
        return [*_parts(first), *_parts(second)]
    return SEPARATOR.join(text for content in (first, second) if (text := text_of(content)))


def _parts(content: Any) -> list[Any]:
    return content if are_parts(content) else [{"type": "text", "text": text_of(content)}]
