"""Calls of tools that the page itself runs: the answer ends with them, and goes on once the page has sent the outputs.

What the page sends is believed only where a call of the stored answer waits for it: everything else of the answer is as
it is stored. Of two outputs of one call, the first counts.
"""

from collections.abc import Sequence

import msgspec

from waypost_worker.chat.answer_events import START, Position
from waypost_worker.chat.call_ids import is_call_id, root_in
from waypost_worker.chat.tool_result import kept
from waypost_worker.conversations.message import ChatMessage, ToolEvent, open_page_calls
from waypost_worker.errors import InvalidBody
from waypost_worker.limits import MAX_TOOL_LOG_BYTES

PAGE = "page"
"""Stands for the tab in the ids of the page's calls; no code of a session is that short."""

_NULL = msgspec.Raw(b"null")

Error = tuple[str, str]
"""A code, and a sentence for the model."""

LEFT = ("left", "The user went on without this call, so its output is not known. The page may have run the tool.")
STOPPED = ("stopped", "The answer was ended while the page had this call. It may have run.")


class PagePart(msgspec.Struct, frozen=True):
    """What a page has of one call. `name`: of the tool. `output`: JSON of any size, or an `error` instead of it;
    neither if the page has none yet. `place`: where it stands in the request."""

    call_id: str
    name: str
    place: str
    output: msgspec.Raw | None = None
    error: Error | None = None


class PageAnswer(msgspec.Struct, frozen=True):
    """The answer that a page asks to go on, with the tool calls that it has in it. `place`: in the request."""

    answer_id: str
    parts: tuple[PagePart, ...]
    place: str


def results_for(answer: ChatMessage, sent: PageAnswer) -> list[ToolEvent]:
    """The results of the calls for which `answer` waits, as the page has sent them; none if it waits for nothing, or
    for calls that the page does not have yet: it has sent the outputs of an earlier step again.

    Raises:
        InvalidBody: something that was sent is of no call of this answer, or an output is missing.
    """
    calls = {event.id: event for event in answer.tool_events if event.kind == "call"}
    waiting = {call.id: call for call in open_page_calls(answer.tool_events)}
    outputs: dict[str, PagePart] = {}
    for part in sent.parts:
        call = calls.get(part.call_id)
        if call is None:
            raise InvalidBody(f"{part.place} is of a call that this answer has not made.")
        if part.name != call.name:
            raise InvalidBody(f"{part.place} names another tool than the call of this id.")
        if call.id in waiting:
            if part.output is None and part.error is None:
                raise InvalidBody(f"{part.place} has no output yet; send the message once each call has one.")
            outputs.setdefault(call.id, part)
    for call_id, call in waiting.items() if outputs else ():
        if call_id not in outputs:
            raise InvalidBody(
                f"{sent.place} lacks the call {call_id} of the tool {call.name}, which has no output yet."
            )
    return _results(answer, [(waiting[call_id], outputs[call_id]) for call_id in waiting if outputs])


def is_behind(answer: ChatMessage, sent: PageAnswer) -> bool:
    """Whether the page may have heard more of the answer than is visible here, `answer`: it has `sent` a call that is
    not there, and whose id may be one of this answer's."""
    known = {event.id for event in answer.tool_events}
    roots = {root_in(id) for id in known}
    missing = [part.call_id for part in sent.parts if part.call_id not in known]
    return any(is_call_id(id) and root_in(id) in (roots or {root_in(id)}) for id in missing)


def left(answer: ChatMessage, sent: PageAnswer | None) -> ChatMessage:
    """`answer` once another question has left its calls: it waits no more. Those whose outputs the page has `sent` with
    that question have them."""
    if not answer.waits:
        return answer
    parts = sent.parts if sent is not None and sent.answer_id == answer.id else ()
    outputs = {part.call_id: part for part in reversed(parts) if part.output is not None or part.error is not None}
    waiting = open_page_calls(answer.tool_events)
    taken = [(call, outputs[call.id]) for call in waiting if call.id in outputs and outputs[call.id].name == call.name]
    return closed(with_results(answer, _results(answer, taken)), LEFT)


def with_results(answer: ChatMessage, results: Sequence[ToolEvent]) -> ChatMessage:
    """`answer` with `results` at the end of its log."""
    return msgspec.structs.replace(answer, tool_events=[*answer.tool_events, *results])


def closed(answer: ChatMessage, error: Error) -> ChatMessage:
    """`answer` with `error` as the result of each call for which it waits: it waits no more."""
    place = (len(str(answer.content)), len(answer.reasoning))
    return with_results(answer, [failed(call, error, *place) for call in open_page_calls(answer.tool_events)])


def failed(call: ToolEvent, error: Error, text: int = 0, reasoning: int = 0) -> ToolEvent:
    """The result of a page's call that has no output. `text`, `reasoning`: its place in the answer."""
    code, message = error
    value = {"code": code, "message": message}
    return _result(call, value, text, reasoning, is_error=True)


def start_behind(events: Sequence[ToolEvent], sent: PageAnswer) -> Position:
    """How much of an answer with these tool events a page has that has sent `sent`: all before the results of the last
    calls in it that were the page's."""
    has = {part.call_id for part in sent.parts}
    steps = [event.step for event in events if event.kind == "call" and event.of_page and event.id in has]
    for number, event in enumerate(events):
        if event.kind == "result" and event.of_page and event.step == max(steps, default=-1):
            return Position(event.text, event.reasoning, number)
    return START


def _results(answer: ChatMessage, outputs: Sequence[tuple[ToolEvent, PagePart]]) -> list[ToolEvent]:
    text, reasoning = len(str(answer.content)), len(answer.reasoning)
    taken = sum(len(msgspec.json.encode(event)) for event in answer.tool_events if event.kind != "progress")
    results: list[ToolEvent] = []
    for call, part in outputs:
        room = MAX_TOOL_LOG_BYTES - taken
        if part.error is not None:
            code, message = part.error
            shown, _ = kept(msgspec.Raw(msgspec.json.encode(message)), room)
            result = failed(call, (code, shown), text, reasoning)
        else:
            value, is_error = kept(part.output or _NULL, room)
            result = _result(call, value, text, reasoning, is_error=is_error)
        results.append(result)
        taken += len(msgspec.json.encode(result))
    return results


def _result(call: ToolEvent, value: object, text: int, reasoning: int, *, is_error: bool) -> ToolEvent:
    return ToolEvent("result", call.id, "", value, is_error, text, reasoning, call.step, of_page=True)
