"""One JSON document of a model service's response: a chunk of its stream, or the whole answer.

https://platform.openai.com/docs/api-reference/chat-streaming
https://developers.cloudflare.com/workers-ai/features/streaming/ (`{"response": "…"}`, where a token that looks like a
number may come as one)

Services differ from the documentation and from each other, so only the fields that are used must have a known type:
- `content` may be a list of parts: https://docs.mistral.ai/capabilities/reasoning/
- reasoning is in `reasoning_content` (DeepSeek), `reasoning` (OpenRouter, vLLM), or a part of the type `thinking`.
- calls of tools are in `tool_calls`, whole or in parts, in the forms of `call_parts.py`.
- numbers may be NaN, and half a character may be escaped as one surrogate; both are no JSON.
"""

import json
from typing import Any

import msgspec

from waypost_worker.models.call_parts import CallPart, call_parts

CUT_OFF = frozenset({"length", "content_filter", "max_tokens", "model_length"})
"""Finish reasons of an answer that the model had not finished."""


class _Message(msgspec.Struct):
    content: str | list[Any] | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None
    function_call: Any = None


class _Choice(msgspec.Struct):
    delta: _Message | None = None
    message: _Message | None = None
    finish_reason: str | None = None


class _Document(msgspec.Struct):
    choices: list[_Choice] | None = None
    response: str | int | float | None = None
    tool_calls: Any = None
    finish_reason: Any = None
    usage: Any = None
    error: Any = None
    object: Any = None
    detail: Any = None


class CompletionChunk(msgspec.Struct, frozen=True):
    """What a chunk adds to the answer. `finish_reason`: why the answer ended; `None` while more text may follow, and
    after it only usage figures can. `has_no_reasons`: it has the form of Workers AI's older models, without reasons."""

    text: str
    reasoning: str
    calls: list[CallPart]
    finish_reason: str | None
    is_error: bool
    has_no_reasons: bool


def read_chunk(data: str) -> CompletionChunk | None:
    """The chunk in `data`; `None` if it is none."""
    try:
        document = _decode(data)
    except (msgspec.DecodeError, RecursionError):
        try:
            # Accepts NaN and single surrogates, which msgspec does not.
            document = msgspec.convert(json.loads(data), _Document)
        except (ValueError, RecursionError):
            return None
    choice = document.choices[0] if document.choices else None
    message = (choice.delta or choice.message) if choice else None
    text, reasoning = _texts(message) if message else ("", "")
    if document.response is not None:
        text = str(document.response)
    calls = call_parts(message.tool_calls, message.function_call) if message else call_parts(document.tool_calls)
    finish_reason = choice.finish_reason if choice else document.finish_reason
    return CompletionChunk(
        text,
        reasoning,
        list(calls),
        # Some services send "" instead of null.
        finish_reason if isinstance(finish_reason, str) and finish_reason else None,
        _is_error(document, choice),
        document.response is not None or document.tool_calls is not None,
    )


_decode = msgspec.json.Decoder(_Document).decode


def _is_error(document: _Document, choice: _Choice | None) -> bool:
    if document.error or document.object == "error" or (choice and choice.finish_reason == "error"):
        return True
    # The errors of FastAPI, in which many model servers are written.
    is_empty = document.choices is None and document.response is None and document.usage is None
    return is_empty and bool(document.detail)


def _texts(message: _Message) -> tuple[str, str]:
    """The text and the reasoning of `message`."""
    text, reasoning = "", ""
    if isinstance(message.content, list):
        for part in message.content:
            if isinstance(part, dict):
                text += _text(part.get("text"))
                reasoning += _text(part.get("thinking"))
    else:
        text = message.content or message.refusal or ""
    # A service may send the same text in several fields.
    return text, reasoning or _text(message.reasoning_content) or _text(message.reasoning)


def _text(value: Any) -> str:
    """`value` if it is a text, or the texts of the parts in it."""
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in value if isinstance(part, dict))
    return value if isinstance(value, str) else ""
