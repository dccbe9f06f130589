"""An answer that called tools, as a model takes it: its text up to the calls, the results, and the text after them.

A result is data of the tab. It is given in the role of a tool, and never as an instruction.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from waypost_worker.chat.live_answer import GAP
from waypost_worker.conversations.message import ChatMessage, ToolCall, ToolEvent
from waypost_worker.models.openai_messages import GO_ON, text_of
from waypost_worker.sessions.tool_names import mapped_name

NO_RESULT = "Error: the answer was interrupted before this call had a result. It is not known whether the tool ran."
NOTHING_RETURNED = "[The tool returned nothing.]"
LEFT_OUT = "[This result was left out: the conversation is too long. Call the tool again if its result is needed.]"


def expanded(items: Sequence[ChatMessage]) -> list[ChatMessage]:
    """`items` with a message for each step of an answer that called tools, and one for each result. The last item may
    be the answer that the model is to go on with: it `is_open`."""
    messages = [message for item in items for message in (_steps(item) if item.tool_events else [item])]
    if messages and items[-1].is_open and messages[-1].role == "assistant" and text_of(messages[-1].content).strip():
        messages.append(ChatMessage(f"{items[-1].id}-on", "user", GO_ON, items[-1].timestamp_ms))
    return messages


def without_results(turn: Sequence[ChatMessage], excess: int) -> list[ChatMessage]:
    """`turn` with a note in the place of its oldest results, of so many that it has `excess` characters less, or as
    many as can be left out: what the model has not seen yet stays."""
    last_said = max((index for index, item in enumerate(turn) if item.role != "tool"), default=0)
    shorter = list(turn)
    for index, item in enumerate(turn[:last_said]):
        saved = len(text_of(item.content)) - len(LEFT_OUT)
        if excess > 0 and item.role == "tool" and saved > 0:
            shorter[index] = msgspec.structs.replace(item, content=LEFT_OUT)
            excess -= saved
    return shorter


def _steps(item: ChatMessage) -> Iterator[ChatMessage]:
    text = text_of(item.content)
    calls, results = _first_of(item, "call"), _first_of(item, "result")
    said = thought = 0
    for step, group in groupby(calls.values(), key=lambda call: call.step):
        made = list(group)
        place, reasoning = made[-1].text, made[-1].reasoning
        yield ChatMessage(
            f"{item.id}-{step}",
            "assistant",
            _said(text, said, place),
            item.timestamp_ms,
            # Two attempts at one question may have made the same call.
            tool_calls=[ToolCall(f"{item.id}/{call.id}", mapped_name(call.name), call.value) for call in made],
            reasoning=item.reasoning[thought:reasoning],
        )
        for call in made:
            told, id = _told(results.get(call.id)), f"{item.id}/{call.id}"
            yield ChatMessage(id, "tool", told, item.timestamp_ms, tool_call_id=id)
        said, thought = place, reasoning
    if (rest := _said(text, said, len(text))).strip():
        yield msgspec.structs.replace(item, content=rest, reasoning=item.reasoning[thought:], tool_events=[])


def _said(text: str, start: int, end: int) -> str:
    """The text of one step, without what sets it apart from the one before."""
    return text[start:end].removeprefix(GAP if start else "")


def _first_of(item: ChatMessage, kind: str) -> dict[str, ToolEvent]:
    """The first event of this kind of each call, by the call's id, in their order."""
    events: dict[str, ToolEvent] = {}
    for event in item.tool_events:
        if event.kind == kind:
            events.setdefault(event.id, event)
    return events


def _told(result: ToolEvent | None) -> str:
    """What the model is told of the result. The API has no field for errors, so they say that they are."""
    if result is None:
        return NO_RESULT
    told = "" if result.value is None else text_of(result.value)
    if not result.is_error:
        return told or NOTHING_RETURNED
    if isinstance(result.value, dict) and isinstance(message := result.value.get("message"), str):
        return f"Error ({result.value.get('code', 'error')}): {message}"
    return told if told.startswith("Error") else f"Error: {told or 'the tool failed.'}"
