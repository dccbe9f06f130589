"""The tool events of an imported answer: they must be such as an answer can have."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

from msgspec import Meta

from waypost_worker.conversations.message import ChatMessage, ToolEvent
from waypost_worker.errors import InvalidBody
from waypost_worker.http.json_body import Body
from waypost_worker.limits import MAX_MESSAGE_ID_LENGTH, MAX_TOOL_NAME_LENGTH

Count = Annotated[int, Meta(ge=0)]


class ToolEventBody(Body, frozen=True):
    """What happened to a tool call while an answer was generated, as it was exported."""

    kind: Literal["call", "progress", "result"]
    """The call, what the tab reported before the result, or the result."""
    id: Annotated[str, Meta(min_length=1, max_length=MAX_MESSAGE_ID_LENGTH)]
    """The call's id; all its events have it."""
    name: Annotated[str, Meta(max_length=MAX_TOOL_NAME_LENGTH)] = ""
    """The tool's name, only in a `call`."""
    value: Any = None
    """Any JSON: the arguments of a `call`, what the tab said in a `progress`, what the tool returned in a `result`."""
    is_error: bool = False
    """The result is an error."""
    text: Count = 0
    """Characters of the answer's text before it."""
    reasoning: Count = 0
    """Characters of the answer's reasoning before it."""
    step: Count = 0
    """Which of the model's replies within the answer asked for the call, from 0."""
    of_page: bool = False
    """A page ran the call, and no tab."""


def tool_events_of(events: Sequence[ToolEventBody], answer: ChatMessage) -> list[ToolEvent]:
    """The tool events to store with `answer`.

    Raises:
        InvalidBody: the message is no answer, or nothing can have happened so.
    """
    if not events:
        return []
    if answer.role != "assistant" or not isinstance(answer.content, str):
        raise InvalidBody("Only a message of the assistant whose content is a text may have toolEvents.")
    places = [(event.text, event.reasoning) for event in events]
    end = (len(answer.content), len(answer.reasoning))
    for before, after in pairwise([*places, end]):
        if before[0] > after[0] or before[1] > after[1]:
            raise InvalidBody("The places of toolEvents, `text` and `reasoning`, stand in their order in the message.")
    open_calls: dict[str, bool] = {}
    for event in events:
        if event.kind == "call" and event.id in open_calls:
            raise InvalidBody("Two calls of a message's toolEvents have the same id.")
        if event.kind != "call" and not open_calls.get(event.id):
            raise InvalidBody(f"The {event.kind} among the toolEvents is of no call before it that has no result yet.")
        open_calls[event.id] = event.kind != "result"
    return [
        ToolEvent(
            event.kind,
            event.id,
            event.name,
            event.value,
            event.is_error,
            event.text,
            event.reasoning,
            event.step,
            event.of_page,
        )
        for event in events
    ]
