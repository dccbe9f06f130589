"""The writes to a conversation, as its writers know them, and the checks of what a reader sees.

Cursors define the order, so the expected result of the writes does not depend on clocks. A refused write may or may not
have taken effect, so its messages may or may not be visible.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from waypost_worker.conversations.conversation import Conversation, History
from waypost_worker.conversations.journal import Change
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.limits import POP_REPEAT_SECONDS

SETTLED_SECONDS = 150
"""A write accepted so long ago is visible everywhere: 60 s until it is visible, in a listing that is 60 s old."""

Position = tuple[str, str, int]
"""The position of a copy of a message: its place, the cursor of its write, its index there."""


@dataclass(slots=True)
class Write:
    """One write; `accepted`: when it succeeded for its writer."""

    cursor: str
    change: Change
    accepted: float | None = None


@dataclass
class Removals:
    """The combined removals of some writes."""

    cleared: str = ""
    dropped: dict[str, str] = field(default_factory=dict)
    retracted: set[str] = field(default_factory=set)

    def add(self, write: Write) -> None:
        """Adds the removals of `write`."""
        if write.change.clears:
            self.cleared = max(self.cleared, write.cursor)
        for name in write.change.drops:
            self.dropped[name] = max(self.dropped.get(name, ""), write.cursor)
        self.retracted.update(write.change.retracts)

    def remove(self, copy: "Copy") -> bool:
        """Whether `copy` is removed: its write is retracted, or it precedes a removal that is not of its own write."""
        removal = max(self.cleared, self.dropped.get(copy.item.id, ""))
        own = (copy.write.cursor, copy.write.change.despite.get(copy.item.id))
        return copy.write.cursor in self.retracted or (copy.position[0] < removal and removal not in own)


@dataclass(frozen=True, slots=True)
class Copy:
    """A message as one write contains it."""

    position: Position
    item: ChatMessage
    write: Write


@dataclass(frozen=True, slots=True)
class Pop:
    """What a pop returned at first, and when it began and ended."""

    item: ChatMessage | None
    began: float
    ended: float


@dataclass
class Talk:
    """One conversation of at most `limit` messages that lives for `ttl_seconds` after each accepted write."""

    limit: int = 10
    ttl_seconds: int = 1200
    removing: list[Write] = field(default_factory=list)
    possible: Removals = field(default_factory=Removals)
    certain: Removals = field(default_factory=Removals)
    copies: dict[str, list[Copy]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)
    spans: list[tuple[str, str]] = field(default_factory=list)
    pops: dict[str, "Pop"] = field(default_factory=dict)
    last: float = 0.0
    quiet_since: float = 0.0
    settled_before: float = 0.0
    has_paused: bool = False
    violations: list[str] = field(default_factory=list)
    questions: dict[str, str] = field(default_factory=dict)
    last_answers: dict[str, str] = field(default_factory=dict)
    contended: set[str] = field(default_factory=set)
    images: dict[str, str] = field(default_factory=dict)
    """The URLs of images, by their messages."""

    def asks(self, question_id: str, answer_id: str, seen: set[str]) -> None:
        """Records that a question is asked, by a writer that sees the messages `seen`. If it does not see where the
        question was asked last, each of the two may take the question from the other's answer. If it still sees one
        that was dropped, that drop may take the question from its answer."""
        last = self.last_answers.get(question_id)
        if last is not None and not {last, question_id} <= seen:
            self.contended.add(question_id)
        copies = self.copies.get(question_id, [])
        if question_id in seen and copies and all(map(self.possible.remove, copies)):
            self.contended.add(question_id)
        self.questions[answer_id] = question_id
        self.last_answers[question_id] = answer_id

    def tried(self, change: Change, cursor: str) -> Write:
        """Records that a write begins."""
        write = Write(cursor, change)
        self.possible.add(write)
        written = {*change.drops, *(item.id for item in change.items)}
        # Dropped by a writer that has not seen where it was asked last: that answer stays, and loses its question.
        lost = [name for name in change.drops if self.last_answers.get(name, name) not in written]
        self.contended.update(lost)
        for item in change.items:
            # Put back where a question was taken back.
            if item.id in self.questions and change.retracts:
                self.last_answers[self.questions[item.id]] = item.id
                # Still being generated: when it is closed, it is closed where that was noticed.
                self.contended.update([self.questions[item.id]] if item.is_open else ())
        for retracted in (other for other in self.removing if other.cursor in change.retracts):
            # The answers that it replaced are there again, or will be.
            self.last_answers |= {
                self.questions[name]: name for name in retracted.change.drops if name in self.questions
            }
        if change.clears or change.drops or change.retracts:
            self.removing.append(write)
        for index, item in enumerate(change.items):
            copy = Copy((change.places.get(item.id) or item.place or cursor, cursor, index), item, write)
            self.copies.setdefault(item.id, []).append(copy)
            self.calls |= {call.id: item.id for call in item.tool_calls}
            first = self.calls.get(item.tool_call_id or "") or self.groups.get(item.id, [item.id])[0]
            if first != item.id:
                self.spans.append((first, item.id))
        return write

    def accepted(self, write: Write) -> None:
        """Records that `write` was accepted."""
        write.accepted = now()
        self.has_paused |= now() - self.last > self.ttl_seconds - 60
        self.last = now()

    @property
    def is_alive(self) -> bool:
        """Whether it has never expired, by the clock of any location."""
        return not self.has_paused and now() - self.last <= self.ttl_seconds - 30

    def popped(self, pop_id: str, item: ChatMessage | None, began: float) -> None:
        """Records that a pop that `began` at that time returned `item`."""
        known = self.pops.get(pop_id)
        if known is not None:
            # Sooner, the first one may be invisible; later, it may be forgotten.
            is_promised = known.ended <= began - SETTLED_SECONDS and now() - known.began < POP_REPEAT_SECONDS - 30
            was_cleared = any(write.change.clears for write in self.removing)
            if is_promised and self.is_alive and known.item != item and not (was_cleared and item is None):
                self.violations.append(f"a pop that was repeated took something else: {pop_id}")
            return
        if item is not None:
            twice = [pop for pop in self.pops.values() if pop.item == item and pop.ended <= began - SETTLED_SECONDS]
            if twice and len(self.copies.get(item.id, ())) == 1:
                self.violations.append(f"popped twice: {item.id}")
        self.pops[pop_id] = Pop(item, began, now())

    def check(self, history: History, began: float) -> None:
        """Adds the violations of `history`, the result of a read that `began` at that time and ended now."""
        view = history.items
        self.settled_before = began - SETTLED_SECONDS
        self.certain = Removals()
        retracted = {cursor for write in self.removing for cursor in write.change.retracts}
        for write in filter(self._is_settled, self.removing):
            if write.cursor not in retracted:
                self.certain.add(write)
        self.violations += [*self._too_many(view), *self._wrong(view), *self._out_of_order(view)]
        self.violations += self._parted(view)
        if history.truncated and len(self.copies) <= self.limit:
            self.violations.append("said to be truncated, though all of it would be kept")
        self.violations += self._unasked(view)
        if self.is_alive:
            self.violations += self._missing(view)
            if not history.truncated:
                self.violations += self._silently_missing(view)

    def check_images(self, view: list[ChatMessage]) -> None:
        """Adds the violations of the images in `view`, which was read after the last `check`."""
        for item in view:
            if item.id not in self.images or not isinstance(item.content, list):
                continue
            [part] = item.content
            image = part.get("image_url")
            if image is None and self._lasting(item.id) and self.is_alive and not self._has_come_back(item.id):
                self.violations.append(f"a message without its image: {item.id}")
            if image is not None and image["url"] != self.images[item.id]:
                self.violations.append(f"a message with another image: {item.id}")

    def _has_come_back(self, name: str) -> bool:
        """Whether it was deleted, with its images, and put back by a turn that was taken back then."""
        cursors = [copy.write.cursor for copy in self.copies[name]]
        return any(write.change.clears and min(cursors) < write.cursor < max(cursors) for write in self.removing)

    def _too_many(self, view: list[ChatMessage]) -> Iterator[str]:
        if len(view) > self.limit:
            yield f"{len(view)} messages are kept"
        calls = {call.id for item in view for call in item.tool_calls}
        yield from (
            f"a tool result without its call: {item.id}" for item in view if item.tool_call_id not in calls | {None}
        )

    def _wrong(self, view: list[ChatMessage]) -> Iterator[str]:
        for item in view:
            copies = [copy for copy in self.copies.get(item.id, ()) if copy.item == item]
            if not copies:
                yield f"never written: {item.id}"
            elif all(map(self.certain.remove, copies)):
                yield f"removed, but shown again: {item.id}"
            elif self._is_older(item) and self._is_among_the_last(item.id):
                yield f"shown in an older version than was accepted: {item.id}"

    def _is_older(self, item: ChatMessage) -> bool:
        return _rank(item) < max((_rank(copy.item) for copy in self._lasting(item.id)), default=0)

    def _out_of_order(self, view: list[ChatMessage]) -> Iterator[str]:
        reached: Position = ("", "", 0)
        for item in view:
            positions = [copy.position for copy in self.copies.get(item.id, ()) if copy.item == item]
            later = [position for position in positions if position >= reached]
            if positions and not later:
                yield f"out of order: {item.id}"
            reached = min(later, default=reached)

    def _unasked(self, view: list[ChatMessage]) -> Iterator[str]:
        """Answers without their question before them, unless the window begins between the two, a write of the question
        may not be visible yet, or both are being deleted: then either may be gone first."""
        before: set[str] = set()
        for index, item in enumerate(view):
            question = self.questions.get(item.id, "")
            copies = self.copies.get(question, [])
            is_settled = bool(copies) and all(self._is_settled(copy.write) for copy in copies)
            is_deleted = all(copy.position[0] < self.possible.cleared for copy in copies)
            if index and is_settled and not is_deleted and question not in before | self.contended:
                yield f"an answer without its question: {item.id} of {question}"
            before.add(item.id)

    def _missing(self, view: list[ChatMessage]) -> Iterator[str]:
        shown = {item.id for item in view}
        calls = {call.id for item in view for call in item.tool_calls}
        for name in sorted(self.copies.keys() - shown):
            is_answered = self.copies[name][0].item.tool_call_id in calls | {None}
            if is_answered and self._lasting(name) and self._is_whole_among_the_last(name):
                yield f"accepted, among the last {self.limit}, and not in the history: {name}"

    def _parted(self, view: list[ChatMessage]) -> Iterator[str]:
        shown = {item.id for item in view}
        for name in shown:
            group = self.groups.get(name, [name])
            before = group[: group.index(name)]
            yield from (
                f"{name} is shown without {other}" for other in before if other not in shown and self._lasting(other)
            )

    def _silently_missing(self, view: list[ChatMessage]) -> Iterator[str]:
        shown = {item.id for item in view}
        for name in sorted(self.copies.keys() - shown):
            call = self.copies[name][0].item.tool_call_id
            is_alone = call is not None and not any(call in (other.id for other in item.tool_calls) for item in view)
            if not is_alone and self._lasting(name):
                yield f"not in the history, which does not say that it was truncated: {name}"

    def _is_whole_among_the_last(self, name: str) -> bool:
        """Whether it is among the last, with all of its group: what stands between a call and its result is too."""
        if not self._is_among_the_last(name):
            return False
        place = self._place(name)
        around = [first for first, last in self.spans if self._place(first) < place <= self._place(last)]
        # Reasoning goes with what follows it: with this message, where what stood between them was popped.
        firsts = {group[0] for group in self.groups.values()}
        around += [first for first in firsts if self._is_just_before(first, place)]
        return all(map(self._is_whole_among_the_last, around))

    def _is_just_before(self, first: str, place: Position) -> bool:
        began = self._place(first)
        return began < place and not any(
            began < self._place(other) < place and self._lasting(other) for other in self.copies
        )

    def _place(self, name: str) -> Position:
        return min(copy.position for copy in self.copies[name])

    def _is_among_the_last(self, name: str) -> bool:
        """Whether fewer than `limit` others, removed or not, follow it; otherwise a compaction may cut it."""
        first = min(copy.position for copy in self.copies[name])
        others = (copies for other, copies in self.copies.items() if other != name)
        return sum(max(copy.position for copy in copies) > first for copies in others) < self.limit

    def _lasting(self, name: str) -> list[Copy]:
        """Copies that are visible everywhere and that no write can have removed."""
        return [copy for copy in self.copies[name] if self._is_settled(copy.write) and not self.possible.remove(copy)]

    def _is_settled(self, write: Write) -> bool:
        return write.accepted is not None and write.accepted <= self.settled_before


class Recorded(Conversation):
    """A conversation that records its writes in `talk`."""

    talk: Talk
    is_popping = False

    async def pop(self, pop_id: str) -> ChatMessage | None:
        began = now()
        self.is_popping = True
        try:
            taken = await super().pop(pop_id)
        finally:
            self.is_popping = False
        self.talk.popped(pop_id, taken, began)
        return taken

    async def _write(self, change: Change, cursor: str) -> str:
        if self.is_popping and (change.clears or change.items or len(change.drops) > 1):
            self.talk.violations.append("a pop changed more than the message that it took")
        write = self.talk.tried(change, cursor)
        try:
            await super()._write(change, cursor)
            self.talk.accepted(write)
        finally:
            self.talk.quiet_since = now()
        return cursor


def _rank(item: ChatMessage) -> int:
    return 0 if item.is_open else 1 if item.partial else 2


def now() -> float:
    """Seconds since the run began."""
    return asyncio.get_running_loop().time()
