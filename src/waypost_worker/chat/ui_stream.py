"""An answer as the AI SDK's UI message stream: https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol

Such a stream has no event ids, so it always starts with the answer's first character.
"""

from typing import Any

import msgspec

from waypost_worker.chat.answer_events import Addition, TextDelta, ToolUpdate, answer_start
from waypost_worker.chat.live_answer import AnswerInfo, Outcome
from waypost_worker.chat.ui_steps import UiPart, UiSteps, call_kind, error_text, progress_part
from waypost_worker.conversations.message import ToolEvent
from waypost_worker.conversations.tool_log import NO_RESULT

UI_MEDIA_TYPE = "text/x-vercel-ai-ui-message-stream"
UI_HEADERS = {"x-vercel-ai-ui-message-stream": "v1"}
_UI_DONE = b"data: [DONE]\n\n"
_START_STEP: UiPart = {"type": "start-step"}


class UiMessageStream:
    """The AI SDK's parts of a UI message stream, without the fields that its older versions refuse.

    A text begins with its first delta, and so does reasoning: an answer that fails before has none. Each ends where the
    other begins, or a tool call, since readers show the parts in the order in which they begin.

    Calls of the page's own tools are what it knows as `tool-NAME`. With those that wait for it the stream ends in the
    middle of a step. `goes_on`: the stream goes on with such an answer, from the outputs on; the page has the rest.
    """

    def __init__(self, info: AnswerInfo, *, goes_on: bool = False) -> None:
        self._info = info
        self._is_between_steps = goes_on
        self._open = ""
        self._begun = {"text": 0, "reasoning": 0}
        self._steps = UiSteps()
        self._running: dict[str, ToolEvent] = {}

    def head(self) -> bytes:
        start = {"type": "start", "messageId": self._info.generation_id, "messageMetadata": answer_start(self._info)}
        return _encoded(start) + (b"" if self._is_between_steps else _encoded(_START_STEP))

    def addition(self, addition: Addition) -> bytes:
        if isinstance(addition, ToolUpdate):
            event = addition.event
            begin = self._close() + self._step(event)
            return begin + _encoded(*self._tool_parts(event, is_over=addition.is_over))
        kind = "text" if isinstance(addition, TextDelta) else "reasoning"
        begin = b""
        if kind != self._open:
            begin = self._close() + self._step(None)
            self._open = kind
            self._begun[kind] += 1
            begin += _encoded({"type": f"{kind}-start", "id": self._part_id})
        return begin + _encoded({"type": f"{kind}-delta", "id": self._part_id, "delta": addition.text})

    def tail(self, outcome: Outcome) -> bytes:
        metadata: dict[str, Any] = {"finishReason": outcome.finish_reason, "partial": outcome.is_partial}
        error = b""
        if outcome.error_code is not None:
            metadata["errorCode"] = outcome.error_code
            error = _encoded({"type": "error", "errorText": outcome.error_message})
        waits = any(call.of_page for call in self._running.values())
        return b"".join((
            self._close(),
            _encoded(*(_failed(call, NO_RESULT) for call in self._running.values() if not call.of_page)),
            # Another step behind results that nothing follows: releases that do not know `RAN_HERE` look at the last.
            b"" if waits else self._step(None),
            _encoded({"type": "finish-step"}, {"type": "message-metadata", "messageMetadata": metadata}),
            error,
            _encoded({"type": "finish"}),
            _UI_DONE,
        ))  # fmt: skip

    def _tool_parts(self, event: ToolEvent, *, is_over: bool) -> list[UiPart]:
        if event.kind == "progress":
            return [progress_part(event)]
        if event.kind == "call":
            self._running[event.id] = event
            call = {"toolCallId": event.id, "toolName": event.name, **call_kind(event)}
            start = {"type": "tool-input-start", **call}
            if event.of_page and is_over:
                # Available to the page's tool it would run once more.
                arguments = msgspec.json.encode(event.value).decode()
                return [start, {"type": "tool-input-delta", "toolCallId": event.id, "inputTextDelta": arguments}]
            return [start, {"type": "tool-input-available", **call, "input": event.value}]
        self._running.pop(event.id, None)
        if event.is_error:
            return [_failed(event, error_text(event.value))]
        kind = call_kind(event)
        return [{"type": "tool-output-available", "toolCallId": event.id, "output": event.value, **kind}]

    @property
    def _part_id(self) -> str:
        number = self._begun[self._open]
        kind = "" if self._open == "text" else f"-{self._open}"
        return f"{self._info.generation_id}{kind}" + (f"-{number}" if number > 1 else "")

    def _close(self) -> bytes:
        if not self._open:
            return b""
        end = _encoded({"type": f"{self._open}-end", "id": self._part_id})
        self._open = ""
        return end

    def _step(self, event: ToolEvent | None) -> bytes:
        if self._is_between_steps:
            if event is not None and event.kind != "call":
                return b""
            self._is_between_steps = False
            self._steps.begins_with(event)
            return _encoded(_START_STEP)
        return _encoded({"type": "finish-step"}, _START_STEP) if self._steps.begins_with(event) else b""


def _failed(call: ToolEvent, text: str) -> UiPart:
    return {"type": "tool-output-error", "toolCallId": call.id, "errorText": text, **call_kind(call)}


def _encoded(*parts: UiPart) -> bytes:
    return b"".join(b"data: %s\n\n" % msgspec.json.encode(part) for part in parts)
