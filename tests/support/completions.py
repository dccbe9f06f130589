"""What an OpenAI-compatible service says, as bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

DONE = b"data: [DONE]\n\n"

TEXT = "Grüße aus 東京, 👋🏽 — 'q' \"q\" \\ \n new\r\nline\ttab \u2028 end"
"""Characters of one to four bytes, and all that is escaped."""


def event(data: Any) -> bytes:
    """One event; characters stand there as they are, in UTF-8."""
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def chunk(content: str | None = None, finish_reason: str | None = None, **delta: Any) -> bytes:
    """A chunk of a chat completion."""
    said = delta if content is None else {"content": content, **delta}
    choice = {"index": 0, "delta": said, "logprobs": None, "finish_reason": finish_reason}
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


def said(*deltas: str, finish_reason: str = "stop") -> list[bytes]:
    """A whole answer, as such a service streams it: the role, the deltas, the reason to end, the bill, `[DONE]`."""
    usage = event({"id": "chatcmpl-1", "choices": [], "usage": {"total_tokens": 7}})
    last = chunk(finish_reason=finish_reason)
    return [chunk(role="assistant", content=""), *map(chunk, deltas), last, usage, DONE]


def calling(text: str, **calls: object) -> list[bytes]:
    """A reply that says `text` and then calls tools: their names, with their arguments."""
    uses = [
        {"index": index, "id": f"use-{index}", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for index, (name, arguments) in enumerate(calls.items())
    ]
    return [chunk(text), chunk(tool_calls=uses), chunk(finish_reason="tool_calls"), DONE]


def whole(content: str | None) -> bytes:
    """A whole answer of a service that does not stream."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice]}).encode()


def workers_ai(*deltas: str | int | float, usage: bool = True) -> list[bytes]:
    """A whole answer of one of Workers AI's older models."""
    bill = [event({"response": "", "usage": {"total_tokens": 7}})] if usage else []
    return [*(event({"response": delta, "p": "abc"}) for delta in deltas), *bill, DONE]


def byte_by_byte(frames: Iterable[bytes]) -> list[bytes]:
    """The same stream in as many chunks as it has bytes."""
    return [bytes([byte]) for byte in b"".join(frames)]
