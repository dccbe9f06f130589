"""An answer of a chat: its events, over as many connections as it takes, without losing or repeating a character."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from waypost._core.effects import Emit, Flow, Now, Open, Read, Shut, Sleep
from waypost._core.messages import Reply, Request, refusal
from waypost._core.retrying import Backoff
from waypost._core.sse import Event, SseDecoder
from waypost.chat_events import (
    EVENTS,
    ChatDelta,
    ChatDone,
    ChatEvent,
    ChatReasoning,
    ChatStart,
    ChatToolCall,
    ChatToolEvent,
    ChatToolProgress,
    ChatToolResult,
    ChatWaiting,
)
from waypost.errors import TransportError, WaypostError, is_transient, retry_after
from waypost.types import History, Message, ToolEvent

STORING_SECONDS = 60.0
"""The reply begins once the question is stored; a store that fails is tried for some seconds."""

SILENCE_SECONDS = 20.0
"""The stream of an answer has a heartbeat every 3 s."""

GIVE_UP_SECONDS = 15 * 60.0
"""No answer takes longer than this: after so much silence, the stream gives up."""

MAX_MISSES = 10
"""How often the answer may be missing from the history: a write elsewhere may take a minute to be visible."""

Part = Literal["text", "reasoning"]

_POSITION = re.compile(r"\.(\d+)(?:r(\d+))?(?:t(\d+))?$")


class AnotherAnswer(Exception):
    """The stream is that of another answer: ours is over."""


class AnswerProgress:
    """How far one answer was received. `message_id`: of our question, if there is one."""

    def __init__(self, message_id: str = "") -> None:
        self.message_id = message_id
        self.generation_id = ""
        self.is_over = False
        self._received = {"text": 0, "reasoning": 0, "tools": 0}
        self._has_gap = False

    @property
    def last_event_id(self) -> str:
        """The event to resume after; empty: from the beginning."""
        if not self.generation_id or self._has_gap:
            return ""
        text, reasoning, tools = self._received.values()
        return f"{self.generation_id}.{text}{f'r{reasoning}' if reasoning else ''}{f't{tools}' if tools else ''}"

    def take(self, event: Event) -> ChatEvent | None:
        """The new part of an event from the wire; `None` if nothing of it is new. Raises `AnotherAnswer`,
        `TransportError`."""
        if event.name not in EVENTS:
            return None
        try:
            said = msgspec.json.decode(event.data, type=EVENTS[event.name])
        except msgspec.DecodeError as error:
            raise TransportError(f"An event of kind {event.name} can't be read: {error}") from error
        if isinstance(said, ChatStart):
            return self._start(said)
        position = _POSITION.search(event.id)
        if isinstance(said, ChatDelta):
            return self._part("text", said.text, int(position[1]) if position else None)
        if isinstance(said, ChatReasoning):
            return self._part("reasoning", said.text, int(position[2] or 0) if position else None)
        if isinstance(said, ChatToolEvent):
            count = int(position[3] or 0) if position else self._received["tools"] + 1
            self._expect("tools", count - 1)
            return self.take_tool_event(said, count)
        self.is_over = isinstance(said, ChatDone)
        event_: ChatEvent = said
        return event_

    def take_whole(self, part: Part, text: str) -> ChatEvent | None:
        """The new part of the answer's whole text or reasoning; `None` if there is none."""
        return self._reach(part, text, 0)

    def take_tool_event(self, event: ChatToolEvent, count: int) -> ChatToolEvent | None:
        """The event, if it is new. `count`: how many the answer has up to this one."""
        if count <= self._received["tools"]:
            return None
        self._has_gap = False
        self._received["tools"] = count
        return event

    def _start(self, said: ChatStart) -> ChatStart | None:
        is_ours = said.generation_id == self.generation_id if self.generation_id else self._asked(said.message_id)
        if not is_ours:
            raise AnotherAnswer
        if self.generation_id:
            return None
        self.generation_id, self.message_id = said.generation_id, said.message_id
        return said

    def _asked(self, message_id: str) -> bool:
        return self.message_id in ("", message_id)

    def _part(self, part: Part, text: str, end: int | None) -> ChatEvent | None:
        begin = self._received[part] if end is None else end - len(text)
        self._expect(part, begin)
        return self._reach(part, text, begin)

    def _expect(self, part: str, begin: int) -> None:
        if begin > self._received[part]:
            self._has_gap = True
            raise TransportError("A part of the answer is missing.")

    def _reach(self, part: Part, text: str, begin: int) -> ChatEvent | None:
        # Positions are code points, as the characters of a Python text are.
        fresh = text[self._received[part] - begin :]
        if not fresh:
            return None
        self._has_gap = False
        self._received[part] += len(fresh)
        kind = ChatDelta if part == "text" else ChatReasoning
        return kind(text=fresh, characters=self._received[part])


class AnswerStream:
    """One answer. `again`: the request that resumes it after an event. `history`: reads what the thread keeps."""

    def __init__(
        self,
        thread: tuple[str, str],
        again: Callable[[str], Request],
        history: Callable[[], Flow[History]],
        message_id: str = "",
    ) -> None:
        self._thread = thread
        self._again = again
        self._history = history
        self._progress = AnswerProgress(message_id)
        self._backoff = Backoff(0.5, 15.0)
        self._heard = 0.0
        self._misses = 0

    def run(self, first: Request) -> Flow[None]:
        """Emits the events. Errors of the first connection are raised: nothing has begun then.

        Raises:
            ApiError, TransportError
        """
        self._heard = yield Now()
        reply: Reply = yield Open(first, STORING_SECONDS)
        if reply.status == 204:
            return
        self._check(reply)
        while True:
            error: WaypostError | None = None
            try:
                yield from self._read()
            except AnotherAnswer:
                error = yield from self._rest()
            except WaypostError as failure:
                error = failure
            yield Shut()
            while not self._progress.is_over:
                yield from self._pause(error)
                try:
                    reply = yield Open(self._again(self._progress.last_event_id), SILENCE_SECONDS)
                    if reply.status == 204:
                        error = yield from self._rest()
                        continue
                    self._check(reply)
                    break
                except WaypostError as failure:
                    error = failure
            if self._progress.is_over:
                return

    def _check(self, reply: Reply) -> None:
        if reply.status != 200:
            raise refusal(reply, time.time())
        if not reply.headers.get("content-type", "").startswith("text/event-stream"):
            raise TransportError("What replied is not the stream of an answer.")

    def _read(self) -> Flow[None]:
        decoder = SseDecoder()
        while True:
            chunk: bytes | None = yield Read()
            if chunk is None:
                return
            self._heard = yield Now()
            for event in decoder.feed(chunk):
                news = self._progress.take(event)
                if news is not None:
                    self._backoff.reset()
                    yield Emit(news)
                if self._progress.is_over:
                    return

    def _rest(self) -> Flow[WaypostError | None]:
        """Our answer has ended: emits what was missed of it, from the history."""
        try:
            history = yield from self._history()
        except WaypostError as error:
            return error
        events = missed_events(self._progress, history, self._thread)
        if events is not None:
            self._progress.is_over = True
            for event in events:
                yield Emit(event)
            return None
        self._misses += 1
        if self._misses < MAX_MISSES:
            return None
        return WaypostError("answer_lost", "The connection broke off, and the answer is not in the history.")

    def _pause(self, error: WaypostError | None) -> Flow[None]:
        floor = retry_after(error)
        now: float = yield Now()
        if error is not None and (not is_transient(error) or now + floor - self._heard > GIVE_UP_SECONDS):
            raise error
        delay = self._backoff.next(floor)
        if error is not None:
            yield Emit(ChatWaiting(delay=delay, error=error))
        yield Sleep(delay)


def missed_events(progress: AnswerProgress, history: History, thread: tuple[str, str]) -> list[ChatEvent] | None:
    """The missed events of an answer that has ended; `None` if the history does not have it."""
    answer = _find_answer(progress, history.messages)
    if answer is None or history.session_id is None:
        return None
    events: list[ChatEvent | None] = []
    if not progress.generation_id:
        thread_id, resource_id = thread
        start = ChatStart(
            session_id=history.session_id,
            thread_id=thread_id,
            resource_id=resource_id,
            generation_id=answer.id,
            message_id=progress.message_id,
        )
        events.append(start)
    content = str(answer.content)
    for count, event in enumerate(answer.tool_events, 1):
        events.append(progress.take_whole("reasoning", answer.reasoning[: event.reasoning]))
        events.append(progress.take_whole("text", content[: event.text]))
        events.append(progress.take_tool_event(_tool_event(event), count))
    events.append(progress.take_whole("reasoning", answer.reasoning))
    events.append(progress.take_whole("text", content))
    done = ChatDone(
        generation_id=answer.id,
        message_id=answer.id,
        finish_reason="unknown" if answer.partial else "stop",
        partial=answer.partial,
        message_count=len(history.messages),
    )
    return [event for event in [*events, done] if event is not None]


def _tool_event(event: ToolEvent) -> ChatToolEvent:
    if event.kind == "call":
        return ChatToolCall(id=event.id, name=event.name, arguments=event.value, step=event.step)
    if event.kind == "progress":
        return ChatToolProgress(id=event.id, progress=event.value)
    return ChatToolResult(id=event.id, result=event.value, is_error=event.is_error)


def _find_answer(progress: AnswerProgress, messages: list[Message]) -> Message | None:
    """The answer by its own id or, if its start was missed, by the question before it."""
    if progress.generation_id:
        return next((message for message in messages if message.id == progress.generation_id), None)
    ids: list[Any] = [message.id for message in messages]
    behind = messages[ids.index(progress.message_id) :] if progress.message_id in ids else []
    return next((message for message in behind if message.role == "assistant"), None)
