"""Open answers of a conversation: their text so far, and whether they are still being generated."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from waypost_worker.chat.chunks import ChunkStore
from waypost_worker.clock import Clock
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.kv.together import a_few_at_once
from waypost_worker.polling.plans import Plan

MISSED_INTERVALS = 5
"""Chunk intervals without a chunk after which an answer counts as abandoned; a generation writes at least every second
interval."""


class Unfinished(NamedTuple):
    """An open answer with the text of its chunks. `left_by`: the client that has left it, see `LiveAnswer`."""

    item: ChatMessage
    is_alive: bool
    left_by: str = ""


async def inspect(item: ChatMessage, chunks: ChunkStore, clock: Clock, plan: Plan) -> Unfinished:
    """Returns the open answer `item` with its text and tool events so far. Costs a list, and a read per large chunk.

    An answer generated in another location may look abandoned: its chunks can take a minute to become visible here.
    """
    written = await chunks.read(0)
    content = max(str(item.content), "".join(chunk.text for chunk in written), key=len)
    reasoning = max(item.reasoning, "".join(chunk.reasoning for chunk in written), key=len)
    events = max(item.tool_events, [event for chunk in written for event in chunk.tool_events], key=len)
    last_ms = max([item.timestamp_ms, *(chunk.written_ms for chunk in written)])
    has_ended = any(chunk.outcome is not None for chunk in written)
    is_alive = not has_ended and clock.now_ms() - last_ms < plan.chunk_ms * MISSED_INTERVALS
    left_by = written[-1].left_by if written else ""
    so_far = msgspec.structs.replace(item, content=content, reasoning=reasoning, tool_events=events)
    return Unfinished(so_far, is_alive, left_by)


async def fill_in(
    items: Sequence[ChatMessage], chunks: Callable[[str], ChunkStore], clock: Clock, plan: Plan
) -> list[ChatMessage]:
    """Returns `items` with the text so far in those that are open; an open one without text and tool calls is left out.

    Costs no operation if none is open.
    """
    opened = [item for item in items if item.is_open]
    if not opened:
        return list(items)
    inspected = await a_few_at_once([partial(inspect, item, chunks(item.generation), clock, plan) for item in opened])
    so_far = {unfinished.item.id: unfinished.item for unfinished in inspected}
    filled = [so_far[item.id] if item.is_open else item for item in items]
    return [item for item in filled if not item.is_blank or not item.is_open]


def as_partial(item: ChatMessage) -> ChatMessage:
    """An abandoned answer as partial and ended."""
    return msgspec.structs.replace(item, is_open=False, is_ui=False, partial=True)
