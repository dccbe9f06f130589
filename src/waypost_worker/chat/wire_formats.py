"""Two wire formats of an answer, both Server-Sent Events: Waypost's own, and the AI SDK's UI message stream
(https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol).

A UI message stream has no event ids, so it always starts with the answer's first character.
"""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Protocol

import msgspec

from waypost_worker.chat.answer_stream import AnswerEvent, Position, ReasoningDelta, TextDelta
from waypost_worker.chat.live_answer import AnswerInfo, Outcome
from waypost_worker.conversations.message import ForkOrigin
from waypost_worker.limits import STREAM_RETRY_MILLISECONDS
from waypost_worker.sse import HEARTBEAT, Event, encode_sse

UI_MEDIA_TYPE = "text/x-vercel-ai-ui-message-stream"
UI_HEADERS = {"x-vercel-ai-ui-message-stream": "v1"}
_UI_DONE = b"data: [DONE]\n\n"


class AnswerFormat(Protocol):
    """The encoder of one answer: a head, its deltas, and a tail with its outcome."""

    def head(self) -> bytes:
        """What precedes the first delta."""
        ...

    def delta(self, delta: TextDelta | ReasoningDelta) -> bytes:
        """One delta."""
        ...

    def tail(self, outcome: Outcome) -> bytes:
        """What follows the last delta."""
        ...


async def encode_answer(
    events: AsyncGenerator[AnswerEvent, None], answer_format: AnswerFormat
) -> AsyncGenerator[bytes, None]:
    """Yields the bytes of an answer. Closing the generator closes `events`."""
    async with aclosing(events):
        yield answer_format.head()
        async for event in events:
            if isinstance(event, TextDelta | ReasoningDelta):
                yield answer_format.delta(event)
            elif isinstance(event, Outcome):
                yield answer_format.tail(event)
            else:
                yield encode_sse(HEARTBEAT)


class _Start(msgspec.Struct, omit_defaults=True, rename="camel"):
    # Snake case, unlike the other fields: the spelling that clients of such streams expect.
    session_id: str = msgspec.field(name="session_id")
    thread_id: str
    resource_id: str
    generation_id: str
    message_id: str
    forked_from: ForkOrigin | None = None


class _Delta(msgspec.Struct):
    text: str


class _Error(msgspec.Struct, omit_defaults=True, rename="camel"):
    code: str
    message: str
    partial: bool
    retry_after: int | None = None


class _Done(msgspec.Struct, rename="camel"):
    generation_id: str
    message_id: str
    finish_reason: str
    partial: bool
    message_count: int


def _start(info: AnswerInfo) -> _Start:
    return _Start(
        info.session_id, info.thread_id, info.resource_id, info.generation_id, info.message_id, info.forked_from
    )


class EventsFormat:
    """Waypost's events: `start`, `reasoning`s, `delta`s, `error` if the answer failed, `done`. An `error` that is not
    `partial` says that neither question nor answer was kept.

    The id of a delta is the position behind it.
    """

    def __init__(self, info: AnswerInfo) -> None:
        self._info = info

    def head(self) -> bytes:
        data = msgspec.json.encode(_start(self._info))
        return encode_sse(Event("start", data, retry_ms=STREAM_RETRY_MILLISECONDS))

    def delta(self, delta: TextDelta | ReasoningDelta) -> bytes:
        data = msgspec.json.encode(_Delta(delta.text))
        name = "delta" if isinstance(delta, TextDelta) else "reasoning"
        return encode_sse(Event(name, data, answer_event_id(self._info, delta.end)))

    def tail(self, outcome: Outcome) -> bytes:
        answer_id = self._info.generation_id
        done = _Done(answer_id, answer_id, outcome.finish_reason, outcome.is_partial, outcome.message_count)
        # A client that reconnects with this id has received the whole answer.
        end = encode_sse(Event("done", msgspec.json.encode(done), f"{answer_id}.{DONE}"))
        if outcome.error_code is None:
            return end
        told = outcome.error_message or ""
        error = _Error(outcome.error_code, told, not outcome.is_undone, outcome.retry_after_seconds)
        return encode_sse(Event("error", msgspec.json.encode(error))) + end


class UiMessageStream:
    """The AI SDK's parts of a UI message stream, without the fields that its older versions refuse.

    A text begins with its first delta, and so does reasoning: an answer that fails before has none. Each ends where the
    other begins, since readers show the parts in the order in which they begin.
    """

    def __init__(self, info: AnswerInfo) -> None:
        self._info = info
        self._open = ""

    def head(self) -> bytes:
        start = {"type": "start", "messageId": self._info.generation_id, "messageMetadata": _start(self._info)}
        return _ui_part(start) + _ui_part({"type": "start-step"})

    def delta(self, delta: TextDelta | ReasoningDelta) -> bytes:
        kind = "text" if isinstance(delta, TextDelta) else "reasoning"
        begin = b""
        if kind != self._open:
            begin = self._close()
            self._open = kind
            begin += _ui_part({"type": f"{kind}-start", "id": self._part_id})
        return begin + _ui_part({"type": f"{kind}-delta", "id": self._part_id, "delta": delta.text})

    @property
    def _part_id(self) -> str:
        return self._info.generation_id + ("" if self._open == "text" else f"-{self._open}")

    def _close(self) -> bytes:
        return _ui_part({"type": f"{self._open}-end", "id": self._part_id}) if self._open else b""

    def tail(self, outcome: Outcome) -> bytes:
        metadata: dict[str, Any] = {"finishReason": outcome.finish_reason, "partial": outcome.is_partial}
        error = b""
        if outcome.error_code is not None:
            metadata["errorCode"] = outcome.error_code
            error = _ui_part({"type": "error", "errorText": outcome.error_message})
        return b"".join((
            self._close(),
            _ui_part({"type": "finish-step"}),
            _ui_part({"type": "message-metadata", "messageMetadata": metadata}),
            error,
            _ui_part({"type": "finish"}),
            _UI_DONE,
        ))  # fmt: skip


DONE = "done"


_EVENT_ID = re.compile(r"(.+)\.([0-9]{1,9})(?:r([0-9]{1,9}))?")


def answer_event_id(info: AnswerInfo, end: Position) -> str:
    """The id of an event: the answer's id, and the position of a reader that has this event: characters of the text,
    and, if there is any, of the reasoning (`….120r45`)."""
    return f"{info.generation_id}.{end.text}" + (f"r{end.reasoning}" if end.reasoning else "")


def parse_answer_event_id(text: str) -> tuple[str, Position] | None:
    """Returns the answer's id and the position in an event's id; `None` if `text` is no such id."""
    match = _EVENT_ID.fullmatch(text)
    return (match[1], Position(int(match[2]), int(match[3] or 0))) if match else None


def _ui_part(value: Any) -> bytes:
    return b"data: %s\n\n" % msgspec.json.encode(value)


FORMATS: dict[str, Callable[[AnswerInfo], AnswerFormat]] = {"events": EventsFormat, "ui": UiMessageStream}
