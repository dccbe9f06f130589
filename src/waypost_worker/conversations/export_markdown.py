"""Export of a conversation as CommonMark: https://spec.commonmark.org/0.31.2/

Content stands in quotes and code blocks that it can't close, so that nothing in it looks like another message.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET

from waypost_worker.conversations.export_json import ConversationView, MessageView
from waypost_worker.conversations.message import ToolEvent
from waypost_worker.conversations.tool_log import segments

_BACKTICKS = re.compile("`+")
_HTML = re.compile(r"<[A-Za-z/!?]")


def to_markdown(view: ConversationView) -> bytes:
    """Formats a heading for each message, then its text as a quote; other JSON, and tool calls, as code. What an
    answer's tools did stands between the parts of its text.

    The session id is left out: it gives access to the conversation, and transcripts are passed on.
    """
    blocks = ["# Conversation"]
    if view.truncated:
        blocks.append("Older messages were not kept.")
    if view.forked_from is not UNSET:
        up_to = f", up to {_code(view.forked_from.message_id)}" if view.forked_from.message_id else ""
        blocks.append(f"Forked from {_code(view.forked_from.thread_id)}{up_to}.")
    for message in view.messages:
        blocks += _message(message)
    return ("\n\n".join(blocks) + "\n").encode()


def _message(message: MessageView) -> Iterator[str]:
    yield f"## {message.role.capitalize()}, {message.timestamp}" + (", partial" if message.partial else "")
    if message.tool_call_id is not None:
        yield f"Answers the call {_code(message.tool_call_id)}:"
    if message.tool_events:
        yield from _steps(message)
        return
    if message.reasoning:
        yield "Reasoning:"
        yield _text(message.reasoning)
        yield "Answer:"
    if not isinstance(message.content, str):
        yield _block(_pretty(message.content), "json")
    elif message.content:
        yield _text(message.content)
    for call in message.tool_calls:
        yield "Calls a tool:"
        yield _block(_pretty(call), "json")


def _steps(message: MessageView) -> Iterator[str]:
    for reasoning, text, event in segments(str(message.content), message.reasoning, message.tool_events):
        if reasoning:
            yield "Reasoning:"
            yield _text(reasoning)
        if text:
            yield from ("Answer:",) if reasoning else ()
            yield _text(text)
        if event is not None:
            yield from _tool_event(event)


def _tool_event(event: ToolEvent) -> Iterator[str]:
    if event.kind == "call":
        yield "Calls a tool:"
        yield _block(_pretty({"id": event.id, "name": event.name, "args": event.value}), "json")
        return
    what = "Progress" if event.kind == "progress" else "Error" if event.is_error else "Result"
    yield f"{what} of the call {_code(event.id)}:"
    yield _text(event.value) if isinstance(event.value, str) else _block(_pretty(event.value), "json")


def _text(text: str) -> str:
    # HTML escapes a quote: a comment, or a closing tag, reaches beyond it.
    if _HTML.search(text):
        return _block(text, "")
    return "\n".join(f"> {line}" if line else ">" for line in _lines(text))


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _block(text: str, language: str) -> str:
    fence = _fence(text, 3)
    return "\n".join((fence + language, *_lines(text), fence))


def _code(text: str) -> str:
    fence, text = _fence(text, 1), " ".join(_lines(text))
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def _fence(text: str, least: int) -> str:
    """A fence of more backticks than any run of them in `text`, at least `least`."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)


def _lines(text: str) -> list[str]:
    """Splits at every line end that Markdown knows: CR LF, CR and LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
