"""The events of an answer, in order, and how much of an answer a reader has."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from waypost_worker.chat.live_answer import AnswerInfo, Outcome
from waypost_worker.conversations.message import ForkOrigin, ToolEvent
from waypost_worker.conversations.tool_log import segments


class Position(NamedTuple):
    """How much of an answer a reader has: characters of its text and of its reasoning, and tool events."""

    text: int = 0
    reasoning: int = 0
    tools: int = 0


START = Position()


class Start(msgspec.Struct, omit_defaults=True, rename="camel"):
    """What a stream begins with: the ids of the answer."""

    # Snake case, unlike the other fields: the spelling that clients of such streams expect.
    session_id: str = msgspec.field(name="session_id")
    """The secret id that owns the conversation of the thread, its documents and its pages."""
    thread_id: str
    """The thread."""
    resource_id: str
    """The thread's resource."""
    generation_id: str
    """The answer's id, to stop this answer and no other."""
    message_id: str
    """The question's id."""
    forked_from: ForkOrigin | None = None
    """Where the thread was forked from, if it was."""


class TextDelta(msgspec.Struct, frozen=True):
    """Text that was added to the answer; `end`: the position behind it."""

    text: str
    end: Position


class ReasoningDelta(msgspec.Struct, frozen=True):
    """Reasoning that was added; `end`: the position behind it."""

    text: str
    end: Position


class ToolUpdate(msgspec.Struct, frozen=True):
    """Something that happened to a tool call; `end`: the position behind it. `is_over`: it is a call of the page whose
    result follows."""

    event: ToolEvent
    end: Position
    is_over: bool = False


class KeepAlive(msgspec.Struct, frozen=True):
    """Nothing new for a while; written to the connection so that it stays open."""


Addition = TextDelta | ReasoningDelta | ToolUpdate
"""What was added to an answer."""

AnswerEvent = Addition | KeepAlive | Outcome
"""The last one is an `Outcome`, unless the reader's own budget of KV operations ends first."""


def answer_start(info: AnswerInfo) -> Start:
    """The start of the answer's stream."""
    return Start(
        info.session_id, info.thread_id, info.resource_id, info.generation_id, info.message_id, info.forked_from
    )


def additions(
    text: str, reasoning: str, events: Sequence[ToolEvent], sent: Position, end: Position
) -> Iterator[Addition]:
    """What a reader that has `sent` lacks of an answer up to `end`, in order: a tool event comes behind the reasoning
    and the text that precede it, and before what follows it.

    `text`, `reasoning`, `events`: the last of the answer, all that the reader lacks among them.
    """
    text = text[len(text) - max(end.text - sent.text, 0) :]
    reasoning = reasoning[len(reasoning) - max(end.reasoning - sent.reasoning, 0) :]
    events = events[len(events) - max(end.tools - sent.tools, 0) :]
    ended = {event.id for event in events if event.kind == "result" and event.of_page}
    for segment in segments(text, reasoning, events, text_start=sent.text, reasoning_start=sent.reasoning):
        if segment.reasoning:
            sent = sent._replace(reasoning=sent.reasoning + len(segment.reasoning))
            yield ReasoningDelta(segment.reasoning, sent)
        if segment.text:
            sent = sent._replace(text=sent.text + len(segment.text))
            yield TextDelta(segment.text, sent)
        if segment.event is not None:
            sent = sent._replace(tools=sent.tools + 1)
            yield ToolUpdate(segment.event, sent, segment.event.kind == "call" and segment.event.id in ended)
