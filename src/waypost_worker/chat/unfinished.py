"""Answers that the conversation shows as not ended: what there is of them, and whether somebody is still at work."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from waypost_worker.chat.chunks import Pieces
from waypost_worker.clock import Clock
from waypost_worker.conversations.message import Item
from waypost_worker.polling.plans import Plan

MISSED_INTERVALS = 5
"""Intervals without a piece after which an answer is taken for abandoned; a giver shows a sign of life every other."""


class OpenAnswer(NamedTuple):
    """An open item with the text that its pieces come to."""

    item: Item
    is_alive: bool


async def look_at(item: Item, pieces: Pieces, clock: Clock, plan: Plan) -> OpenAnswer:
    """What there is of the open `item`; one list, and a read where a piece is large.

    An answer that is given far away may seem abandoned: what is written there can take a minute to be seen.
    """
    found = await pieces.read(0)
    text = "".join(piece.text for piece in found)
    content = max(str(item.content), text, key=len)
    heard_ms = max([item.timestamp_ms, *(piece.written_ms for piece in found)])
    has_ended = any(piece.outcome is not None for piece in found)
    is_alive = not has_ended and clock.now_ms() - heard_ms < plan.piece_ms * MISSED_INTERVALS
    return OpenAnswer(msgspec.structs.replace(item, content=content), is_alive)


async def fill_in(items: Sequence[Item], pieces: Callable[[str], Pieces], clock: Clock, plan: Plan) -> list[Item]:
    """`items`, and in those that are open what was said so far; one of which nothing was said yet is left out.

    It costs nothing where none is open.
    """
    filled = [(await look_at(item, pieces(item.id), clock, plan)).item if item.is_open else item for item in items]
    return [item for item in filled if item.content or not item.is_open]


def closed(item: Item) -> Item:
    """An abandoned answer as what it is: partial, and ended."""
    return msgspec.structs.replace(item, is_open=False, is_ui=False, partial=True)
