"""Running answers: plain data that the requests of one isolate share.

The generation appends the model's pieces here and wakes the readers. If the isolate is lost (an eviction, a restart),
the text since the last chunk is lost, about a second of it; the rest is in KV.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import msgspec

from waypost_worker.clock import Wakeups
from waypost_worker.conversations.message import ChatMessage, ForkOrigin, ToolEvent
from waypost_worker.errors import Busy
from waypost_worker.limits import (
    GIVER_SILENCE_SECONDS,
    MAX_LIVE_ANSWERS,
    MAX_LIVE_ANSWERS_BYTES,
    MAX_LIVE_IMAGES_BYTES,
    MAX_PROGRESS_BYTES,
)
from waypost_worker.models.model import Reasoning

GAP = " "
"""Between what a model said before its calls and what it says after them: it knows of no text before its reply."""

DELTA_BYTES = 80
"""What a piece costs in memory besides its characters, which take up to 4 bytes each."""

TOOL_EVENT_BYTES = 512
"""What a tool event costs in memory besides its JSON."""

NODE_BYTES, OBJECT_BYTES = 64, 256
"""What each comma and colon of JSON stands for in memory once it is decoded, and each bracket; besides the characters,
which take up to 4 bytes each."""

FinishReason = Literal["stop", "tool-calls", "stopped", "length", "error"]
"""`stop`: the model had finished. `tool-calls`: the answer waits for outputs of the page."""


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """How an answer ended. `message_count`: messages of the conversation with it.

    `is_undone`: the model failed before its first text, and neither question nor answer was kept.
    `retry_after_seconds`: when the question may be sent again, if the model's service says so.
    """

    finish_reason: FinishReason
    message_count: int = 0
    error_code: str | None = None
    error_message: str | None = None
    is_undone: bool = False
    retry_after_seconds: int | None = None

    @property
    def is_partial(self) -> bool:
        """Whether the answer ended before the model had finished it."""
        return self.finish_reason != "stop"


class AnswerInfo(msgspec.Struct, frozen=True):
    """The ids of an answer: `generation_id` is its own, `message_id` its question's.

    `is_ui`: it was asked for in the AI SDK's format. `leg`: see `ChatMessage`.
    """

    generation_id: str
    session_id: str
    thread_id: str
    resource_id: str
    message_id: str
    is_ui: bool = False
    forked_from: ForkOrigin | None = None
    leg: str = ""


class LiveAnswer:
    """A running answer. Only its generation writes `deltas`, `reasoning`, `tool_events`, `outcome` and `seen_ms`; any
    request may set `stop_requested`. `wakeups` are set when it starts, at each piece or tool event and at the end.

    `deltas`, `characters`: of the text. `reasoning`, `reasoning_characters`: of the reasoning.
    `tool_events`: what its tool calls did, in order. `log_bytes`: of their JSON.

    `info`: set when its question is kept; an answer that ends without it never started. `refusal`: why its question
    could not be kept.
    `asker`, `content_tag`: of its question, see `Question`.
    `is_taken_over`: another generation, elsewhere, goes on with it.
    `begins_at`: how much it had when it went on with the page's outputs; `None` if it was begun by a question.
    `readers`, `left_ms`: how many read it, and when the last of them left. `is_left`: a reader has left before the end,
    and there is none any more.
    `seen_ms`: the generation's last sign of life.
    `image_bytes`: of the images in its prompt, which it holds until its end.
    """

    def __init__(
        self, generation_id: str, message_id: str, now_ms: int, asker: str = "", content_tag: str = ""
    ) -> None:
        self.generation_id = generation_id
        self.message_id = message_id
        self.asker = asker
        self.content_tag = content_tag
        self._info: AnswerInfo | None = None
        self.refusal: Exception | None = None
        self.deltas: list[str] = []
        self.characters = 0
        self.reasoning: list[str] = []
        self.reasoning_characters = 0
        self.tool_events: list[ToolEvent] = []
        self._tool_bytes = 0
        self.log_bytes = 0
        self._progress_bytes = 0
        self._held_from: int | None = None
        self.begins_at: tuple[int, int, int] | None = None
        self.image_bytes = 0
        self.held_by: LiveAnswers | None = None
        self.wakeups = Wakeups()
        self._outcome: Outcome | None = None
        self.stop_requested = False
        self.is_taken_over = False
        self.readers = 0
        self.is_left = False
        self.left_ms = now_ms
        self.seen_ms = now_ms

    @property
    def left_by(self) -> str:
        """The asker if it has left; empty while it is read."""
        return self.asker if self.is_left and not self.readers else ""

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self.deltas)

    @property
    def is_blank(self) -> bool:
        """Whether it has neither text nor a tool call: such an answer is not kept."""
        return not self.deltas and not self.tool_events

    @property
    def is_unsaid(self) -> bool:
        """Whether nothing has come of what was asked for: a model that fails now has failed before its first word."""
        return self.is_blank or self.begins_at == self.piece_counts

    @property
    def shown_events(self) -> int:
        """How many of its tool events readers may have."""
        return len(self.tool_events) if self._held_from is None else self._held_from

    def hold_back(self) -> None:
        """Shows the tool events that are added from now on to nobody but the store, until `show`."""
        self._held_from = len(self.tool_events)

    def show(self) -> None:
        """Shows all tool events, and wakes the readers."""
        self._held_from = None
        self.wakeups.set()

    @property
    def piece_counts(self) -> tuple[int, int, int]:
        """How many deltas it has, how many pieces of reasoning, and how many tool events."""
        return len(self.deltas), len(self.reasoning), len(self.tool_events)

    @property
    def length(self) -> int:
        """The characters of its text and reasoning, and the bytes of its tool events as JSON: what an answer may have
        is `MAX_ANSWER_CHARACTERS`."""
        return self.characters + self.reasoning_characters + self.log_bytes

    @property
    def size(self) -> int:
        """The bytes of its text, reasoning and tool events in memory, at most."""
        pieces = len(self.deltas) + len(self.reasoning)
        return DELTA_BYTES * pieces + 4 * (self.characters + self.reasoning_characters) + self._tool_bytes

    @property
    def has_room(self) -> bool:
        """Whether it may grow: the answers of an isolate have a bound together."""
        return self.held_by is None or self.held_by.bytes < MAX_LIVE_ANSWERS_BYTES

    @property
    def has_said_nothing(self) -> bool:
        """Whether it has no text since its last tool event, or none at all."""
        return not self.characters or (bool(self.tool_events) and self.tool_events[-1].text == self.characters)

    def spaced(self, text: str) -> str:
        """`text` as it is to be added: behind a `GAP`, if it would touch the text before a call."""
        touches = bool(self.deltas) and not (self.deltas[-1][-1:].isspace() or text[:1].isspace())
        return GAP + text if touches and self.has_said_nothing else text

    @property
    def info(self) -> AnswerInfo | None:
        """Its ids; `None` until generation starts."""
        return self._info

    @info.setter
    def info(self, info: AnswerInfo) -> None:
        """Starts it, and wakes the readers."""
        self._info = info
        self.wakeups.set()

    @property
    def has_begun(self) -> bool:
        """Whether there is something to read: it has started, or ended."""
        return self.info is not None or self.outcome is not None

    def add(self, piece: str | Reasoning) -> None:
        """Appends a piece, and wakes the readers."""
        if isinstance(piece, str):
            text = piece
            self.deltas.append(text)
            self.characters += len(text)
        else:
            text = piece.text
            self.reasoning.append(text)
            self.reasoning_characters += len(text)
        if self.held_by is not None:
            self.held_by.bytes += DELTA_BYTES + 4 * len(text)
        self.wakeups.set()

    def add_tool_event(self, event: ToolEvent) -> None:
        """Appends an event of a tool call behind the text and reasoning so far, which become its place, and wakes the
        readers. Progress is left out once the answer has `MAX_PROGRESS_BYTES` of it."""
        self._append(msgspec.structs.replace(event, text=self.characters, reasoning=self.reasoning_characters))

    def inherit(self, answer: ChatMessage) -> None:
        """Begins with the text, the reasoning and the tool events of an answer that was broken off. Nothing else may
        have been added."""
        if answer.reasoning:
            self.add(Reasoning(answer.reasoning))
        if answer.content:
            self.add(str(answer.content))
        for event in answer.tool_events:
            self._append(event)
        if answer.leg:
            self.begins_at = self.piece_counts

    def _append(self, event: ToolEvent) -> None:
        text = msgspec.json.encode(event)
        if event.kind == "progress":
            if self._progress_bytes + len(text) > MAX_PROGRESS_BYTES:
                return
            self._progress_bytes += len(text)
        size = TOOL_EVENT_BYTES + decoded_bytes(text)
        self.tool_events.append(event)
        self.log_bytes += len(text)
        self._tool_bytes += size
        if self.held_by is not None:
            self.held_by.bytes += size
        self.wakeups.set()

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; `None` while it is running."""
        return self._outcome

    @outcome.setter
    def outcome(self, outcome: Outcome) -> None:
        """Ends it, and wakes the readers."""
        self._outcome = outcome
        self.wakeups.set()

    @property
    def lost_at_ms(self) -> int:
        """When the generation counts as lost, unless it shows another sign of life."""
        return self.seen_ms + GIVER_SILENCE_SECONDS * 1000

    def is_running(self, now_ms: int) -> bool:
        """Whether it is still generated. A generation that the platform ended can't set an outcome; it falls silent."""
        return self.outcome is None and now_ms < self.lost_at_ms


def decoded_bytes(text: bytes) -> int:
    """The bytes in memory of what the JSON `text` decodes to, at most."""
    nodes, objects = text.count(b",") + text.count(b":"), text.count(b"{") + text.count(b"[")
    return 4 * len(text) + NODE_BYTES * nodes + OBJECT_BYTES * objects


class ThreadWatch:
    """What a request that reads a thread knows of other requests. `has_changed`: an answer of the thread has begun in
    this isolate meanwhile, so what was read may be older."""

    def __init__(self, name: tuple[str, str]) -> None:
        self.name = name
        self.has_changed = False


class LiveAnswers:
    """The answers that this isolate generates: at most one for each resource and thread."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], LiveAnswer] = {}
        self._watches: set[ThreadWatch] = set()
        self.bytes = 0
        """The text and tool events of all of them, as `LiveAnswer.size` counts it."""
        self.image_bytes = 0
        """The images in their prompts."""

    def running(self, resource_id: str, thread_id: str, now_ms: int) -> LiveAnswer | None:
        """The thread's running answer; `None` if this isolate generates none."""
        answer = self._answers.get((resource_id, thread_id))
        return answer if answer is not None and answer.is_running(now_ms) else None

    def add(self, resource_id: str, thread_id: str, answer: LiveAnswer) -> None:
        """Makes `answer` the thread's running one.

        Raises:
            Busy: too many are running here, or their text is too long together.
        """
        if self._is_full():
            self._remove_lost(answer.seen_ms)
            if self._is_full():
                raise Busy("Too many answers are being generated; ask again.")
        if (replaced := self._answers.get((resource_id, thread_id))) is not None:
            self.remove(resource_id, thread_id, replaced)
        self._answers[resource_id, thread_id] = answer
        answer.held_by = self
        self.bytes += answer.size
        for watch in self._watches:
            watch.has_changed |= watch.name == (resource_id, thread_id)

    @contextmanager
    def watched(self, resource_id: str, thread_id: str) -> Iterator[ThreadWatch]:
        """Watches the thread for as long as one request reads it."""
        watch = ThreadWatch((resource_id, thread_id))
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.remove(watch)

    def hold(self, answer: LiveAnswer, image_bytes: int) -> None:
        """Counts the images in the prompt of `answer`, one of these.

        Raises:
            Busy: there are too many together.
        """
        if image_bytes and self.image_bytes + image_bytes > MAX_LIVE_IMAGES_BYTES:
            self._remove_lost(answer.seen_ms)
            if self.image_bytes + image_bytes > MAX_LIVE_IMAGES_BYTES:
                raise Busy("Too many questions with images are being answered; ask again.")
        if answer.held_by is self:
            answer.image_bytes += image_bytes
            self.image_bytes += image_bytes

    def put_back(self, resource_id: str, thread_id: str, answer: LiveAnswer, now_ms: int) -> None:
        """Makes `answer` the thread's running one again, unless it has ended or another one is running."""
        if (resource_id, thread_id) not in self._answers and answer.is_running(now_ms):
            self._answers[resource_id, thread_id] = answer
            answer.held_by = self
            self.bytes += answer.size
            self.image_bytes += answer.image_bytes

    def remove(self, resource_id: str, thread_id: str, answer: LiveAnswer) -> None:
        """Removes an answer that has ended. If the thread has another one by now, that one stays."""
        if self._answers.get((resource_id, thread_id)) is answer:
            del self._answers[resource_id, thread_id]
            answer.held_by = None
            self.bytes -= answer.size
            self.image_bytes -= answer.image_bytes

    def _remove_lost(self, now_ms: int) -> None:
        # A generation that the platform ended could not remove its answer.
        for name, answer in list(self._answers.items()):
            if not answer.is_running(now_ms):
                self.remove(*name, answer)

    def _is_full(self) -> bool:
        return len(self._answers) >= MAX_LIVE_ANSWERS or self.bytes >= MAX_LIVE_ANSWERS_BYTES
