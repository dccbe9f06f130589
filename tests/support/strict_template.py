"""A model whose template insists on turns, as those of Mistral and Gemma do: after an optional system message a user
begins, user and assistant alternate, a tool's results follow their call and an assistant follows them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelFailed
from waypost_worker.models.model import ModelTool, Piece
from waypost_worker.models.openai_messages import chat_messages

MAY_FOLLOW = {
    None: {"user"},
    "user": {"assistant", "calls"},
    "assistant": {"user"},
    "calls": {"tool"},
    "tool": {"tool", "assistant", "calls"},
}


def refusal(messages: Sequence[dict[str, Any]]) -> str | None:
    """Why such a template refuses a request's messages; `None` if it takes them."""
    rest = messages[1:] if messages and messages[0]["role"] == "system" else messages
    last: str | None = None
    open_calls: list[str] = []
    for message in rest:
        role = "calls" if message.get("tool_calls") else message["role"]
        if role not in MAY_FOLLOW[last] or (role != "tool" and open_calls):
            return f"Unexpected role {role} after role {last}"
        if role == "tool":
            open_calls.remove(message["tool_call_id"])
        open_calls += [call["id"] for call in message.get("tool_calls", ())]
        if role in ("user", "assistant") and not message["content"]:
            return f"A message of {role} is empty"
        last = role
    return None if last in ("user", "tool") else f"Expected last role user or tool, got {last}"


class StrictModel:
    """Answers "One.", "Two." and so on to what the template takes, and refuses the rest. `asked`: the requests."""

    name = "strict"

    def __init__(self) -> None:
        self.asked: list[list[dict[str, Any]]] = []

    def takes_reasoning(self, model: str | None = None) -> bool:
        return False

    async def stream(
        self, items: Sequence[ChatMessage], model: str | None = None, tools: Sequence[ModelTool] = ()
    ) -> AsyncGenerator[Piece, None]:
        messages = chat_messages(items)
        if (reason := refusal(messages)) is not None:
            raise ModelFailed(reason)
        self.asked.append(messages)
        yield f"Answer {len(self.asked)}."
