"""A conversation as the messages of a chat completions request:
https://platform.openai.com/docs/api-reference/chat/create"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from waypost_worker.conversations.message import ChatMessage, ToolCall
from waypost_worker.models.call_ids import call_ids

OpenAiMessage = dict[str, Any]

MAX_NAMED_TYPE = 40
"""Characters of a part's type in the note that stands for it."""

GO_ON = "[The answer was interrupted here. Go on with it.]"
"""Stands behind an answer that a model is to go on with in the middle of its text: templates want a user's message."""


class JoinedMessage(ChatMessage, frozen=True):
    """Neighbouring messages of a user as one. `newest`: the content of the last of them; those before it had no
    answer."""

    newest: Any = None


def chat_messages(
    items: Sequence[ChatMessage], model: str = "", *, with_reasoning: bool = False
) -> list[OpenAiMessage]:
    """Converts `items` to messages that the API accepts. `with_reasoning`: what the model thought is in them.

    It refuses a call without its result, a result without its call, and messages between the two. So results are moved
    behind their call, and a call or a result without its counterpart is left out. So is an answer without text.
    """
    results = {item.tool_call_id: item for item in items if item.role == "tool"}
    id_of = call_ids(model)
    return [message for item in items for message in _messages(item, results, id_of, with_reasoning)]


def text_of(content: Any) -> str:
    """`content` as text: itself, its JSON, or the text of its content parts; a note stands for a part without text."""
    if isinstance(content, str):
        return content
    if are_parts(content):
        return "\n".join(part["text"] if isinstance(part.get("text"), str) else left_out(part) for part in content)
    return msgspec.json.encode(content).decode()


def are_parts(content: Any) -> bool:
    """Whether `content` is a list of content parts: objects with a `type`."""
    return (
        isinstance(content, list)
        and len(content) > 0
        and all(isinstance(part, dict) and isinstance(part.get("type"), str) for part in content)
    )


def left_out(part: dict[str, Any]) -> str:
    """The note that stands for a part that is not passed on."""
    return f"[A part of the type {part['type'][:MAX_NAMED_TYPE]} was left out.]"


def _messages(
    item: ChatMessage, results: dict[str | None, ChatMessage], id_of: Callable[[ToolCall], str], with_reasoning: bool
) -> Iterator[OpenAiMessage]:
    if item.role == "tool" or (item.partial and item.content == ""):
        return
    answered = [(call, id_of(call), results.pop(call.id)) for call in item.tool_calls if call.id in results]
    if item.tool_calls and not answered and item.content == "":
        return
    message = {"role": item.role, "content": _content(item)}
    if with_reasoning and item.role == "assistant":
        message["reasoning_content"] = item.reasoning
    if answered:
        message["tool_calls"] = [_call(call, id) for call, id, _ in answered]
    yield message
    for _, id, result in answered:
        yield {"role": "tool", "tool_call_id": id, "content": _content(result)}


def _content(item: ChatMessage) -> Any:
    # A tool's result may be a list of anything; of content parts, the API accepts only text in a result.
    is_unchanged = are_parts(item.content) and (item.role != "tool" or _are_text(item.content))
    return item.content if is_unchanged else text_of(item.content)


def _call(call: ToolCall, id: str) -> OpenAiMessage:
    arguments = msgspec.json.encode({} if call.args is None else call.args).decode()
    return {"id": id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _are_text(parts: list[dict[str, Any]]) -> bool:
    return all(part["type"] == "text" for part in parts)
