"""Messages in the form of the AI SDK, for the first render of a page:
https://ai-sdk.dev/docs/reference/ai-sdk-core/ui-message"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from waypost_worker.chat.prompt import is_image
from waypost_worker.chat.ui_steps import RAN_HERE, UiPart, UiSteps, error_text, progress_part
from waypost_worker.clock import to_iso
from waypost_worker.conversations.message import ChatMessage, MessageRole, ToolEvent
from waypost_worker.conversations.tool_log import NO_RESULT, segments
from waypost_worker.models.openai_messages import are_parts, text_of

_STEP: UiPart = {"type": "step-start"}


class UiMetadata(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What else is known of a message."""

    created_at: str
    """When the message was made."""
    partial: bool = False
    """An answer that the model had not finished."""


class KeptUiMessage(msgspec.Struct, frozen=True):
    """A message in the form of the AI SDK."""

    id: str
    """The message's id."""
    role: MessageRole
    """Who speaks. What a tool returned is a part of the message that has the call."""
    parts: list[UiPart]
    """Of the types `reasoning`, `text`, `file` (an image), `dynamic-tool` (a call with its result), `tool-NAME` (a call
    of the page's own tool, `input-available` while it waits for its output), `data-tool-progress` (what a tool reported
    last), `step-start`, and `data-part`: a part of another kind, as it was
    sent."""
    metadata: UiMetadata
    """When it was made, and whether it is whole."""


def to_ui_messages(items: Sequence[ChatMessage]) -> list[KeptUiMessage]:
    """`items` as such messages. A tool's result is a part of the message that has the call."""
    results = {item.tool_call_id: item for item in items if item.role == "tool"}
    return [
        KeptUiMessage(
            item.id,
            item.role,
            [*(_steps(item) if item.tool_events else _plain(item, results))],
            UiMetadata(to_iso(item.timestamp_ms), item.partial),
        )
        for item in items
        if item.role != "tool"
    ]


def _plain(item: ChatMessage, results: dict[str | None, ChatMessage]) -> Iterator[UiPart]:
    yield from _reasoning(item)
    yield from _parts(item.content)
    yield from _calls(item, results)


def _steps(item: ChatMessage) -> Iterator[UiPart]:
    """The parts of an answer that called tools, as its stream makes them."""
    results = {event.id: event for event in item.tool_events if event.kind == "result"}
    progress = {event.id: event for event in item.tool_events if event.kind == "progress"}
    steps = UiSteps()
    yield _STEP
    for reasoning, text, event in segments(str(item.content), item.reasoning, item.tool_events):
        # What waits for the page is in the last step, where the page looks for it.
        is_end = event is None and not item.waits
        if (reasoning or text or is_end) and steps.begins_with(None):
            yield _STEP
        if reasoning:
            yield {"type": "reasoning", "text": reasoning, "state": "done"}
        if text:
            yield {"type": "text", "text": text, "state": "done"}
        if event is None:
            continue
        if steps.begins_with(event):
            yield _STEP
        if event.kind == "call":
            yield _call(event, results.get(event.id), waits=item.waits)
        elif event.kind == "progress" and event.id in progress:
            # The last report takes the place of the first.
            yield progress_part(progress.pop(event.id))


def _call(call: ToolEvent, result: ToolEvent | None, *, waits: bool) -> UiPart:
    kind = (
        {"type": f"tool-{call.name}"} if call.of_page else {"type": "dynamic-tool", "toolName": call.name, **RAN_HERE}
    )
    part = {**kind, "toolCallId": call.id, "input": call.value}
    if result is None:
        if call.of_page and waits:
            return {**part, "state": "input-available"}
        return {**part, "state": "output-error", "errorText": NO_RESULT}
    if result.is_error:
        return {**part, "state": "output-error", "errorText": error_text(result.value)}
    return {**part, "state": "output-available", "output": result.value}


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
