"""An answer while it is being given: plain data, shared by the requests of one isolate.

Whoever gives it writes here what the model says, and readers are woken to look here. Losing it (an eviction, a
restart) loses what was said in the last second and no more: the rest is in KV.
"""

from typing import Literal

import msgspec

from waypost_worker.clock import Wakeups
from waypost_worker.conversations.message import ForkOrigin
from waypost_worker.errors import WaypostError
from waypost_worker.limits import GIVER_SILENCE_SECONDS, MAX_LIVE_ANSWERS

FinishReason = Literal["stop", "stopped", "length", "error"]


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """How an answer ended. `message_count`: messages that the conversation then had."""

    finish_reason: FinishReason
    message_count: int = 0
    error_code: str | None = None
    error_message: str | None = None

    @property
    def is_partial(self) -> bool:
        """Whether there would have been more to say."""
        return self.finish_reason != "stop"


class AnswerInfo(msgspec.Struct, frozen=True):
    """Which answer it is. `message_id` is the question's; `generation_id` the answer's own. `is_ui`: it was asked for
    in the AI SDK's format."""

    generation_id: str
    session_id: str
    thread_id: str
    resource_id: str
    message_id: str
    is_ui: bool = False
    forked_from: ForkOrigin | None = None


class LiveAnswer:
    """One answer. Only its giver writes `pieces`, `outcome` and `seen_ms`; anybody may set `stop_wanted`. `bells` are
    rung when something is said, and at the end.

    `failure`: the model said nothing at all and this is why; then nothing of the exchange was kept.
    """

    def __init__(self, generation_id: str, message_id: str, now_ms: int) -> None:
        self.generation_id = generation_id
        self.message_id = message_id
        self.info: AnswerInfo | None = None
        self.deltas: list[str] = []
        self.characters = 0
        self.wakeups = Wakeups()
        self._outcome: Outcome | None = None
        self.failure: WaypostError | None = None
        self.stop_wanted = False
        self.readers = 0
        self.left_ms = now_ms
        self.seen_ms = now_ms

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self.deltas)

    @property
    def has_begun(self) -> bool:
        """Whether there is something for a reader: a word, or an end."""
        return bool(self.deltas) or self.outcome is not None

    def add(self, text: str) -> None:
        """The model said `text`."""
        self.deltas.append(text)
        self.characters += len(text)
        self.wakeups.set()

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; `None` while it is being given."""
        return self._outcome

    @outcome.setter
    def outcome(self, outcome: Outcome) -> None:
        """It has ended so."""
        self._outcome = outcome
        self.wakeups.set()

    @property
    def lost_at_ms(self) -> int:
        """When its giver counts as gone, should no more be heard of it."""
        return self.seen_ms + GIVER_SILENCE_SECONDS * 1000

    def is_running(self, now_ms: int) -> bool:
        """Whether somebody is at work on it. A giver that was cut off by the platform can't say so; it falls silent."""
        return self.outcome is None and now_ms < self.lost_at_ms


class LiveAnswers:
    """The answers that this isolate is giving, by resource and thread: one each."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], LiveAnswer] = {}

    def running(self, resource_id: str, thread_id: str, now_ms: int) -> LiveAnswer | None:
        """The answer that is being given in this thread, here."""
        answer = self._answers.get((resource_id, thread_id))
        return answer if answer is not None and answer.is_running(now_ms) else None

    def add(self, resource_id: str, thread_id: str, answer: LiveAnswer) -> None:
        """From now on this is the thread's answer."""
        if len(self._answers) >= MAX_LIVE_ANSWERS:
            # A giver that the platform cut off could not release its own.
            now = answer.seen_ms
            self._answers = {name: other for name, other in self._answers.items() if other.is_running(now)}
        self._answers[resource_id, thread_id] = answer

    def remove(self, resource_id: str, thread_id: str, answer: LiveAnswer) -> None:
        """It has ended; if another one has begun since, that one stays."""
        if self._answers.get((resource_id, thread_id)) is answer:
            del self._answers[resource_id, thread_id]
