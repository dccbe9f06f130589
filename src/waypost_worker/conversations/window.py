"""What is kept and shown of a conversation: its last messages, cut between groups and never inside one.

A group is what a model's API takes only together: a tool call and its result with all that stands between them, and
reasoning with the message that follows it. Calls and results are found in these shapes:

- `toolCalls` and `toolCallId` of a message;
- in its content, an item of OpenAI's Responses API: `{"type": "…_call", "call_id"}` with
  `{"type": "…_call_output", "call_id"}`, `mcp_approval_request` with its response, `{"type": "reasoning"}`;
- in its content, a message of OpenAI's Chat Completions: `tool_calls` with `tool_call_id`;
- among the parts of its content, Anthropic's `tool_use` with `tool_result`, the AI SDK's `tool-call` with
  `tool-result`, and `reasoning` or `thinking` as the only parts.

Content in other shapes, JSON inside of a string too, is a group of its own.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from waypost_worker.conversations.message import ChatMessage
from waypost_worker.limits import DEFAULT_HISTORY_BYTES

REASONING = ("reasoning", "thinking", "redacted_thinking")


class Window(NamedTuple):
    """How much of a conversation is kept: messages, and bytes of their JSON. The newest group is kept whole up to twice
    as much."""

    messages: int
    bytes: int = DEFAULT_HISTORY_BYTES

    @property
    def doubled(self) -> "Window":
        """Twice as much."""
        return Window(2 * self.messages, 2 * self.bytes)


class HistoryPage(NamedTuple):
    """Some messages, and the id of the first of them if there are older ones."""

    items: list[ChatMessage]
    before: str | None


def last_messages(
    items: Sequence[ChatMessage], limit: int, max_bytes: int = DEFAULT_HISTORY_BYTES
) -> list[ChatMessage]:
    """The last `limit` of `items`, as whole groups; see `shown_of`."""
    return shown_of(items, Window(limit, max_bytes))[0]


def shown_of(items: Sequence[ChatMessage], window: Window, *, is_cut: bool = False) -> tuple[list[ChatMessage], bool]:
    """The last of `items`, as whole groups, and whether older messages were cut off; see `shown_from`."""
    return shown_from(items, first_shown(items, window), is_cut=is_cut)


def shown_from(items: Sequence[ChatMessage], start: int, *, is_cut: bool) -> tuple[list[ChatMessage], bool]:
    """`items` from the index `start` on, and whether older messages were cut off: here, or before (`is_cut`).

    Results of tools whose call is not among them are left out: those in `toolCallId` always, since the call may become
    visible yet; those in the content only where something was cut, since it is the sender's own.
    """
    kept = items[start:]
    calls = {call for item in kept for call in _calls(item)}
    if not (start or is_cut):
        return [item for item in kept if item.tool_call_id in calls | {None}], False
    return [item for item in kept if calls.issuperset(_results(item))], True


def page_of(items: Sequence[ChatMessage], limit: int) -> HistoryPage:
    """The last `limit` of `items`, as whole groups; more if the last group is longer."""
    groups = _group_starts(items)
    start = max(len(items) - limit, 0)
    start = next((index for index in range(start, len(items)) if groups[index] == index), groups[-1] if groups else 0)
    return HistoryPage(list(items[start:]), items[start].id if start else None)


def first_shown(items: Sequence[ChatMessage], window: Window) -> int:
    """The index of the first of `items` that is shown: the first group that fits into `window` with all that follow."""
    start = _first_fitting(items, window)
    if start == 0:
        return 0
    groups = _group_starts(items)
    whole = next((index for index in range(start, len(items)) if groups[index] == index), None)
    if whole is not None or start == len(items):
        return start if whole is None else whole
    # Only a part of the newest group fits.
    return max(groups[-1], _first_fitting(items, window.doubled))


def first_kept(items: Sequence[ChatMessage], window: Window) -> int:
    """The index of the first of `items` that a snapshot keeps. None that is shown is before it, now or when messages
    become visible late: those only make a group longer, or another one the last that fits."""
    start = _first_fitting(items, window)
    return max(_group_starts(items)[start], _first_fitting(items, window.doubled)) if 0 < start < len(items) else start


def _first_fitting(items: Sequence[ChatMessage], window: Window) -> int:
    start = max(len(items) - window.messages, 0)
    left = window.bytes
    for index in range(len(items) - 1, start - 1, -1):
        left -= len(msgspec.json.encode(items[index]))
        if left < 0:
            # The newest message is kept whatever its size: what is appended has a limit of its own.
            return min(index + 1, len(items) - 1)
    return start


def _group_starts(items: Sequence[ChatMessage]) -> list[int]:
    """For each of `items`, the index at which its group begins."""
    ends = list(range(len(items)))
    calls: dict[str, int] = {}
    for index, item in enumerate(items):
        for result in _results(item):
            if (call := calls.get(result)) is not None:
                ends[call] = index
        calls |= dict.fromkeys(_calls(item), index)
        if _is_reasoning(item):
            ends[index] = min(index + 1, len(items) - 1)
    starts: list[int] = []
    start = end = 0
    for index, reach in enumerate(ends):
        if index > end:
            start = index
        end = max(end, reach)
        starts.append(start)
    return starts


def _calls(item: ChatMessage) -> Iterator[str]:
    """The ids of the calls that `item` makes."""
    yield from (call.id for call in item.tool_calls)
    for part in _parts(item.content):
        type_ = part.get("type")
        if isinstance(type_, str) and type_.endswith("_call"):
            yield from _ids(part.get("call_id"))
        elif type_ in ("tool_use", "mcp_approval_request"):
            yield from _ids(part.get("id"))
        elif type_ == "tool-call":
            yield from _ids(part.get("toolCallId"))
        elif isinstance(calls := part.get("tool_calls"), list):
            yield from (id_ for call in calls if isinstance(call, dict) for id_ in _ids(call.get("id")))


def _results(item: ChatMessage) -> Iterator[str]:
    """The ids of the calls whose results `item` has."""
    yield from _ids(item.tool_call_id)
    for part in _parts(item.content):
        type_ = part.get("type")
        if isinstance(type_, str) and type_.endswith("_call_output"):
            yield from _ids(part.get("call_id"))
        elif type_ == "tool_result":
            yield from _ids(part.get("tool_use_id"))
        elif type_ == "tool-result":
            yield from _ids(part.get("toolCallId"))
        elif type_ == "mcp_approval_response":
            yield from _ids(part.get("approval_request_id"))
        elif part.get("role") == "tool":
            yield from _ids(part.get("tool_call_id"))


def _is_reasoning(item: ChatMessage) -> bool:
    parts = list(_parts(item.content))
    return bool(parts) and all(part.get("type") in REASONING for part in parts)


def _parts(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
    elif isinstance(content, list):
        yield from (part for part in content if isinstance(part, dict))


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
