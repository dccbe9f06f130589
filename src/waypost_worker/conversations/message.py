"""The messages of a conversation, as they are stored."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

MessageRole = Literal["user", "assistant", "system", "tool"]


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool call in an assistant's message. `args`: any JSON."""

    id: str
    name: str = ""
    args: Any = None


class ToolEvent(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What happened to a tool call while an answer was generated, and where in the answer."""

    kind: Literal["call", "progress", "result"]
    """The call, what the tab reported before the result, or the result."""
    id: str
    """The call's id; all its events have it."""
    name: str = ""
    """The tool's name, only in a `call`."""
    value: Any = None
    """Any JSON: the arguments of a `call`, what the tab said in a `progress`, what the tool returned in a `result`."""
    is_error: bool = False
    """The result is an error."""
    text: int = 0
    """Characters of the answer's text before it."""
    reasoning: int = 0
    """Characters of the answer's reasoning before it."""
    step: int = 0
    """Which of the model's replies within the answer asked for the call, from 0."""
    of_page: bool = False
    """The page that asks runs the call, and sends its output. In the `call` and in its `result`."""


def open_page_calls(events: Sequence[ToolEvent]) -> list[ToolEvent]:
    """The calls among `events` that the page runs and has sent no output of."""
    ended = {event.id for event in events if event.kind == "result"}
    return [event for event in events if event.kind == "call" and event.of_page and event.id not in ended]


class ForkOrigin(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Where a fork branched off."""

    thread_id: str
    """The thread that was forked."""
    message_id: str | None = None
    """The last of its messages that was copied; null if none was."""


class ChatMessage(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One message. Appending is idempotent by `id`.

    `tool_call_id`: the call of which a tool's message is the result.
    `by_user`: it has another role than `user`, and came from a caller without an app key. A model is given it as a
    user's message. Messages that were stored before this field existed keep their role.
    `partial`: the answer ended before the model had finished it.
    `reasoning`: what the model thought before its answer. A model is given it again only if its service demands it.
    `tool_events`: what the answer's tool calls did, in order, with their places in its text.

    An answer is written more than once: with `is_open` while it is running, then as it ended. One that `waits` for
    outputs of the page is partial, and open again once they are there.
    `place`: the cursor at which the answer stands in the conversation: its question's, however late the answer ended.
    `is_ui`: the answer is running and was asked for in the AI SDK's format.
    `leg`: the id of the generation that wrote this copy, if it is not the one that began the answer.
    """

    id: str
    role: MessageRole
    content: Any
    timestamp_ms: int
    tool_calls: list[ToolCall] = []
    tool_call_id: str | None = None
    by_user: bool = False
    partial: bool = False
    is_open: bool = False
    is_ui: bool = False
    place: str = ""
    reasoning: str = ""
    tool_events: list[ToolEvent] = []
    leg: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether it has neither content nor a tool call."""
        return not self.content and not self.tool_events

    @property
    def waits(self) -> bool:
        """Whether the page has yet to send the output of a call."""
        return self.partial and bool(open_page_calls(self.tool_events))

    @property
    def generation(self) -> str:
        """The id of the generation that wrote this copy, under which its chunks are."""
        return self.leg or self.id

    @property
    def is_whole(self) -> bool:
        """Whether it ended as its model or its sender meant it to: no later copy takes its place."""
        return not self.partial and not self.is_open

    @property
    def rank(self) -> tuple[int, int]:
        """Which of two copies counts: 2 for a whole one, 1 for a partial one that has ended, 0 for one that is open or
        waits for the page; then the one that knows more of its tool calls."""
        ended = 2 if self.is_whole else 0 if self.is_open or self.waits else 1
        return ended, len(self.tool_events)
