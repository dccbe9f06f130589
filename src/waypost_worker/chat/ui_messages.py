"""Messages in the form of the AI SDK, for the first render of a page:
https://ai-sdk.dev/docs/reference/ai-sdk-core/ui-message"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from waypost_worker.chat.prompt import is_image
from waypost_worker.clock import to_iso
from waypost_worker.conversations.message import ChatMessage, MessageRole
from waypost_worker.models.openai_messages import are_parts, text_of

UiPart = dict[str, Any]


class UiMetadata(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """When a message was made, and whether it is an answer that the model had not finished."""

    created_at: str
    partial: bool = False


class KeptUiMessage(msgspec.Struct, frozen=True):
    """One message; its `parts` are of the types `reasoning`, `text`, `file` (an image), `dynamic-tool` (a call with its
    result), and `data-part`: a part of another kind, as it was sent."""

    id: str
    role: MessageRole
    parts: list[UiPart]
    metadata: UiMetadata


def to_ui_messages(items: Sequence[ChatMessage]) -> list[KeptUiMessage]:
    """`items` as such messages. A tool's result is a part of the message that has the call."""
    results = {item.tool_call_id: item for item in items if item.role == "tool"}
    return [
        KeptUiMessage(
            item.id,
            item.role,
            [*_reasoning(item), *_parts(item.content), *_calls(item, results)],
            UiMetadata(to_iso(item.timestamp_ms), item.partial),
        )
        for item in items
        if item.role != "tool"
    ]


def _reasoning(item: ChatMessage) -> Iterator[UiPart]:
    if item.reasoning:
        yield {"type": "reasoning", "text": item.reasoning, "state": "done"}


def _parts(content: Any) -> Iterator[UiPart]:
    if not are_parts(content):
        if text := text_of(content):
            yield {"type": "text", "text": text, "state": "done"}
        return
    for part in content:
        if part["type"] == "text" and isinstance(part.get("text"), str):
            yield {"type": "text", "text": part["text"], "state": "done"}
        elif is_image(part):
            url = part["image_url"]["url"]
            yield {"type": "file", "mediaType": url[len("data:") : url.index(";")], "url": url}
        else:
            yield {"type": "data-part", "data": part}


def _calls(item: ChatMessage, results: dict[str | None, ChatMessage]) -> Iterator[UiPart]:
    for call in item.tool_calls:
        part = {"type": "dynamic-tool", "toolName": call.name, "toolCallId": call.id, "input": call.args}
        if (result := results.get(call.id)) is None:
            yield {**part, "state": "input-available"}
        else:
            yield {**part, "state": "output-available", "output": result.content}
