"""An answer in the order in which it was generated: reasoning and text, cut at the places of its tool events."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from waypost_worker.conversations.message import ToolEvent

NO_RESULT = "The answer ended before this call had a result. It is not known whether the tool ran."
"""What readers of an answer get as the error of a call without a result."""


class Segment(NamedTuple):
    """What was generated before a tool event, and that event; `None` behind the last one."""

    reasoning: str
    text: str
    event: ToolEvent | None


def segments(
    text: str, reasoning: str, events: Sequence[ToolEvent], *, text_start: int = 0, reasoning_start: int = 0
) -> Iterator[Segment]:
    """Cuts `text` and `reasoning` at the places of `events`. The last segment has no event.

    `text_start`, `reasoning_start`: how many characters of the answer precede `text` and `reasoning`. A place before
    the one of an earlier event, or outside of the text, counts as the nearest place that is possible.
    """
    said = thought = 0
    for event in events:
        text_end = max(said, event.text - text_start)
        reasoning_end = max(thought, event.reasoning - reasoning_start)
        yield Segment(reasoning[thought:reasoning_end], text[said:text_end], event)
        said, thought = min(text_end, len(text)), min(reasoning_end, len(reasoning))
    yield Segment(reasoning[thought:], text[said:], None)
