"""The messages of a conversation, as they are stored."""

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

    An answer is written more than once: with `is_open` while it is running, then as it ended.
    `place`: the cursor at which the answer stands in the conversation: its question's, however late the answer ended.
    `is_ui`: the answer is running and was asked for in the AI SDK's format.
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

    @property
    def is_blank(self) -> bool:
        """Whether it has neither content nor a tool call."""
        return not self.content and not self.tool_events

    @property
    def rank(self) -> int:
        """Which of two copies counts: 2 for a whole one, 1 for a partial one that has ended, 0 for an open one."""
        return 0 if self.is_open else 1 if self.partial else 2
