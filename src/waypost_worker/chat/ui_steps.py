"""Tool calls of an answer as the AI SDK shows them: what its streams and its histories have in common."""

from typing import Any

from waypost_worker.conversations.message import ToolEvent
from waypost_worker.models.openai_messages import text_of

UiPart = dict[str, Any]

RAN_HERE = {"providerExecuted": True}
"""In each part of a call: the page that shows it has nothing to run. Without it, a page that sends by itself once all
tools have their results (`sendAutomaticallyWhen`) would ask again without end."""


def call_kind(event: ToolEvent) -> UiPart:
    """What the chunks of a call have besides its id and name. A page knows its own tools by their names."""
    return {} if event.of_page else {"dynamic": True, **RAN_HERE}


class UiSteps:
    """Says where the steps of an answer begin. A step is one reply of the model, with the calls that it asks for and
    their results."""

    def __init__(self) -> None:
        self._called: int | None = None

    def begins_with(self, event: ToolEvent | None) -> bool:
        """Whether a further step begins with `event`; `None`: with text, with reasoning, or with the end."""
        called = self._called
        if event is None:
            self._called = None
            return called is not None
        if event.kind != "call":
            return False
        self._called = event.step
        return called is not None and called != event.step


def error_text(value: Any) -> str:
    """What a call that failed shows: the message of an error of Waypost's form, `{code, message}`, or the whole of any
    other."""
    message = value.get("message") if isinstance(value, dict) else None
    return message if isinstance(message, str) and message else text_of(value)


def progress_part(event: ToolEvent) -> UiPart:
    """What a tool reports while it runs, as data beside its call; the next report takes its place.

    It is no preliminary output: the oldest releases with this stream refuse those.
    """
    return {"type": "data-tool-progress", "id": event.id, "data": {"toolCallId": event.id, "progress": event.value}}
