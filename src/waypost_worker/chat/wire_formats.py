"""Two wire formats of an answer, both Server-Sent Events: Waypost's own, and the AI SDK's (`ui_stream.py`)."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Protocol

import msgspec

from waypost_worker.chat.answer_events import (
    Addition,
    AnswerEvent,
    Position,
    TextDelta,
    ToolUpdate,
    answer_start,
)
from waypost_worker.chat.live_answer import AnswerInfo, Outcome
from waypost_worker.chat.ui_stream import UiMessageStream
from waypost_worker.conversations.message import ToolEvent
from waypost_worker.limits import STREAM_RETRY_MILLISECONDS
from waypost_worker.sse import HEARTBEAT, Event, encode_sse


class AnswerFormat(Protocol):
    """The encoder of one answer: a head, the additions in their order, and a tail with its outcome."""

    def head(self) -> bytes:
        """What precedes the first addition."""
        ...

    def addition(self, addition: Addition) -> bytes:
        """One addition."""
        ...

    def tail(self, outcome: Outcome) -> bytes:
        """What follows the last addition."""
        ...


async def encode_answer(
    events: AsyncGenerator[AnswerEvent, None], answer_format: AnswerFormat
) -> AsyncGenerator[bytes, None]:
    """Yields the bytes of an answer. Closing the generator closes `events`."""
    async with aclosing(events):
        yield answer_format.head()
        async for event in events:
            if isinstance(event, Addition):
                yield answer_format.addition(event)
            elif isinstance(event, Outcome):
                yield answer_format.tail(event)
            else:
                yield encode_sse(HEARTBEAT)


class _Delta(msgspec.Struct):
    """Words of the answer, or of the reasoning before it."""

    text: str
    """What follows the text so far."""


class _ChatToolCall(msgspec.Struct):
    """A call of a tool, of the tab or of the page that asks."""

    id: str
    """The call's id; its progress and its result have it too."""
    name: str
    """The tool's own name."""
    arguments: Any
    """The arguments that the model gives it."""
    step: int
    """Which of the model's replies within the answer asks for it, from 0."""


class _ChatToolProgress(msgspec.Struct):
    """What the tab reports of a call before its result."""

    id: str
    """The call's id."""
    progress: Any
    """Any JSON."""


class _ChatToolResult(msgspec.Struct, rename="camel"):
    """How a call ended."""

    id: str
    """The call's id."""
    result: Any
    """What the tool returned, as the model is given it; or the error's `code` and `message`."""
    is_error: bool
    """The tool failed or does not exist, the person refused the call, or no result came in time."""


class _Error(msgspec.Struct, omit_defaults=True, rename="camel"):
    """Why an answer failed."""

    code: str
    """The error in a word, such as `model_failed`."""
    message: str
    """A sentence for a person."""
    partial: bool
    """The text so far is kept. If false, the question is not kept either: send it again."""
    retry_after: int | None = None
    """Seconds after which the question may be sent again, if the model's service says so."""


class _Done(msgspec.Struct, rename="camel"):
    """How an answer ended."""

    generation_id: str
    """The answer's id, as in `start`."""
    message_id: str
    """The same: the id under which the answer is kept as a message."""
    finish_reason: str
    """`stop`: the model had finished. `tool-calls`: it waits for outputs of the page's own tools. `stopped`: somebody
    stopped it. `length`: it was too long. `error`: it failed."""
    partial: bool
    """The answer is not whole: its `finishReason` is another one than `stop`."""
    message_count: int
    """Messages that the conversation has now, this answer included."""


class EventsFormat:
    """Waypost's events: `start`; `reasoning`, `delta`, `tool_call`, `tool_progress` and `tool_result` in the order in
    which they happened; `error` if the answer failed; `done`. An `error` that is not `partial` says that neither
    question nor answer was kept.

    The id of an addition is the position behind it.
    """

    def __init__(self, info: AnswerInfo) -> None:
        self._info = info

    def head(self) -> bytes:
        data = msgspec.json.encode(answer_start(self._info))
        return encode_sse(Event("start", data, retry_ms=STREAM_RETRY_MILLISECONDS))

    def addition(self, addition: Addition) -> bytes:
        if isinstance(addition, ToolUpdate):
            name, value = _told(addition.event)
        else:
            name = "delta" if isinstance(addition, TextDelta) else "reasoning"
            value = _Delta(addition.text)
        return encode_sse(Event(name, msgspec.json.encode(value), answer_event_id(self._info, addition.end)))

    def tail(self, outcome: Outcome) -> bytes:
        answer_id = self._info.generation_id
        done = _Done(answer_id, answer_id, outcome.finish_reason, outcome.is_partial, outcome.message_count)
        # A client that reconnects with this id has received the whole answer.
        end = encode_sse(Event("done", msgspec.json.encode(done), f"{answer_id}.{DONE}"))
        if outcome.error_code is None:
            return end
        told = outcome.error_message or ""
        error = _Error(outcome.error_code, told, not outcome.is_undone, outcome.retry_after_seconds)
        return encode_sse(Event("error", msgspec.json.encode(error))) + end


def _told(event: ToolEvent) -> tuple[str, msgspec.Struct]:
    if event.kind == "call":
        return "tool_call", _ChatToolCall(event.id, event.name, event.value, event.step)
    if event.kind == "progress":
        return "tool_progress", _ChatToolProgress(event.id, event.value)
    return "tool_result", _ChatToolResult(event.id, event.value, event.is_error)


DONE = "done"


_EVENT_ID = re.compile(r"(.+)\.([0-9]{1,9})(?:r([0-9]{1,9}))?(?:t([0-9]{1,9}))?")


def answer_event_id(info: AnswerInfo, end: Position) -> str:
    """The id of an event: the answer's id, and the position of a reader that has this event: characters of the text,
    and, if there are any, of the reasoning, and tool events (`….120r45t3`)."""
    counts = (("r", end.reasoning), ("t", end.tools))
    return f"{info.generation_id}.{end.text}" + "".join(f"{letter}{count}" for letter, count in counts if count)


def parse_answer_event_id(text: str) -> tuple[str, Position] | None:
    """Returns the answer's id and the position in an event's id; `None` if `text` is no such id."""
    match = _EVENT_ID.fullmatch(text)
    return (match[1], Position(int(match[2]), int(match[3] or 0), int(match[4] or 0))) if match else None


FORMATS: dict[str, Callable[[AnswerInfo], AnswerFormat]] = {"events": EventsFormat, "ui": UiMessageStream}
