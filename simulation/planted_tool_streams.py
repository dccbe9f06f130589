"""Planted bugs of streams in which tools are used (see `planted.py`)."""

from collections.abc import Iterator, Sequence
from typing import Any

from simulation.replaced import replaced
from waypost_worker.chat import answer_stream, wire_formats
from waypost_worker.chat.answer_events import Addition, Position, ToolUpdate, additions
from waypost_worker.chat.chunks import Chunk
from waypost_worker.chat.generation import Generation
from waypost_worker.chat.live_answer import AnswerInfo, LiveAnswer
from waypost_worker.conversations.message import ToolEvent


def tools_come_first() -> Any:
    """What tools did comes before the text that precedes it, wherever both come together."""

    def shuffled(
        text: str, reasoning: str, events: Sequence[ToolEvent], sent: Position, end: Position
    ) -> Iterator[Addition]:
        told = list(additions(text, reasoning, events, sent, end))
        return iter(sorted(told, key=lambda one: not isinstance(one, ToolUpdate)))

    return replaced(answer_stream, "additions", shuffled)


def positions_forget_tools() -> Any:
    """The id of an event says how much text a reader has, and nothing of tools."""

    def event_id(info: AnswerInfo, end: Position) -> str:
        return f"{info.generation_id}.{end.text}"

    return replaced(wire_formats, "answer_event_id", event_id)


def chunks_lose_tools() -> Any:
    """A chunk that has text has no tool events."""
    write = Generation._write

    async def lossy(self: Any, chunk: Chunk) -> None:
        await write(
            self,
            Chunk(
                chunk.written_ms,
                chunk.text,
                chunk.outcome,
                chunk.left_by,
                chunk.reasoning,
                [] if chunk.text else chunk.tool_events,
            ),
        )

    return replaced(Generation, "_write", lossy)


def places_are_the_end() -> Any:
    """A tool event stands where the answer ends when it is kept, not where it happened."""

    def append(self: Any, event: ToolEvent) -> None:
        self._append(event)

    return replaced(LiveAnswer, "add_tool_event", append)


TOOL_STREAM_BUGS = (tools_come_first, positions_forget_tools, chunks_lose_tools, places_are_the_end)
