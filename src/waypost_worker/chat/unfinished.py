"""Answers that the conversation shows as not ended: what there is of them, and whether somebody is still at work."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from waypost_worker.chat.chunks import ChunkStore
from waypost_worker.clock import Clock
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.polling.plans import Plan

MISSED_INTERVALS = 5
"""Intervals without a piece after which an answer is taken for abandoned; a giver shows a sign of life every other."""


class Unfinished(NamedTuple):
    """An open item with the text that its pieces come to."""

    item: ChatMessage
    is_alive: bool


async def inspect(item: ChatMessage, chunks: ChunkStore, clock: Clock, plan: Plan) -> Unfinished:
    """What there is of the open `item`; one list, and a read where a piece is large.

    An answer that is given far away may seem abandoned: what is written there can take a minute to be seen.
    """
    found = await chunks.read(0)
    text = "".join(chunk.text for chunk in found)
    content = max(str(item.content), text, key=len)
    heard_ms = max([item.timestamp_ms, *(chunk.written_ms for chunk in found)])
    has_ended = any(chunk.outcome is not None for chunk in found)
    is_alive = not has_ended and clock.now_ms() - heard_ms < plan.chunk_ms * MISSED_INTERVALS
    return Unfinished(msgspec.structs.replace(item, content=content), is_alive)


async def fill_in(
    items: Sequence[ChatMessage], chunks: Callable[[str], ChunkStore], clock: Clock, plan: Plan
) -> list[ChatMessage]:
    """`items`, and in those that are open what was said so far; one of which nothing was said yet is left out.

    It costs nothing where none is open.
    """
    filled = [(await inspect(item, chunks(item.id), clock, plan)).item if item.is_open else item for item in items]
    return [item for item in filled if item.content or not item.is_open]


def as_partial(item: ChatMessage) -> ChatMessage:
    """An abandoned answer as what it is: partial, and ended."""
    return msgspec.structs.replace(item, is_open=False, is_ui=False, partial=True)
