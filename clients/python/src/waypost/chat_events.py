"""What the stream of an answer brings."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from waypost.errors import WaypostError
from waypost.types import ForkedFrom, Model


class ChatStart(Model, frozen=True):
    """The question is stored, and the answer begins. `message_id`: the question's; `generation_id`: the id that the
    answer has in the history."""

    thread_id: str
    resource_id: str
    generation_id: str
    message_id: str
    session_id: str = msgspec.field(name="session_id", default="")
    forked_from: ForkedFrom | None = None


class ChatDelta(Model, frozen=True):
    """The next part of the text. `characters`: its length so far."""

    text: str
    characters: int = 0


class ChatReasoning(Model, frozen=True):
    """The next part of what the model thinks before it answers."""

    text: str
    characters: int = 0


class ChatToolEvent(Model, frozen=True):
    """Something about a call of the tab that the question named."""

    id: str


class ChatToolCall(ChatToolEvent, frozen=True):
    """The model calls a tool. `step`: which of its replies within the answer asks for it, from 0."""

    name: str
    arguments: Any
    step: int = 0


class ChatToolProgress(ChatToolEvent, frozen=True):
    """What the tab reports while the call runs."""

    progress: Any


class ChatToolResult(ChatToolEvent, frozen=True):
    """The end of the call. `is_error`: the tool failed, or a person has refused the call."""

    result: Any
    is_error: bool = False


class ChatError(Model, frozen=True):
    """The model failed; `ChatDone` follows. `partial`: its text so far is kept; if not, neither is the question.
    `retry_after`: seconds after which to ask again, if the model's service says so."""

    code: str
    message: str
    partial: bool
    retry_after: int | None = None


class ChatDone(Model, frozen=True):
    """The last event. `unknown`: the end was missed; `partial` tells whether it was reached."""

    generation_id: str
    message_id: str
    finish_reason: Literal["stop", "stopped", "length", "error", "unknown"]
    partial: bool
    message_count: int


class ChatWaiting(msgspec.Struct, frozen=True):
    """The connection is lost, and there will be another one after `delay` seconds; a program need not do anything."""

    delay: float
    error: WaypostError


ChatEvent: TypeAlias = (
    ChatStart
    | ChatDelta
    | ChatReasoning
    | ChatToolEvent
    | ChatToolCall
    | ChatToolProgress
    | ChatToolResult
    | ChatError
    | ChatDone
    | ChatWaiting
)

EVENTS: dict[str, Any] = {
    "start": ChatStart,
    "delta": ChatDelta,
    "reasoning": ChatReasoning,
    "tool_call": ChatToolCall,
    "tool_progress": ChatToolProgress,
    "tool_result": ChatToolResult,
    "error": ChatError,
    "done": ChatDone,
}
"""By the names on the wire."""
