"""The messages of a conversation, and how many of them are shown."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

MessageRole = Literal["user", "assistant", "system", "tool"]


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call that an assistant's message makes: `args` is any JSON."""

    id: str
    name: str = ""
    args: Any = None


class ForkOrigin(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Where a fork branched off: a thread, and the last message of it that was taken along."""

    thread_id: str
    message_id: str | None = None


class ChatMessage(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One message. `id` makes appending it twice the same as once; `tool_call_id` is the call that a tool's message
    answers; `partial`: an answer that was not said to its end.

    An answer is written more than once: `is_open` while it is being said, then as it ended. Its `place` is the cursor
    where it stands in the conversation: that of its question, however late it ended. `is_ui`: it is being sent in the
    AI SDK's format.
    """

    id: str
    role: MessageRole
    content: Any
    timestamp_ms: int
    tool_calls: list[ToolCall] = []
    tool_call_id: str | None = None
    partial: bool = False
    is_open: bool = False
    is_ui: bool = False
    place: str = ""

    @property
    def rank(self) -> int:
        """Which of two copies counts: one that is whole, else one that has ended, else one that has not."""
        return 0 if self.is_open else 1 if self.partial else 2


def last_messages(items: Sequence[ChatMessage], limit: int) -> list[ChatMessage]:
    """The last `limit` items at most; an answer of a tool whose call would be cut off goes with it."""
    kept = items[max(len(items) - limit, 0) :]
    calls = {call.id for item in kept for call in item.tool_calls}
    return [item for item in kept if item.tool_call_id is None or item.tool_call_id in calls]
